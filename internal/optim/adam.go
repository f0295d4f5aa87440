package optim

import "fmt"

// AdamOptions are the settings of Adam. The zero value of each means the value
// named beside it.
type AdamOptions struct {
	StepSize float64 // 0.02: about the most that an element moves in a step
	Beta1    float64 // 0.9: decay of the gradient's mean
	Beta2    float64 // 0.999: decay of the squared gradient's mean
	Epsilon  float64 // 1e-8: added to the root of the squared gradient's mean
	Bounds   Bounds  // none; else the point is moved into them after each step
	// Along: never; else tells whether the next evaluation leaves the gradient as the device
	// makes it, so that the device may make the step before the loss is known here.
	Along func() bool
}

func (o AdamOptions) withDefaults() AdamOptions {
	setDefault(&o.StepSize, 0.02)
	setDefault(&o.Beta1, 0.9)
	setDefault(&o.Beta2, 0.999)
	setDefault(&o.Epsilon, 1e-8)
	return o
}

func setDefault(value *float64, fallback float64) {
	if *value == 0 {
		*value = fallback
	}
}

// Adam descends along the mean of past gradients, each element scaled by the
// root of its mean square: Kingma and Ba, "Adam: A Method for Stochastic
// Optimization", ICLR 2015, algorithm 1 on page 2.
type Adam struct {
	vectors         Vectors
	options         AdamOptions
	point, gradient Vector
	mean, square    Vector
	iteration       int
}

var _ Optimiser = (*Adam)(nil)

// AdamElementBytes is how many bytes NewAdam takes of a device for each element of the
// point: both moments.
const AdamElementBytes = 2 * 4

// NewAdam returns an optimiser of point by the gradient that the objective
// leaves in gradient.
func NewAdam(vectors Vectors, point, gradient Vector, o AdamOptions) (*Adam, error) {
	a := &Adam{vectors: vectors, options: o.withDefaults()}
	if err := a.attach(point, gradient); err != nil {
		return nil, err
	}
	return a, nil
}

// attach makes the optimiser one of point, with moments of zero.
func (a *Adam) attach(point, gradient Vector) error {
	if err := checkPair(point, gradient); err != nil {
		return err
	}
	made, err := newVectors(a.vectors, point.Len(), 2)
	if err != nil {
		return fmt.Errorf("optim: memory for adam: %w", err)
	}
	a.point, a.gradient = point, gradient
	a.mean, a.square = made[0], made[1]
	return nil
}

// Step evaluates the objective once and moves the point. After a *NonFiniteError the point
// stays where it was evaluated, which the last step came to by a finite gradient.
func (a *Adam) Step(objective Objective) (Report, error) {
	step := AdamStep{
		Point: a.point, Gradient: a.gradient, Mean: a.mean, Square: a.square,
		StepSize: a.options.StepSize,
		Beta1:    a.options.Beta1, Beta2: a.options.Beta2, Epsilon: a.options.Epsilon,
		Iteration: a.iteration + 1, Bounds: a.options.Bounds,
	}
	if f, ok := a.vectors.(AdamForeseer); ok && a.options.Along != nil && a.options.Along() {
		f.ForeseeAdam(step)
	}
	e, err := evaluate(a.vectors, a.gradient, objective)
	if err != nil {
		return Report{Evaluations: 1}, err
	}
	a.iteration++
	a.vectors.AdamStep(step)
	return Report{Loss: e.loss, GradientNorm: e.norm, Evaluations: 1}, nil
}

// Renew has nothing to do: every step evaluates anew.
func (a *Adam) Renew() {}

// Rescale carries both moments over and keeps the count of steps, so that the
// bias correction of the first steps isn't made again.
func (a *Adam) Rescale(point, gradient Vector, _, _ int, resample Resampler) error {
	mean, square := a.mean, a.square
	a.mean, a.square = nil, nil
	defer free(a.vectors, mean, square)
	if err := a.attach(point, gradient); err != nil {
		return err
	}
	if err := a.carry(a.mean, mean, Overshooting, resample); err != nil {
		return fmt.Errorf("optim: rescale adam's mean: %w", err)
	}
	if err := a.carry(a.square, square, NonNegative, resample); err != nil {
		return fmt.Errorf("optim: rescale adam's mean square: %w", err)
	}
	return nil
}

func (a *Adam) carry(dst, src Vector, how Interpolation, resample Resampler) error {
	values := make([]float32, src.Len())
	if err := a.vectors.Download(values, src); err != nil {
		return err
	}
	resampled, err := resample(values, how)
	if err != nil {
		return err
	}
	return a.vectors.Upload(dst, resampled)
}

// Close implements Optimiser.
func (a *Adam) Close() {
	free(a.vectors, a.mean, a.square)
	a.mean, a.square = nil, nil
}
