package losses

import "impasto/internal/pure"

// Counted is a loss whose cost is, for the most part, floating-point arithmetic
// that can be counted, so that a rate can be held against the machine's rate of
// matrix products. Losses that sort, or that take time in proportion to C·N, are
// bound by other things and don't implement it.
type Counted interface {
	Loss
	// Operations is the number of one evaluation with its gradient, for channels C
	// and so many positions of the picture and of the target, a multiplication and
	// an addition counting two.
	Operations(channels, positions, targetPositions int) float64
}

// Iterative is a loss that goes through all pairs of positions again and again, as
// often as it takes to be exact enough. So only the time of one pass follows from
// the shape.
type Iterative interface {
	Loss
	// Pairs says what pairs the objective goes through, of maps with so many
	// channels.
	Pairs(channels int) pure.CloudComparison
	// PassOperations is the number of one pass, as Counted counts.
	PassOperations(channels, positions, targetPositions int) float64
}

// Operations counts the C×C×N product of the moments and that of their gradient.
func (gram) Operations(channels, positions, _ int) float64 {
	return momentOperations(channels, positions)
}

// Operations counts what gram does; the inverses of C×C matrices are left out,
// so a small rate at few positions is theirs.
func (gaussian) Operations(channels, positions, _ int) float64 {
	return momentOperations(channels, positions)
}

func momentOperations(channels, positions int) float64 {
	return 4 * float64(channels) * float64(channels) * float64(positions)
}
