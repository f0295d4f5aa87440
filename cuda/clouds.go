//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// cloud is the points of a map, as the kernels of pairwise.cu read them: rows of depth
// float32, with their squared lengths.
type cloud struct {
	points  pointer[float32]
	squares pointer[float64]
	n       int
	from    *plan.Buffer
}

// clouds is the evaluation of a loss between clouds.
type clouds struct {
	*mapLoss
	pairs  kernels.Precision // of what goes through all pairs
	depth  int
	x, y   cloud
	spread pointer[float64] // of y: the mean |y|² and the mean |y − mean|²
	centre pointer[float64] // that the graph has for both, or none
	key    *plan.Buffer     // by which points were sampled, or nil
}

// cloudKernel is the kernel of a loss between two clouds.
func cloudKernel[L pure.CloudLoss](bind func(*clouds, L)) kernel {
	return mapLossKernel(func(l *mapLoss, op *ops.Clouds[L]) {
		c := &clouds{mapLoss: l, pairs: kernels.TF32, depth: blocks(l.channels, 16) * 16, spread: workspace[float64](l.binder, 2)}
		if c.device.precision == kernels.F32 {
			c.pairs = kernels.F32
		}
		if op.Centred {
			c.centre = c.doubles(c.inputs[2])
		}
		if op.Keyed {
			c.key = c.inputs[len(c.inputs)-1]
			c.isInput(c.key)
		}
		c.add(kernels.Fill(over(l.x.Len()), c.slopes, 0, l.x.Len()))
		bind(c, op.Loss)
	})
}

// cloud is that of a map, in the workspace.
func (c *clouds) cloud(from *plan.Buffer) cloud {
	_, n := geometry(from)
	return cloud{points: workspace[float32](c.binder, n*c.depth), squares: workspace[float64](c.binder, n), n: n, from: from}
}

// keptCloud is that of a map, in memory that is kept from one run to the next.
func (c *clouds) keptCloud(from *plan.Buffer) cloud {
	_, n := geometry(from)
	return cloud{points: reserve[float32](c.binder, n*c.depth), squares: reserve[float64](c.binder, n), n: n, from: from}
}

// place gives the points of both maps their memory.
func (c *clouds) place(take func(*plan.Buffer) cloud) {
	c.x, c.y = take(c.mapLoss.x), take(c.mapLoss.y)
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

// meanOfY returns where the mean of y's points will lie.
func (c *clouds) meanOfY() pointer[float64] {
	return workspaceMeans(c.binder, c.device.maps(), c.elements(c.y.from), c.channels, c.y.n)
}

// fill makes the clouds' points, less a centre unless that is none, of length one where
// unit, and y's spread.
func (c *clouds) fill(centre pointer[float64], unit bool) {
	for _, of := range []cloud{c.x, c.y} {
		c.add(c.device.maps().CloudFill(overWarps(of.n), of.points, of.squares, c.elements(of.from), centre,
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
