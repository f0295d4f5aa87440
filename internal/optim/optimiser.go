package optim

import (
	"fmt"
	"math"
)

// Objective evaluates the function at the point that the optimiser was given
// and leaves its gradient in the gradient vector that the optimiser was given.
// L-BFGS takes it to be one function, the same value at the same point, until
// Renew says otherwise.
type Objective func() (loss float64, err error)

// Report says what a step did.
type Report struct {
	// Loss and GradientNorm (Euclidean) are those of the last evaluation that
	// counts: where Adam's step began, or where the step of L-BFGS ended.
	Loss, GradientNorm float64
	// Evaluations of the objective that the step took.
	Evaluations int
	// Stationary says that no lower point was found and that the point was not
	// moved: more steps from here would be in vain.
	Stationary bool
}

// Optimiser improves a point step by step.
type Optimiser interface {
	// Step makes one iteration. A loss or gradient that is not finite is a
	// *NonFiniteError. After any error, as where an evaluation was called off, point and
	// state are those that the step began with.
	Step(Objective) (Report, error)
	// Renew says that the objective is another function from here on, if one of
	// the same kind: what was evaluated before doesn't hold any more.
	Renew()
	// Rescale goes on with a point of another length, such as the same picture
	// at a finer scale, whose planes have a width and a height. What the optimiser has
	// learned and can carry over passes through the resampler.
	Rescale(point, gradient Vector, width, height int, resample Resampler) error
	// State is what the next step goes on from, besides the point.
	State() State
	// Restore makes an optimiser with as long a point go on from a state: the values of
	// its vectors, and its numbers. The point has to be that of the state. After an error
	// nothing but Restore and Close may be called.
	Restore(values Values, numbers []float64) error
	// Close frees what the optimiser keeps. Point and gradient stay.
	Close()
}

// Resampler carries a vector of the old point's length over to the new one's.
type Resampler func(values []float32, how Interpolation) ([]float32, error)

// Interpolation is how a Resampler finds values between those that it has.
type Interpolation int

const (
	// Overshooting values may leave the range of their neighbours: bicubic.
	Overshooting Interpolation = iota
	// NonNegative values must stay at or above zero: bilinear, clamped.
	NonNegative
)

// Bounds is the interval that every element of the point stays in. The zero
// value is no bounds.
type Bounds struct {
	Low, High float64
}

func (b Bounds) apply(vectors Vectors, x Vector) {
	if b != (Bounds{}) {
		vectors.Clamp(x, b.Low, b.High)
	}
}

// NonFiniteError reports a loss or a gradient that is NaN or infinite.
type NonFiniteError struct {
	What  string  // "loss" or "gradient"
	Value float64 // the loss, or the gradient's norm
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("optim: the %s is %v, want a finite value", e.What, e.Value)
}

// evaluation is the objective at a point.
type evaluation struct {
	loss, norm float64
}

// evaluate runs the objective and checks that what it left is finite.
func evaluate(vectors Vectors, gradient Vector, objective Objective) (evaluation, error) {
	e, _, err := evaluateWith(vectors, gradient, objective)
	return e, err
}

// evaluateWith does the same and returns the products of more pairs, in the same wait for a
// device that is told of them. They are there with a *NonFiniteError, too.
func evaluateWith(vectors Vectors, gradient Vector, objective Objective, more ...[2]Vector) (e evaluation, products []float64, err error) {
	pairs := append([][2]Vector{{gradient, gradient}}, more...)
	if f, ok := vectors.(Foreseer); ok {
		f.Foresee(pairs...)
	}
	loss, err := objective()
	if err != nil {
		return evaluation{}, nil, err
	}
	dots, err := vectors.Dots(pairs...)
	if err != nil {
		return evaluation{}, nil, err
	}
	square, products := dots[0], dots[1:]
	switch {
	case !finite(loss):
		return evaluation{}, products, &NonFiniteError{What: "loss", Value: loss}
	case !finite(square):
		return evaluation{}, products, &NonFiniteError{What: "gradient", Value: math.Sqrt(square)}
	}
	return evaluation{loss: loss, norm: math.Sqrt(square)}, products, nil
}

func finite(x float64) bool {
	return !math.IsNaN(x) && !math.IsInf(x, 0)
}

// newVectors returns count vectors of n zeros.
func newVectors(vectors Vectors, n, count int) ([]Vector, error) {
	made := make([]Vector, count)
	for i := range made {
		v, err := vectors.NewVector(n)
		if err != nil {
			free(vectors, made...)
			return nil, err
		}
		made[i] = v
	}
	return made, nil
}

// free gives back those of the vectors that there are.
func free(vectors Vectors, made ...Vector) {
	for _, v := range made {
		if v != nil {
			vectors.Free(v)
		}
	}
}

// checkPair says what is wrong with a point and its gradient.
func checkPair(point, gradient Vector) error {
	if point.Len() != gradient.Len() {
		return fmt.Errorf("optim: point has %d elements and gradient %d, want as many of each", point.Len(), gradient.Len())
	}
	if point.Len() == 0 {
		return fmt.Errorf("optim: point is empty, want at least one element")
	}
	return nil
}
