package cpu

import (
	"fmt"
	"unsafe"

	"impasto/internal/cpu/kernels"
	"impasto/internal/optim"
)

// The optimisers' vectors are optim.HostVector and *optim.Compact, as those of optim.Host,
// whose loops define what the kernels here compute.

// Copy implements optim.Vectors.
func (d *Device) Copy(dst, src optim.Vector) {
	to := dst.(optim.HostVector)
	if c, ok := src.(*optim.Compact); ok {
		clear(to)
		kernels.AxpyHalf(d.workers, to, float32(halfUnit(c)), halves(c))
		return
	}
	copy(to, src.(optim.HostVector))
}

// Scale implements optim.Vectors.
func (d *Device) Scale(alpha float64, x optim.Vector) {
	kernels.Scale(d.workers, float32(alpha), x.(optim.HostVector))
}

// AddScaled implements optim.Vectors.
func (d *Device) AddScaled(y optim.Vector, alpha float64, x optim.Vector) {
	if c, ok := x.(*optim.Compact); ok {
		kernels.AxpyHalf(d.workers, y.(optim.HostVector), float32(alpha*halfUnit(c)), halves(c))
		return
	}
	kernels.Axpy(d.workers, y.(optim.HostVector), float32(alpha), x.(optim.HostVector))
}

// Dot implements optim.Vectors.
func (d *Device) Dot(x, y optim.Vector) (float64, error) {
	if x.Len() != y.Len() {
		return 0, fmt.Errorf("cpu: dot product of %d and %d elements, want as many of each", x.Len(), y.Len())
	}
	a, b := scaled(x), scaled(y)
	if a.Half == nil && b.Half == nil {
		return kernels.Dot(d.workers, a.Single, b.Single), nil
	}
	return kernels.DotHalf(d.workers, a.Map, b.Map, x.Len()) * float64(a.Unit) * float64(b.Unit), nil
}

// scaled is a vector as kernels see it; no vector stands for zeros.
func scaled(v optim.Vector) kernels.Scaled {
	switch v := v.(type) {
	case nil:
		return kernels.Scaled{}
	case *optim.Compact:
		return kernels.Scaled{Map: kernels.Map{Half: halves(v)}, Unit: float32(halfUnit(v))}
	}
	return kernels.Scaled{Map: kernels.Single(v.(optim.HostVector)), Unit: 1}
}

// halves are a compact vector's elements as kernels see them, and halfUnit what their
// values are multiples of: a kernels.Half is 16 times the float16.
func halves(c *optim.Compact) []kernels.Half {
	return unsafe.Slice((*kernels.Half)(unsafe.SliceData(c.Bits)), len(c.Bits))
}

func halfUnit(c *optim.Compact) float64 { return float64(c.Unit) / kernels.HalfUnit }

// Compact implements optim.Vectors.
func (d *Device) Compact() optim.CompactVectors { return d }

// Pack implements optim.CompactVectors.
func (d *Device) Pack(dst *optim.Compact, unit float32, x, y optim.Vector) {
	dst.Unit = unit
	kernels.NarrowDifference(d.workers, halves(dst), x.(optim.HostVector), scaled(y), kernels.HalfUnit/unit)
}

// DotDifference implements optim.CompactVectors.
func (d *Device) DotDifference(z, x, y optim.Vector) (float64, error) {
	return kernels.DotDifference(d.workers, scaled(z), x.(optim.HostVector), y.(optim.HostVector)), nil
}

// DotDifferences implements optim.CompactVectors.
func (d *Device) DotDifferences(x, y, z, w optim.Vector) (xx, xz, zz float64, err error) {
	p, q, r, s := x.(optim.HostVector), scaled(y), z.(optim.HostVector), scaled(w)
	xx = kernels.DotDifferences(d.workers, p, q, p, q)
	xz = kernels.DotDifferences(d.workers, p, q, r, s)
	return xx, xz, kernels.DotDifferences(d.workers, r, s, r, s), nil
}

// Dots implements optim.Vectors.
func (d *Device) Dots(pairs ...[2]optim.Vector) ([]float64, error) { return optim.DotEach(d, pairs) }

// TwoLoop implements optim.Vectors.
func (d *Device) TwoLoop(q, room optim.Vector, history []optim.Curvature, s optim.Smoothing) error {
	return optim.TwoLoop(d, q, room, history, s)
}

// Smooth implements optim.Vectors. Coarser grids are in the room.
func (d *Device) Smooth(x, room optim.Vector, s optim.Smoothing) error {
	kernels.Smooth(d.workers, x.(optim.HostVector), singles(room), s)
	return nil
}

// SmoothedSquare implements optim.Vectors.
func (d *Device) SmoothedSquare(x, room optim.Vector, s optim.Smoothing) (float64, error) {
	v := scaled(x)
	return kernels.SmoothedSquare(d.workers, v.Map, x.Len(), singles(room), s) * float64(v.Unit) * float64(v.Unit), nil
}

// singles is a vector's memory as float32s, half as many of one that is compact.
func singles(v optim.Vector) []float32 {
	if c, ok := v.(*optim.Compact); ok {
		return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(c.Bits))), len(c.Bits)/2)
	}
	return v.(optim.HostVector)
}

// Clamp implements optim.Vectors.
func (d *Device) Clamp(x optim.Vector, low, high float64) {
	kernels.Clamp(d.workers, x.(optim.HostVector), float32(low), float32(high))
}

// Average implements optim.Vectors.
func (d *Device) Average(mean optim.Vector, decay float64, x optim.Vector) {
	kernels.Average(d.workers, mean.(optim.HostVector), float32(decay), x.(optim.HostVector))
}

// AdamStep implements optim.Vectors.
func (d *Device) AdamStep(s optim.AdamStep) {
	kernels.AdamStep(d.workers, s.Point.(optim.HostVector), s.Gradient.(optim.HostVector),
		s.Mean.(optim.HostVector), s.Square.(optim.HostVector),
		kernels.Adam{StepSize: s.StepSize, Beta1: s.Beta1, Beta2: s.Beta2, Epsilon: s.Epsilon, Iteration: s.Iteration})
	if s.Bounds != (optim.Bounds{}) {
		d.Clamp(s.Point, s.Bounds.Low, s.Bounds.High)
	}
}
