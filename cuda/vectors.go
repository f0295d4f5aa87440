//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/cu"

	"impasto/cuda/kernels"
	"impasto/internal/optim"
)

// vector is float32 on the device.
type vector struct {
	memory
	n int
}

// Len is the number of elements.
func (v vector) Len() int { return v.n }

// values is where the elements of a vector lie.
func values(v optim.Vector) pointer[float32] { return pointer[float32](v.(vector).at) }

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
		return d.run(kernels.Fill(over(n), values(v), 0, n))
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
	return d.do("upload", func() error { return upload(d, values(v), src) })
}

// Download implements optim.Vectors.
func (d *Device) Download(dst []float32, src optim.Vector) error {
	v := src.(vector)
	if v.n != len(dst) {
		return fmt.Errorf("cuda: download of a vector of %d to %d values", v.n, len(dst))
	}
	return d.look("download", func() error { return download(d, dst, values(v)) })
}

// Copy implements optim.Vectors.
func (d *Device) Copy(dst, src optim.Vector) {
	to, from := dst.(vector), src.(vector)
	if to.n == 0 {
		return
	}
	d.later("copy", func() error { return cu.MemcpyDtoDAsync(to.at, from.at, int64(4*to.n), d.stream) })
}

// elementwise issues the launch of a kernel over n elements.
func (d *Device) elementwise(n int, l launch) {
	if n > 0 {
		d.later(l.Kernel, func() error { return d.run(l) })
	}
}

// Scale implements optim.Vectors.
func (d *Device) Scale(alpha float64, x optim.Vector) {
	n := x.Len()
	d.elementwise(n, kernels.Scale(over(n), values(x), alpha, n))
}

