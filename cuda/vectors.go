//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
	"math"
	"slices"
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
func (d *Device) Dot(x, y optim.Vector) (float64, error) {
	dots, err := d.Dots([2]optim.Vector{x, y})
	if err != nil {
		return 0, err
	}
	return dots[0], nil
}

// mostDots is how many products one wait is for at most.
const mostDots = 4

// Dots implements optim.Vectors.
func (d *Device) Dots(pairs ...[2]optim.Vector) ([]float64, error) {
	dots := make([]float64, 0, len(pairs))
	for _, pair := range pairs {
		if x, y := pair[0].Len(), pair[1].Len(); x != y {
			return nil, fmt.Errorf("cuda: dot product of %d and %d elements, want as many of each", x, y)
		}
	}
	for some := range slices.Chunk(pairs, mostDots) {
		if err := d.do("dot product", func() (err error) {
			dots, err = d.dots(dots, some)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return dots, nil
}

// vectorBlocks is into how many parts sums over n elements are split.
func vectorBlocks(n int) int { return min((n+vectorThreads-1)/vectorThreads, dotBlocks) }

// dots appends the products of some pairs.
func (d *Device) dots(dots []float64, pairs [][2]optim.Vector) ([]float64, error) {
	for i, pair := range pairs {
		x, y := pair[0].(vector), pair[1].(vector)
		partials, sum, blocks := d.scratch.at+dotsAt+cu.DevicePtr(8*i*dotBlocks), d.scratch.at+cu.DevicePtr(8*i), vectorBlocks(x.n)
		launches := []launch{
			{
				kernel: "dot_partials", grid: dim{x: blocks}, block: dim{x: vectorThreads},
				arguments: []any{partials, x.at, y.at, x.n},
			},
			{kernel: "sum_partials", block: dim{x: vectorThreads}, arguments: []any{sum, partials, blocks, 1.}},
		}
		if x.n == 0 {
			launches = []launch{over(2, "fill", sum, 0., 2)}
		}
		for _, l := range launches {
			if err := d.run(l); err != nil {
				return nil, err
			}
		}
	}
	if err := d.download(d.pinned.Pointer(), d.scratch.at, 8*len(pairs)); err != nil {
		return nil, err
	}
	return append(dots, d.pinned.Float64s(0, len(pairs))...), nil
}

// mostPairs is the longest history that TwoLoop has room for.
const mostPairs = 64

// The scratch memory has results of products, their partial sums, and coefficients of the
// two-loop recursion.
const (
	dotsAt       = 8 * mostDots
	alphasAt     = dotsAt + 8*mostDots*dotBlocks
	scratchBytes = alphasAt + 8*mostPairs
)

// TwoLoop implements optim.Vectors: one launch for each product, which makes its
// coefficient of the product before, so that the host has nothing to wait for.
func (d *Device) TwoLoop(q optim.Vector, history []optim.Curvature) error {
	if len(history) > mostPairs {
		return optim.TwoLoop(d, q, history)
	}
	to := q.(vector)
	if to.n == 0 {
		return nil
	}
	blocks, alphas := vectorBlocks(to.n), d.scratch.at+alphasAt
	partials := [2]cu.DevicePtr{d.scratch.at + dotsAt, d.scratch.at + dotsAt + 8*dotBlocks}
	at := func(v optim.Vector) cu.DevicePtr { return v.(vector).at }
	var launches []launch
	step := func(add, with cu.DevicePtr, pair, second int, product, factor float64) {
		parity := len(launches) % 2
		launches = append(launches, launch{
			kernel: "two_loop", grid: dim{x: blocks}, block: dim{x: vectorThreads},
			arguments: []any{to.at, add, with, partials[parity], partials[1-parity], blocks, alphas, pair, second, product, factor, to.n},
		})
	}
	last := len(history) - 1
	if last < 0 {
		step(none, none, 0, 0, 1, -1)
	} else {
		step(none, at(history[last].Step), 0, 0, 1, 1)
	}
	for i, p := range slices.Backward(history) {
		with, factor := at(history[0].Change), history[last].Product/history[last].Square
		if i > 0 {
			with, factor = at(history[i-1].Step), 1
		}
		step(at(p.Change), with, i, 0, p.Product, factor)
	}
	for i, p := range history {
		with, factor := none, -1.
		if i < last {
			with, factor = at(history[i+1].Change), 1
		}
		step(at(p.Step), with, i, 1, p.Product, factor)
	}
	return d.do("direction of the descent", func() error {
		for _, l := range launches {
			if err := d.run(l); err != nil {
				return err
			}
		}
		return nil
	})
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
