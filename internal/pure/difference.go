package pure

import "math"

// Difference compares a feature map with a target of the same size, element by
// element.
type Difference struct {
	// Scaled asks for Σd²/Σ|d|, divided by the target's root mean square r, instead
	// of the mean of d². Its gradient keeps its size at any size of the map and
	// however near the target is (crowsonkb/style-transfer-pytorch), and the
	// division makes a layer count the same whatever the size of its activations.
	// Σ|d| has r/100 an element added, which rounds off the kink at the target: a
	// line search that starts there would find no way down.
	Scaled bool
	// N is how many elements the map has, for Compare, whose sums don't tell.
	N int
}

// rounding is what a scaled difference adds to |d|, in units of the target's
// root mean square.
const rounding = 0.01

// epsilon keeps scaled differences finite where both sides agree.
const epsilon = 1e-8

// DifferenceSums are what a difference needs to know of all elements at once:
// the sums of d², |d| and target², and how many there are. They add up over
// parts of a map.
type DifferenceSums struct {
	Squares, Magnitudes, TargetSquares float64
	N                                  int
}

// SumDifference sums over x and target.
func SumDifference[T Float](x, target []T) DifferenceSums {
	s := DifferenceSums{N: len(x)}
	for i, v := range x {
		t := float64(target[i])
		d := float64(v) - t
		s.Squares += d * d
		s.Magnitudes += math.Abs(d)
		s.TargetSquares += t * t
	}
	return s
}

// Add adds the sums of another part.
func (s *DifferenceSums) Add(part DifferenceSums) {
	s.Squares += part.Squares
	s.Magnitudes += part.Magnitudes
	s.TargetSquares += part.TargetSquares
	s.N += part.N
}

// Put writes the sums as a summary: squares, magnitudes, target's squares.
func (s DifferenceSums) Put(summary []float64) {
	summary[0], summary[1], summary[2] = s.Squares, s.Magnitudes, s.TargetSquares
}

// Compare implements Comparison for the sums of a map and a target, as Put writes
// them.
func (f Difference) Compare(cotangent, sums, _ []float64) (float64, error) {
	s := f.Slopes(DifferenceSums{Squares: sums[0], Magnitudes: sums[1], TargetSquares: sums[2], N: f.N})
	cotangent[0], cotangent[1], cotangent[2] = s.Square, -s.Magnitude, 0
	return s.Value, nil
}

// SlopesOf are the slopes that a cotangent of the sums stands for.
func SlopesOf(cotangent []float64) Slopes {
	return Slopes{Square: cotangent[0], Magnitude: -cotangent[1]}
}

// Slopes are a difference's value and its derivative by an element with
// difference d, which is 2·Square·d − Magnitude·sign(d).
type Slopes struct{ Value, Square, Magnitude float64 }

// Slopes puts the sums over all elements together.
func (f Difference) Slopes(s DifferenceSums) Slopes {
	n := float64(s.N)
	if f.Scaled {
		rms := math.Sqrt(s.TargetSquares / n)
		return scaledSquares(s.Squares, s.Magnitudes+rounding*rms*n, 1/(rms+epsilon))
	}
	return Slopes{Value: s.Squares / n, Square: 1 / n}
}

// scaledSquares is Σd²/Σ|d| · factor.
func scaledSquares(squares, magnitudes, factor float64) Slopes {
	sum := magnitudes + epsilon
	return Slopes{
		Value:     factor * squares / sum,
		Square:    factor / sum,
		Magnitude: factor * squares / (sum * sum),
	}
}

func (s Slopes) at(d float64) float64 {
	if d == 0 {
		return 0
	}
	// A branch on the sign would be mispredicted every other time.
	return 2*s.Square*d - math.Copysign(1, d)*s.Magnitude
}

// SlopeGradient computes dx = grad·∂difference/∂x for a part of a map.
func SlopeGradient[T Float](s Slopes, dx, x, target []T, grad float64) {
	for i, v := range x {
		dx[i] = T(grad * s.at(float64(v)-float64(target[i])))
	}
}
