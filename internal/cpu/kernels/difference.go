package kernels

import (
	"math"

	"impasto/internal/pure"
)

// differenceKernels are the inner loops of differences between maps of one type
// of element.
type differenceKernels[T float32 | float64] struct {
	// sum returns the sums of d², |d| and target², in float64, d being x − target.
	sum func(x, target []T) (squares, magnitudes, targetSquares float64)
	// slope computes dx = factor·d − copysign(1, d)·magnitude, or 0 where d is 0.
	// negativeZero is −0, which assembly takes the sign bit from.
	slope func(dx, x, target []T, factor, magnitude, negativeZero T)
}

// SumDifference is pure.SumDifference.
func SumDifference[T float32 | float64](w *Workers, x, target []T) pure.DifferenceSums {
	target = target[:len(x)]
	sum := differencesOf[T](w.isa).sum
	blocks := (len(x) + vectorBlock - 1) / vectorBlock
	total := pure.DifferenceSums{N: len(x)}
	w.exclusive(func(shared *workspace) {
		sums := shared.float64s(0, 3*blocks)
		w.runLocked(blocks, func(part int, _ *workspace) {
			first, end := part*vectorBlock, min(len(x), (part+1)*vectorBlock)
			to := sums[3*part : 3*part+3]
			to[0], to[1], to[2] = sum(x[first:end], target[first:end])
		})
		for s := sums; len(s) > 0; s = s[3:] {
			total.Squares += s[0]
			total.Magnitudes += s[1]
			total.TargetSquares += s[2]
		}
	})
	return total
}

// SlopeGradient is pure.SlopeGradient, whose last roundings may differ.
func SlopeGradient[T float32 | float64](w *Workers, s pure.Slopes, dx, x, target []T, grad float64) {
	x, target = x[:len(dx)], target[:len(dx)]
	slope := differencesOf[T](w.isa).slope
	negativeZero := T(math.Copysign(0, -1))
	eachBlock(w, len(dx), func(first, end int) {
		slope(dx[first:end], x[first:end], target[first:end], T(2*grad*s.Square), T(grad*s.Magnitude), negativeZero)
	})
}

// differencesOf returns the kernels for a type of element.
func differencesOf[T float32 | float64](set *isa) differenceKernels[T] {
	if d, ok := any(set.difference32).(differenceKernels[T]); ok {
		return d
	}
	return any(set.difference64).(differenceKernels[T])
}

func sumDifferenceGo[T float32 | float64](x, target []T) (squares, magnitudes, targetSquares float64) {
	s := pure.SumDifference(x, target)
	return s.Squares, s.Magnitudes, s.TargetSquares
}

func slopeGo[T float32 | float64](dx, x, target []T, factor, magnitude, _ T) {
	for i, v := range x {
		d := v - target[i]
		dx[i] = 0
		if d != 0 {
			dx[i] = factor*d - T(math.Copysign(1, float64(d)))*magnitude
		}
	}
}
