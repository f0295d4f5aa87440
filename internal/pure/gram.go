package pure

import (
	"fmt"
	"math"
)

// Gram compares second raw moments S and T (C×C), the Gram matrices divided by
// the number of positions: Σ(S−T)². A summary holds C means, which do not
// count, then S.
type Gram struct {
	Channels int
	// Scaled asks for Σd²/Σ|d| with d = S−T, divided by T's mean diagonal, the
	// target's mean square activation.
	Scaled bool
}

// Compare implements Comparison.
func (g Gram) Compare(cotangent, summary, target []float64) (float64, error) {
	clear(cotangent[:g.Channels])
	cotangent, summary, target = cotangent[g.Channels:], summary[g.Channels:], target[g.Channels:]
	var squares, magnitudes float64
	for i, v := range summary {
		d := v - target[i]
		squares += d * d
		magnitudes += math.Abs(d)
	}
	s := Slopes{Value: squares, square: 1}
	if g.Scaled {
		s = scaledSquares(squares, magnitudes, 1/(trace(target, g.Channels)/float64(g.Channels)+epsilon))
	}
	for i, v := range summary {
		cotangent[i] = s.at(v - target[i])
	}
	return s.Value, nil
}

func (g Gram) String() string {
	return fmt.Sprintf("gram(channels=%d, scaled=%t)", g.Channels, g.Scaled)
}

func trace(matrix []float64, n int) float64 {
	var sum float64
	for i := range n {
		sum += matrix[i*n+i]
	}
	return sum
}
