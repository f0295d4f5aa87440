//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"slices"

	"impasto/cuda/kernels"
	"impasto/internal/optim"
)

// mostGrids is of how many grids a smoothing has at most: each halves the sides.
const mostGrids = 32

// coarsening is one step of a smoothing, from a grid to the next coarser one.
type coarsening struct {
	planes         int
	finer          optim.Smoothing // whose sides are those of the finer grid
	fine, coarse   pointer[float32]
	nFine, nCoarse int // elements of all planes
}

// coarsenings are the steps of a smoothing of x, from the finest on. Coarser grids lie in
// the room one after the other.
func coarsenings(x, room optim.Vector, s optim.Smoothing) (steps []coarsening) {
	if s.None() {
		return nil
	}
	c := coarsening{planes: s.Planes(x.Len()), fine: values(x), coarse: values(room), nFine: x.Len()}
	for ; !s.None(); s = s.Coarser() {
		c.finer = s
		c.nCoarse = c.planes * s.Coarser().Width * s.Coarser().Height
		steps = append(steps, c)
		c.fine, c.coarse, c.nFine = c.coarse, c.coarse.Plus(c.nCoarse), c.nCoarse
	}
	return steps
}

// smoothing is the launches that compute x = M·x, none where M is 1.
func smoothing(x, room optim.Vector, s optim.Smoothing) (launches []launch) {
	steps := coarsenings(x, room, s)
	for _, c := range steps {
		launches = append(launches, kernels.Restrict(over(c.nCoarse), c.coarse, none, c.fine, c.planes, c.finer.Height, c.finer.Width))
	}
	for _, c := range slices.Backward(steps) {
		launches = append(launches, kernels.Prolong(over(c.nFine), c.fine, c.coarse, s.Gain, c.planes, c.finer.Height, c.finer.Width))
	}
	return launches
}

// Smooth implements optim.Vectors.
func (d *Device) Smooth(x, room optim.Vector, s optim.Smoothing) error {
	return d.do("smooth", func() error { return d.run(smoothing(x, room, s)...) })
}

// SmoothedSquare implements optim.Vectors.
func (d *Device) SmoothedSquare(x, room optim.Vector, s optim.Smoothing) (square float64, err error) {
	if s.None() || x.Len() == 0 {
		return d.Dot(x, x)
	}
	sums := pointer[float64](d.workspace.at)
	launches, grids := smoothedSquares(sums, x, room, s)
	err = d.do("square of a smoothed vector", func() error {
		if err := d.run(launches...); err != nil {
			return err
		}
		squares := d.pinned.Float64s(0, grids)
		err := download(d, squares, sums)
		square = weighed(squares, s)
		return err
	})
	return square, err
}

// smoothedSquares is the launches that leave the squares of what each grid sees of x, and how
// many there are.
func smoothedSquares(squares pointer[float64], x, room optim.Vector, s optim.Smoothing) (launches []launch, grids int) {
	n, steps := x.Len(), coarsenings(x, room, s)
	parts := vectorBlocks(n)
	grids = 1 + len(steps)
	partials := squares.Plus(partialsAt)
	launches = append(launches, kernels.DotPartials(grid(parts, 1, 1), partials, values(x), values(x), n))
	for i, c := range steps {
		launches = append(launches, kernels.Restrict(grid(parts, 1, 1), c.coarse, partials.Plus((1+i)*parts), c.fine, c.planes, c.finer.Height, c.finer.Width))
	}
	return append(launches, addParts(squares, partials, grids, parts, 1)), grids
}

// weighed is xᵀMx: the sum of the squares of what each grid sees of x, times the gain for
// each step to it.
func weighed(squares []float64, s optim.Smoothing) (square float64) {
	weight := 1.
	for _, v := range squares {
		square += weight * v
		weight *= s.Gain
	}
	return square
}

// Measure implements optim.Measurer.
func (d *Device) Measure(step, change, room optim.Vector, s optim.Smoothing) (ss, sy, yy, smoothed float64, err error) {
	pairs := []vectorPair{{step, step}, {step, change}, {change, change}}
	if s.None() || change.Len() == 0 {
		dots, err := d.Dots(pairs...)
		if err != nil {
			return 0, 0, 0, 0, err
		}
		return dots[0], dots[1], dots[2], dots[2], nil
	}
	sums := pointer[float64](d.workspace.at)
	launches, grids := smoothedSquares(sums.Plus(mostDots), change, room, s)
	err = d.do("measures of a step", func() error {
		if err := d.issueDots(pairs); err != nil {
			return err
		}
		if err := d.run(launches...); err != nil {
			return err
		}
		squares := d.pinned.Float64s(8*mostDots, grids)
		err := download(d, squares, sums.Plus(mostDots))
		dots := d.issuedDots(pairs)
		ss, sy, yy, smoothed = dots[0], dots[1], dots[2], weighed(squares, s)
		return err
	})
	return ss, sy, yy, smoothed, err
}
