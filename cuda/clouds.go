//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// cloud is the points of a map that a loss looks at, as the kernels of pairwise.cu
// read them: rows of depth float32, with their squared lengths.
type cloud struct {
	points    pointer[float32]
	squares   pointer[float64]
	n         int
	from      *plan.Buffer
	positions pointer[int32] // of the points in the map, none for all
}

// clouds is the evaluation of a loss between clouds being bound.
type clouds struct {
	*binder
	pairs           kernels.Precision // of what goes through all pairs
	channels, depth int
	x, y            cloud
	spread          pointer[float64] // of y: the mean |y|² and the mean |y − mean|²
	gradient        pointer[float32]
	value           pointer[float64]
}

// clouds binds pure.CompareClouds by the kernels of clouds.cu and pairwise.cu. Its
// result is the gradient, channels last.
func (b *binder) clouds(op *ops.Clouds, t task) {
	x, y, sample := t.inputs[0], t.inputs[1], op.Comparison.Sample
	if !b.isChannelsLast(x) {
		return
	}
	channels := op.Comparison.Channels
	c := &clouds{
		binder: b, pairs: kernels.TF32, channels: channels, depth: blocks(channels, 16) * 16,
		spread: workspace[float64](b, 2), gradient: b.floats(t.result),
	}
	_, isSinkhorn := op.Comparison.Loss.(pure.Sinkhorn)
	kept := isSinkhorn && (sampled(x, sample) || sampled(y, sample)) // for the next sample to go on from
	c.x, c.y = c.cloud(x, sample, kept), c.cloud(y, sample, kept)
	if c.x.positions != none || c.y.positions != none {
		c.sample(sample, b.draw(t))
	}
	var from *potentials
	if isSinkhorn {
		from = c.potentials(t)
	}
	c.value = b.lossOf(t.result)
	_, relaxed := op.Comparison.Loss.(pure.Relaxed)
	if b.device.precision == kernels.F32 || relaxed { // whose nearest point may be near another
		c.pairs = kernels.F32
	}
	b.only(nil)
	b.add(kernels.Fill(over(x.Len()), c.gradient, 0, x.Len()))
	switch loss := op.Comparison.Loss.(type) {
	case pure.Sinkhorn:
		c.sinkhorn(loss, from)
	case pure.Relaxed:
		c.fill(loss.Euclidean, !loss.Euclidean)
		c.relaxed(loss)
	case pure.MMD:
		c.fill(true, false)
		c.mmd(loss)
	default:
		b.fail(errNoKernel)
	}
}

// sampled tells whether not all positions of a map are looked at.
func sampled(x *plan.Buffer, sample pure.Sample) bool {
	_, positions := geometry(x)
	return sample.Of(positions) < positions
}

// cloud is that of a map, its points in memory that is kept from one run to the next, or
// in the workspace.
func (c *clouds) cloud(from *plan.Buffer, sample pure.Sample, kept bool) cloud {
	_, positions := geometry(from)
	n := sample.Of(positions)
	made := cloud{from: from, n: n}
	if kept {
		made.points, made.squares = reserve[float32](c.binder, n*c.depth), reserve[float64](c.binder, n)
	} else {
		made.points, made.squares = workspace[float32](c.binder, n*c.depth), workspace[float64](c.binder, n)
	}
	if n < positions {
		made.positions = reserve[int32](c.binder, n)
	}
	return made
}

// sample keeps the clouds' positions as a draw samples them.
func (c *clouds) sample(sample pure.Sample, draw draw) {
	device, both := c.device, []cloud{c.x, c.y}
	c.keep(&drawn{draw: draw, redraw: func(draw float64) error {
		for _, of := range both {
			_, n := geometry(of.from)
			if err := upload(device, of.positions, sample.Positions(n, draw)); err != nil {
				return err
			}
		}
		return nil
	}})
}

// zeros returns n float64 that are zero whenever the evaluation gets here.
func (c *clouds) zeros(n int) pointer[float64] {
	at := workspace[float64](c.binder, n)
	c.clear(at, n)
	return at
}

// clear makes n float64 zero.
func (c *clouds) clear(at pointer[float64], n int) {
	c.add(kernels.Fill(over(2*n), pointer[float32](at), 0, 2*n))
}

// fill makes the clouds' points, less the mean of y's map where centred, of length
// one where unit, and y's spread.
func (c *clouds) fill(centred, unit bool) {
	maps, centre := c.device.maps(), pointer[float64](none)
	if centred {
		channels, positions := geometry(c.y.from)
		centre = workspaceMeans(c.binder, maps, c.elements(c.y.from), channels, positions)
	}
	for _, of := range []cloud{c.x, c.y} {
		c.add(maps.CloudFill(overWarps(of.n), of.points, of.squares, c.elements(of.from), of.positions, centre,
			flag(unit), flag(c.pairs == kernels.TF32), c.channels, c.depth, of.n))
	}
	square := workspace[float64](c.binder, 1)
	c.add(addParts(square, c.y.squares, 1, c.y.n, 1/float64(c.y.n)))
	means := workspaceMeans(c.binder, kernels.Float32, elements(c.y.points), c.depth, c.y.n)
	c.add(kernels.CloudSpread(oneBlock, c.spread, means, square, centre, c.channels))
}

// workspaceMeans returns where the means of channels will lie.
func workspaceMeans(b *binder, of kernels.Element, x elements, channels, positions int) pointer[float64] {
	means := workspace[float64](b, channels)
	b.channelMeans(means, of, x, channels, positions)
	return means
}

// pairParts is into how many parts the columns are split where there are too few
// rows to fill a device.
func pairParts(n, m int) int {
	return min(max(256/blocks(n, 128), 1), blocks(m, 128), 16)
}

// pairShape is the shape of kernels that go through all pairs of n rows and m columns.
func (c *clouds) pairShape(n, m int) kernels.Shape {
	shape := grid(blocks(n, 128), pairParts(n, m), 1)
	shape.Shared = 64 << 10
	if c.depth <= 128 {
		shape.Shared = 32<<10 + 8<<10*c.depth/16
	}
	return shape
}

// pullShape is the shape of kernels that sum up columns by their weights for x's points.
func (c *clouds) pullShape() kernels.Shape {
	shape := grid(blocks(c.x.n, 128), blocks(c.depth, 64), 1)
	shape.Shared = 66560
	return shape
}

// halfBias returns where half of the potential, none for zero, less the squared
// length of a cloud's points will lie.
func (c *clouds) halfBias(potential pointer[float64], of cloud) pointer[float32] {
	bias := workspace[float32](c.binder, of.n)
	c.add(kernels.HalfBias(over(of.n), bias, potential, of.squares, of.n))
	return bias
}
