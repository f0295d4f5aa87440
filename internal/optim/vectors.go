package optim

// Vector is a float32 vector in the memory of one device.
type Vector interface {
	Len() int
}

// Vectors is the arithmetic of one device on vectors that live there. Lengths
// of the vectors in one call must agree. Calls may run later than they return
// on a device; a fault there surfaces in the next Upload, Download, Dot or Dots,
// or in the next evaluation of the objective.
type Vectors interface {
	// NewVector returns n zeros.
	NewVector(n int) (Vector, error)
	// Free gives the memory of a vector from NewVector back.
	Free(Vector)
	Upload(dst Vector, src []float32) error
	Download(dst []float32, src Vector) error
	Copy(dst, src Vector)
	// Scale computes x = alpha·x.
	Scale(alpha float64, x Vector)
	// AddScaled computes y = y + alpha·x.
	AddScaled(y Vector, alpha float64, x Vector)
	// Dot returns Σ x·y, accumulated in float64.
	Dot(x, y Vector) (float64, error)
	// Dots returns the products of as many pairs, each what Dot returns, in one wait
	// for the device.
	Dots(pairs ...[2]Vector) ([]float64, error)
	// Smooth computes x = M·x, M being that of a smoothing. The room is another vector of
	// that length, compact or not, whose values may be lost.
	Smooth(x, room Vector, s Smoothing) error
	// SmoothedSquare returns xᵀMx; x may be compact.
	SmoothedSquare(x, room Vector, s Smoothing) (float64, error)
	// TwoLoop computes q = −H·q, as the function of that name does. On a device nothing
	// comes back on the way. The room is as for Smooth.
	TwoLoop(q, room Vector, history []Curvature, s Smoothing) error
	// Clamp moves every x into [low, high].
	Clamp(x Vector, low, high float64)
	// Average computes mean = decay·mean + (1−decay)·x.
	Average(mean Vector, decay float64, x Vector)
	// Compact is the device's arithmetic with vectors in half of the memory, nil where it
	// has none.
	Compact() CompactVectors
	// AdamStep makes one fused update of point, mean and square. Where that was foreseen and
	// has been made, nothing is left to do.
	AdamStep(AdamStep)
}

// Foreseer is implemented by Vectors that can make products along with an evaluation of the
// objective, without another wait for the device.
type Foreseer interface {
	// Foresee says which products Dots will be asked for after the next evaluation.
	Foresee(pairs ...[2]Vector)
}

// AdamForeseer is implemented by Vectors that can make a step of Adam along with an evaluation
// of the objective, before its loss is known.
type AdamForeseer interface {
	// ForeseeAdam says which step AdamStep will be asked for after the next evaluation. It may
	// be made along with that, unless the loss or the gradient aren't finite then.
	ForeseeAdam(AdamStep)
}

// Measurer is implemented by Vectors that take all that L-BFGS has to know of a step and its
// change of the gradient in one wait for the device.
type Measurer interface {
	// Measure returns sᵀs, sᵀy, yᵀy and yᵀMy. The room is as for Smooth.
	Measure(step, change, room Vector, s Smoothing) (ss, sy, yy, smoothed float64, err error)
}

// AdamStep is one update of Adam (Kingma and Ba 2015, algorithm 1):
//
//	mean   = Beta1·mean   + (1−Beta1)·gradient
//	square = Beta2·square + (1−Beta2)·gradient²
//	point -= StepSize · mean/(1−Beta1^Iteration) / (√(square/(1−Beta2^Iteration)) + Epsilon)
//
// after which the point is moved into the bounds.
type AdamStep struct {
	Point, Gradient, Mean, Square Vector
	StepSize                      float64
	Beta1, Beta2, Epsilon         float64
	Iteration                     int // from 1
	Bounds                        Bounds
}

// DotEach returns the product of each pair, one after the other.
func DotEach(v Vectors, pairs [][2]Vector) ([]float64, error) {
	dots := make([]float64, len(pairs))
	for i, pair := range pairs {
		var err error
		if dots[i], err = v.Dot(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return dots, nil
}
