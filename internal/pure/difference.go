package pure

import "math"

// Difference compares a feature map with a target of the same size, element by
// element.
type Difference struct {
	// Scaled asks for Σd²/Σ|d|, divided by the target's root mean square, instead
	// of the mean of d². Its gradient keeps its size at any size of the map and
	// however near the target is (crowsonkb/style-transfer-pytorch), and the
	// division makes a layer count the same whatever the size of its activations.
	Scaled bool
}

// epsilon keeps scaled differences finite where both sides agree.
const epsilon = 1e-8

// slopes are a difference's value and its derivative 2·square·d −
// magnitude·sign(d) by each element's difference d.
type slopes struct{ value, square, magnitude float64 }

// scaledSquares is Σd²/Σ|d| · factor.
func scaledSquares(squares, magnitudes, factor float64) slopes {
	sum := magnitudes + epsilon
	return slopes{
		value:     factor * squares / sum,
		square:    factor / sum,
		magnitude: factor * squares / (sum * sum),
	}
}

func (s slopes) at(d float64) float64 {
	switch {
	case d > 0:
		return 2*s.square*d - s.magnitude
	case d < 0:
		return 2*s.square*d + s.magnitude
	}
	return 0
}

// slopes needs the sums of d², |d| and target² over n elements.
func (f Difference) slopes(squares, magnitudes, targetSquares float64, n int) slopes {
	if f.Scaled {
		return scaledSquares(squares, magnitudes, 1/(math.Sqrt(targetSquares/float64(n))+epsilon))
	}
	return slopes{value: squares / float64(n), square: 1 / float64(n)}
}

// CompareDifference returns the difference of x and target.
func CompareDifference[T Float](f Difference, x, target []T) float64 {
	return differenceSlopes(f, x, target).value
}

// DifferenceGradient computes dx = grad·∂difference/∂x.
func DifferenceGradient[T Float](f Difference, dx, x, target []T, grad float64) {
	s := differenceSlopes(f, x, target)
	for i, v := range x {
		dx[i] = T(grad * s.at(float64(v)-float64(target[i])))
	}
}

func differenceSlopes[T Float](f Difference, x, target []T) slopes {
	var squares, magnitudes, targetSquares float64
	for i, v := range x {
		t := float64(target[i])
		d := float64(v) - t
		squares += d * d
		magnitudes += math.Abs(d)
		targetSquares += t * t
	}
	return f.slopes(squares, magnitudes, targetSquares, len(x))
}
