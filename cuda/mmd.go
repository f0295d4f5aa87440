//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/pure"
)

// mmdProbe is how many points the bandwidth is the median of.
const mmdProbe = 192

// bindMMD binds pure.MMD.
func bindMMD(c *clouds, loss pure.MMD) {
	c.place(c.cloud)
	c.fill(c.meanOfY(), false)
	x, y, numbers := c.x, c.y, c.mmdNumbers(loss)
	totals := workspace[float64](c.binder, 3)
	xBias, yBias := c.halfBias(none, x), c.halfBias(none, y)
	for i, pair := range []struct {
		rows, columns       cloud
		rowBias, columnBias pointer[float32]
	}{{x, x, xBias, xBias}, {x, y, xBias, yBias}, {y, y, yBias, yBias}} {
		n, m := pair.rows.n, pair.columns.n
		parts := pairParts(n, m)
		sums := workspace[float64](c.binder, parts*n)
		c.add(
			c.pairs.MixtureSums(c.pairShape(n, m), sums, pair.rows.points, pair.columns.points, pair.rowBias, pair.columnBias, numbers, n, m, c.depth),
			addParts(totals.Plus(i), sums, 1, parts*n, 1))
	}
	pulled, mass := workspace[float32](c.binder, x.n*c.depth), workspace[float32](c.binder, x.n)
	for i, side := range []struct {
		columns cloud
		bias    pointer[float32]
	}{{x, xBias}, {y, yBias}} {
		c.add(
			c.pairs.PullMixture(c.pullShape(), pulled, mass, x.points, side.columns.points, xBias, side.bias, numbers, x.n, side.columns.n, c.depth),
			kernels.MMDPull(overWarps(x.n), c.slopes, pulled, mass, x.points, numbers.Plus(2+i), x.n, c.channels, c.depth))
	}
	c.add(kernels.MMDValue(oneThread, c.value.at(), totals, numbers, x.n, y.n))
}

// mmdNumbers returns where the numbers of mmd_numbers will lie: the bandwidth, the median
// of distances between points of a probe, and what follows from it.
func (c *clouds) mmdNumbers(loss pure.MMD) pointer[float64] {
	x, y := c.x, c.y
	count := min(y.n, mmdProbe)
	pairs, sorted := count*(count-1)/2, pointer[uint32](none)
	if pairs > 0 {
		distances := workspace[float32](c.binder, pairs)
		c.add(c.device.maps().ProbeDistances(overWarps(pairs), distances, c.elements(y.from), c.channels, y.n, count))
		sorted = c.sortKeys(distances, 1, pairs)
	}
	numbers := workspace[float64](c.binder, 5)
	c.add(kernels.MMDNumbers(oneThread, numbers, sorted, c.spread, pairs, flag(loss.Scaled), x.n, y.n))
	return numbers
}
