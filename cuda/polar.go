//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"slices"

	"impasto/cuda/kernels"
	"impasto/internal/pure"
)

const (
	// polarSteps is how many steps the iteration of polar.cu has room for, which is enough
	// for bounds that are 10⁷ apart; those that turn out not to be needed return at once.
	polarSteps = 12
	// leastPolar is the fewest channels for which the map is found by float32. The work
	// grows with the cube of the channels: below, float64 takes no time anywhere.
	leastPolar = 256
)

// polarFrom is how many channels a distribution has at least whose map a GPU of some compute
// capability is to look for by float32. Those of data centres multiply in float64 at half of
// float32's speed, and others at a 32nd or a 64th of it.
func polarFrom(capability string) int {
	fast := slices.Contains([]string{"8.0", "9.0", "10.0"}, capability)
	if fast && !forced("slow-doubles") {
		return 0
	}
	return leastPolar
}

// polar tells whether the map between distributions of so many channels is first looked for
// by float32.
func (d *Device) polar(channels int) bool {
	return d.polarFrom > 0 && channels >= d.polarFrom && channels%64 == 0
}

// polarTarget is what the iteration of polar.cu needs of a target.
type polarTarget struct {
	order           pointer[uint32]
	factor, inverse pointer[float32] // Lₜᵀ and Lₜ⁻¹
	promising       bool             // that the iteration comes to the accuracy
}

// newPolarTarget reserves the memory of one.
func (b *binder) newPolarTarget(n int) *polarTarget {
	return &polarTarget{order: reserve[uint32](b, n), factor: reserve[float32](b, n*n), inverse: reserve[float32](b, n*n)}
}

// mostAtRidge is the share of a target's directions that may have little more than the ridge
// where float32 is tried. Features of fewer positions than channels have more: a third is
// left at relu5_1 of 256×256 pixels, where the residual is missed.
const mostAtRidge = 0.25

// write takes in a target's covariance, with its ridge.
func (p *polarTarget) write(d *Device, covariance []float64, ridge float64, n int) error {
	order, upper, inverse, ok := pure.PivotTransport(covariance, n)
	if p.promising = ok; !ok {
		return nil
	}
	atRidge := 0
	for i := range n {
		if v := upper[i*n+i]; v*v < 2*ridge {
			atRidge++
		}
	}
	if p.promising = float64(atRidge) <= mostAtRidge*float64(n); !p.promising {
		return nil
	}
	if err := upload(d, p.order, narrowed[uint32](order)); err != nil {
		return err
	}
	if err := upload(d, p.factor, narrowed[float32](upper)); err != nil {
		return err
	}
	return upload(d, p.inverse, narrowed[float32](inverse))
}

// narrowed are numbers as another type.
func narrowed[To uint32 | float32, From int | float64](from []From) []To {
	to := make([]To, len(from))
	for i, v := range from {
		to[i] = To(v)
	}
	return to
}

// polar binds the covariance and the iteration of polar.cu.
func (b *binder) polar(g *gaussianTarget, m transportMap) {
	n := g.loss.Channels
	ordered, steps := workspace[float64](b, n*n), workspace[float64](b, 3+2*polarSteps)
	pivots, partials := workspace[float64](b, pivotSize), workspace[float64](b, sumBlocks)
	matrix := func() pointer[float32] { return workspace[float32](b, n*n) }
	factor, inverse, even, odd, gram := matrix(), matrix(), matrix(), matrix(), matrix()
	spares := [2]pointer[float64]{workspace[float64](b, n*n), workspace[float64](b, n*n)}
	shape, parts := overParts(n * n)
	b.add(
		kernels.GaussianCovariance(over(n*n), m.sigma, ordered, m.ridge, g.summary, g.numbers, g.polar.order, n),
		kernels.DotPartialsF64(shape, partials, g.covariance, m.sigma, n*n),
		kernels.PolarBegin(oneBlock, steps, pivots, partials, parts, m.ridge, ordered, n))
	edge, from := n/64, ordered
	for step := range n / 32 {
		to := spares[step%2]
		b.add(kernels.FactorStep(grid(edge*edge+1, 1, 1), factor, inverse, to, from, pivots, n, step))
		from = to
	}
	square, triangle := grid(edge, edge, 1), grid(edge*(edge+1)/2, 1, 1)
	b.add(kernels.PolarFirst(square, even, odd, g.polar.factor, g.polar.inverse, factor, inverse, steps, n))
	for step := range polarSteps {
		b.add(
			kernels.PolarGram(triangle, gram, even, odd, steps, n, step),
			kernels.PolarStep(square, even, odd, gram, steps, n, step))
	}
	b.add(
		kernels.PolarProduct(square, odd, even, inverse, flag(false), n),
		kernels.PolarRoot(triangle, gram, odd, g.polar.factor, g.polar.inverse, n),
		kernels.PolarProduct(square, odd, gram, g.polar.factor, flag(true), n),
		kernels.PolarMap(triangle, m.t, g.polar.factor, odd, g.polar.order, n))
}
