package optim

import (
	"fmt"
	"math"
)

// HostVector is a vector in the memory of the process.
type HostVector []float32

// Len returns the number of elements.
func (v HostVector) Len() int { return len(v) }

// Host is the arithmetic of vectors in plain Go, one loop each: the definition
// that other devices are compared with. Its vectors are HostVector and *Compact.
type Host struct{}

var _ CompactVectors = Host{}

// NewVector returns n zeros.
func (Host) NewVector(n int) (Vector, error) {
	if n < 0 {
		return nil, fmt.Errorf("optim: new vector of %d elements, want none or more", n)
	}
	return make(HostVector, n), nil
}

// Free has nothing to do: the memory is the garbage collector's.
func (Host) Free(Vector) {}

// Upload copies src to dst.
func (Host) Upload(dst Vector, src []float32) error {
	if dst.Len() != len(src) {
		return fmt.Errorf("optim: upload of %d values to a vector of %d", len(src), dst.Len())
	}
	if c, ok := dst.(*Compact); ok {
		c.Set(src)
		return nil
	}
	copy(dst.(HostVector), src)
	return nil
}

// Download copies src to dst.
func (Host) Download(dst []float32, src Vector) error {
	if src.Len() != len(dst) {
		return fmt.Errorf("optim: download of a vector of %d to %d values", src.Len(), len(dst))
	}
	if c, ok := src.(*Compact); ok {
		c.Expand(dst)
		return nil
	}
	copy(dst, src.(HostVector))
	return nil
}

// Copy copies src to dst.
func (Host) Copy(dst, src Vector) {
	if c, ok := src.(*Compact); ok {
		c.Expand(dst.(HostVector))
		return
	}
	copy(dst.(HostVector), src.(HostVector))
}

// Scale computes x = alpha·x.
func (Host) Scale(alpha float64, x Vector) {
	a, xs := float32(alpha), x.(HostVector)
	for i := range xs {
		xs[i] *= a
	}
}

// AddScaled computes y = y + alpha·x.
func (Host) AddScaled(y Vector, alpha float64, x Vector) {
	a, ys, xs := float32(alpha), y.(HostVector), at(x)
	for i := range ys {
		ys[i] += a * xs(i)
	}
}

// Dot returns Σ x·y, accumulated in float64 from the first element to the last.
func (Host) Dot(x, y Vector) (float64, error) {
	if x.Len() != y.Len() {
		return 0, fmt.Errorf("optim: dot product of %d and %d elements, want as many of each", x.Len(), y.Len())
	}
	xs, ys := at(x), at(y)
	var sum float64
	for i := range x.Len() {
		sum += float64(xs(i)) * float64(ys(i))
	}
	return sum, nil
}

// Dots returns the product of each pair.
func (h Host) Dots(pairs ...[2]Vector) ([]float64, error) { return DotEach(h, pairs) }

// TwoLoop computes q = −H·q as the function of that name does.
func (h Host) TwoLoop(q, room Vector, history []Curvature, s Smoothing) error {
	return TwoLoop(h, q, room, history, s)
}

// Clamp moves every x into [low, high]; NaN stays NaN.
func (Host) Clamp(x Vector, low, high float64) {
	l, h, xs := float32(low), float32(high), x.(HostVector)
	for i, v := range xs {
		if v < l {
			xs[i] = l
		} else if v > h {
			xs[i] = h
		}
	}
}

// Average computes mean = decay·mean + (1−decay)·x.
func (Host) Average(mean Vector, decay float64, x Vector) {
	keep, take := float32(decay), float32(1-decay)
	ms, xs := mean.(HostVector), x.(HostVector)
	for i, v := range xs {
		ms[i] = keep*ms[i] + take*v
	}
}

// AdamStep makes one update as the type of the same name defines it.
func (h Host) AdamStep(s AdamStep) {
	beta1, beta2, epsilon := float32(s.Beta1), float32(s.Beta2), float32(s.Epsilon)
	take1, take2 := float32(1-s.Beta1), float32(1-s.Beta2)
	step := float32(s.StepSize / (1 - math.Pow(s.Beta1, float64(s.Iteration))))
	root := float32(1 / math.Sqrt(1-math.Pow(s.Beta2, float64(s.Iteration))))
	point, gradient := s.Point.(HostVector), s.Gradient.(HostVector)
	mean, square := s.Mean.(HostVector), s.Square.(HostVector)
	for i, g := range gradient {
		m := beta1*mean[i] + take1*g
		q := beta2*square[i] + take2*g*g
		mean[i], square[i] = m, q
		point[i] -= step * m / (float32(math.Sqrt(float64(q)))*root + epsilon)
	}
	s.Bounds.apply(h, point)
}
