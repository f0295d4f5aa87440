package optim

import "fmt"

// Average is the exponential average of a sequence of points, corrected for its
// start at zero as Adam corrects its moments (Kingma and Ba 2015, section 3):
//
//	value = decay·value + (1−decay)·x,   result = value / (1 − decay^updates)
type Average struct {
	vectors Vectors
	value   Vector
	decay   float64
	rest    float64 // decay^updates, what the start at zero still counts
}

// NewAverage returns the average of the one point given. A decay of 0 makes the
// average the last point; one near 1 remembers some 1/(1−decay) points.
func NewAverage(vectors Vectors, point Vector, decay float64) (*Average, error) {
	if !(decay >= 0 && decay < 1) {
		return nil, fmt.Errorf("optim: average with decay %v, want 0 ≤ decay < 1", decay)
	}
	value, err := vectors.NewVector(point.Len())
	if err != nil {
		return nil, fmt.Errorf("optim: memory for the average: %w", err)
	}
	a := &Average{vectors: vectors, value: value, decay: decay, rest: 1}
	a.Update(point)
	return a, nil
}

// Update takes one more point into the average.
func (a *Average) Update(point Vector) {
	a.vectors.Average(a.value, a.decay, point)
	a.rest *= a.decay
}

// AverageElementBytes is how many bytes NewAverage takes of a device for each element.
const AverageElementBytes = 4

// Result downloads the average to dst.
func (a *Average) Result(dst []float32) error {
	if err := a.vectors.Download(dst, a.value); err != nil {
		return err
	}
	correction := float32(1 / (1 - a.rest))
	for i := range dst {
		dst[i] *= correction
	}
	return nil
}

// Close frees the average.
func (a *Average) Close() { a.vectors.Free(a.value) }