// AddScaled implements optim.Vectors.
func (d *Device) AddScaled(y optim.Vector, alpha float64, x optim.Vector) {
	n := x.Len()
	d.elementwise(n, kernels.Axpy(over(n), values(y), alpha, values(x), n))
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

// vectorPair is what a product is of.
type vectorPair = [2]optim.Vector

// Dots implements optim.Vectors. Products that were made along with a run are known.
func (d *Device) Dots(pairs ...[2]optim.Vector) (dots []float64, err error) {
	for _, pair := range pairs {
		if x, y := pair[0].Len(), pair[1].Len(); x != y {
			return nil, fmt.Errorf("cuda: dot product of %d and %d elements, want as many of each", x, y)
		}
	}
	for some := range slices.Chunk(pairs, mostDots) {
		if err := d.look("dot product", func() error {
			if d.allKnown(some) {
				for _, pair := range some {
					dots = append(dots, d.known[pair])
				}
				return nil
			}
			if err := d.issueDots(some); err != nil {
				return err
			}
			err := d.stream.Synchronize()
			dots = append(dots, d.issuedDots(some)...)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return dots, nil
}

func (d *Device) allKnown(pairs []vectorPair) bool {
	for _, pair := range pairs {
		if _, known := d.known[pair]; !known {
			return false
		}
	}
	return true
}

// vectorBlocks is into how many parts sums over n elements are split.
func vectorBlocks(n int) int { return min(blocks(n, vectorThreads), dotBlocks) }

// issueDots puts the products of some pairs on the stream, with their copy to the host, from
// where issuedDots has them once they are there.
func (d *Device) issueDots(pairs []vectorPair) error {
	sums := pointer[float64](d.workspace.at)
	for i, pair := range pairs {
		n := pair[0].Len()
		partials, sum, parts := sums.Plus(partialsAt+i*dotBlocks), sums.Plus(i), vectorBlocks(n)
		launches := []launch{
			kernels.DotPartials(grid(parts, 1, 1), partials, values(pair[0]), values(pair[1]), n),
			addParts(sum, partials, 1, parts, 1),
		}
		if n == 0 {
			launches = []launch{kernels.Fill(over(2), pointer[float32](sum), 0, 2)}
		}
		if err := d.run(launches...); err != nil {
			return err
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	return cu.MemcpyDtoHAsync(d.pinned.Pointer(), cu.DevicePtr(sums), int64(8*len(pairs)), d.stream)
}

func (d *Device) issuedDots(pairs []vectorPair) []float64 { return d.pinned.Float64s(0, len(pairs)) }

// mostPairs is the longest history that TwoLoop has room for.
const mostPairs = 64

// The workspace has results of products and of the grids of a smoothing, their partial sums,
// and coefficients of the two-loop recursion. Places are in float64.
const (
	partialsAt     = mostDots + mostGrids
	alphasAt       = partialsAt + (mostDots+mostGrids)*dotBlocks
	workspaceBytes = 8 * (alphasAt + mostPairs)
)

// TwoLoop implements optim.Vectors: one launch for each product, which makes its
// coefficient of the product before, so that the host has nothing to wait for. A smoothing
// lies between both loops, and the product that the second begins with is taken after it.
func (d *Device) TwoLoop(q, room optim.Vector, history []optim.Curvature, s optim.Smoothing) error {
	if len(history) > mostPairs {
		return optim.TwoLoop(d, q, room, history, s)
	}
	n := q.Len()
	if n == 0 {
		return nil
	}
	sums, parts := pointer[float64](d.workspace.at), vectorBlocks(n)
	next, before, alphas := sums.Plus(partialsAt), sums.Plus(partialsAt+dotBlocks), sums.Plus(alphasAt)
	var launches []launch
	step := func(add, with pointer[float32], pair, second int, product, factor float64) {
		launches = append(launches, kernels.TwoLoop(grid(parts, 1, 1), values(q), add, with,
			next, before, parts, alphas, pair, second, product, factor, n))
		next, before = before, next
	}
	last := len(history) - 1
	if last < 0 {
		step(none, none, 0, 0, 1, -1)
	} else {
		step(none, values(history[last].Step), 0, 0, 1, 1)
	}
	for i, p := range slices.Backward(history) {
		with, factor := pointer[float32](none), history[last].Product/history[last].Square
		if i > 0 {
			with, factor = values(history[i-1].Step), 1
		} else if s.None() {
			with = values(p.Change)
		}
		step(values(p.Change), with, i, 0, p.Product, factor)
	}
	if !s.None() {
		launches = append(launches, smoothing(q, room, s)...)
		if last >= 0 {
			launches = append(launches, kernels.DotPartials(grid(parts, 1, 1), before, values(q), values(history[0].Change), n))
		}
	}
	for i, p := range history {
		with, factor := pointer[float32](none), -1.
		if i < last {
			with, factor = values(history[i+1].Change), 1
		}
		step(values(p.Step), with, i, 1, p.Product, factor)
	}
	return d.do("direction of the descent", func() error { return d.run(launches...) })
}

// Clamp implements optim.Vectors.
func (d *Device) Clamp(x optim.Vector, low, high float64) {
	n := x.Len()
	d.elementwise(n, kernels.Clamp(over(n), values(x), low, high, n))
}

// Average implements optim.Vectors.
func (d *Device) Average(mean optim.Vector, decay float64, x optim.Vector) {
	n := x.Len()
	d.elementwise(n, kernels.Average(over(n), values(mean), decay, values(x), n))
}

// Compact implements optim.Vectors: all vectors are float32.
func (d *Device) Compact() optim.CompactVectors { return nil }

// AdamStep implements optim.Vectors. A step that was made along with a run is left out.
func (d *Device) AdamStep(s optim.AdamStep) {
	if d.hasMade(s) {
		return
	}
	d.elementwise(s.Point.Len(), adamStep(s, none, 0, none))
}

// adamStep is the launch of a step, unless one of so many numbers, or another, isn't finite.
func adamStep(s optim.AdamStep, checked pointer[float64], count int, other pointer[float64]) launch {
	n := s.Point.Len()
	step := s.StepSize / (1 - math.Pow(s.Beta1, float64(s.Iteration)))
	correction := 1 / (1 - math.Pow(s.Beta2, float64(s.Iteration)))
	low, high := math.Inf(-1), math.Inf(1)
	if s.Bounds != (optim.Bounds{}) {
		low, high = s.Bounds.Low, s.Bounds.High
	}
	return kernels.Adam(over(n), values(s.Point), values(s.Gradient), values(s.Mean), values(s.Square),
		step, correction, s.Beta1, s.Beta2, s.Epsilon, low, high, checked, count, other, n)
}
