//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/internal/optim"
)

// vector is float32 on the device.
type vector struct {
	memory
	n int
}

// Len is the number of elements.
func (v vector) Len() int { return v.n }

// dotBlocks is into how many parts a dot product is split at most. It is fixed, so
// that the sum doesn't depend on the device.
const dotBlocks = 256

// NewVector implements optim.Vectors.
func (d *Device) NewVector(n int) (v optim.Vector, err error) {
	if n < 0 {
		return nil, fmt.Errorf("cuda: new vector of %d elements, want none or more", n)
	}
	err = d.do("new vector", func() error {
		m, err := d.allocate("a vector of the optimiser", 4*n)
		if err != nil {
			return err
		}
		v = vector{m, n}
		if n == 0 {
			return nil
		}
		return d.run(over(n, "fill", m.at, 0., n))
	})
	return v, err
}

// Free implements optim.Vectors.
func (d *Device) Free(v optim.Vector) {
	m := v.(vector).memory
	d.later("free a vector", m.free)
}

// later runs what can't tell of an error, which the next call that can will.
func (d *Device) later(doing string, f func() error) {
	if err := d.do(doing, f); err != nil && err != errClosed {
		d.mutex.Lock()
		d.fault = err
		d.mutex.Unlock()
	}
}

// Upload implements optim.Vectors.
func (d *Device) Upload(dst optim.Vector, src []float32) error {
	v := dst.(vector)
	if v.n != len(src) {
		return fmt.Errorf("cuda: upload of %d values to a vector of %d", len(src), v.n)
	}
	if v.n == 0 {
		return nil
	}
	return d.do("upload", func() error { return d.upload(v.at, unsafe.Pointer(&src[0]), 4*v.n) })
}

// Download implements optim.Vectors.
func (d *Device) Download(dst []float32, src optim.Vector) error {
	v := src.(vector)
	if v.n != len(dst) {
		return fmt.Errorf("cuda: download of a vector of %d to %d values", v.n, len(dst))
	}
	if v.n == 0 {
		return nil
	}
	return d.do("download", func() error { return d.download(unsafe.Pointer(&dst[0]), v.at, 4*v.n) })
}

// Copy implements optim.Vectors.
func (d *Device) Copy(dst, src optim.Vector) {
	to, from := dst.(vector), src.(vector)
	if to.n == 0 {
		return
	}
	d.later("copy", func() error { return cu.MemcpyDtoDAsync(to.at, from.at, int64(4*to.n), d.stream) })
}

// elementwise issues a kernel over n elements.
func (d *Device) elementwise(n int, kernel string, arguments ...any) {
	if n > 0 {
		d.later(kernel, func() error { return d.run(over(n, kernel, arguments...)) })
	}
}

// Scale implements optim.Vectors.
func (d *Device) Scale(alpha float64, x optim.Vector) {
	v := x.(vector)
	d.elementwise(v.n, "scale", v.at, alpha, v.n)
}

// AddScaled implements optim.Vectors.
func (d *Device) AddScaled(y optim.Vector, alpha float64, x optim.Vector) {
	to, v := y.(vector), x.(vector)
	d.elementwise(v.n, "axpy", to.at, alpha, v.at, v.n)
}

// Dot implements optim.Vectors.
func (d *Device) Dot(x, y optim.Vector) (dot float64, err error) {
	a, b := x.(vector), y.(vector)
	if a.n != b.n {
		return 0, fmt.Errorf("cuda: dot product of %d and %d elements, want as many of each", a.n, b.n)
	}
	if a.n == 0 {
		return 0, nil
	}
	err = d.do("dot product", func() error {
		partials, sum := d.scratch.at+8, d.scratch.at
		blocks := min((a.n+vectorThreads-1)/vectorThreads, dotBlocks)
		share := launch{
			kernel: "dot_partials", grid: dim{x: blocks}, block: dim{x: vectorThreads},
			arguments: []any{partials, a.at, b.at, a.n},
		}
		join := launch{kernel: "sum_partials", block: dim{x: vectorThreads}, arguments: []any{sum, partials, blocks, 1.}}
		for _, l := range []launch{share, join} {
			if err := d.run(l); err != nil {
				return err
			}
		}
		if err := d.download(d.pinned.Pointer(), sum, 8); err != nil {
			return err
		}
		dot = d.pinned.Float64s(0, 1)[0]
		return nil
	})
	return dot, err
}

// Clamp implements optim.Vectors.
func (d *Device) Clamp(x optim.Vector, low, high float64) {
	v := x.(vector)
	d.elementwise(v.n, "clamp", v.at, low, high, v.n)
}

// Average implements optim.Vectors.
func (d *Device) Average(mean optim.Vector, decay float64, x optim.Vector) {
	m, v := mean.(vector), x.(vector)
	d.elementwise(v.n, "average", m.at, decay, v.at, v.n)
}

// AdamStep implements optim.Vectors.
func (d *Device) AdamStep(s optim.AdamStep) {
	point, gradient, mean, square := s.Point.(vector), s.Gradient.(vector), s.Mean.(vector), s.Square.(vector)
	step := s.StepSize / (1 - math.Pow(s.Beta1, float64(s.Iteration)))
	correction := 1 / (1 - math.Pow(s.Beta2, float64(s.Iteration)))
	d.elementwise(point.n, "adam", point.at, gradient.at, mean.at, square.at,
		step, correction, s.Beta1, s.Beta2, s.Epsilon, point.n)
}
