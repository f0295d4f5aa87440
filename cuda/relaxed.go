//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/pure"
)

// bindRelaxed binds pure.Relaxed.
func bindRelaxed(c *clouds, loss pure.Relaxed) {
	c.pairs = kernels.F32 // the nearest point may be near another
	c.place(c.cloud)
	if loss.Euclidean {
		c.fill(c.meanOfY(), false)
	} else {
		c.fill(none, true)
	}
	maps, x, y := c.device.maps(), c.x, c.y
	nearestY, nearestX := c.nearest(x, y, loss.Euclidean), c.nearest(y, x, loss.Euclidean)
	sums, costs := workspace[float64](c.binder, 2), workspace[float64](c.binder, max(x.n, y.n))
	euclidean := flag(loss.Euclidean)
	for i, side := range []struct {
		from, to cloud
		nearest  pointer[int32]
	}{{x, y, nearestY}, {y, x, nearestX}} {
		n := side.from.n
		c.add(
			maps.RelaxedCosts(overWarps(n), costs, c.elements(side.from.from), c.elements(side.to.from),
				side.nearest, euclidean, c.channels, n),
			addParts(sums.Plus(i), costs, 1, n, 1/float64(n)))
	}
	items := workspace[kernels.Place](c.binder, y.n)
	c.add(kernels.IndexPlaces(over(y.n), items, nearestX, y.n))
	sorted := c.sortedPlaces(items, 1, y.n)
	factor, scale := loss.Factor, workspace[float64](c.binder, 1)
	if factor == 0 {
		factor = 1
	}
	c.add(
		kernels.RelaxedScale(oneThread, scale, c.spread, factor, flag(loss.Scaled && loss.Euclidean)),
		maps.RelaxedPull(overWarps(x.n), c.slopes, c.elements(x.from), c.elements(y.from), nearestY, sorted, sums, scale, euclidean, c.channels, x.n, y.n),
		kernels.RelaxedValue(oneThread, c.value.at(), sums, scale))
}

// nearest returns where the number of the nearest column of each row will lie.
func (c *clouds) nearest(rows, columns cloud, euclidean bool) pointer[int32] {
	bias := pointer[float32](none)
	if euclidean {
		bias = c.halfBias(none, columns)
	}
	parts := pairParts(rows.n, columns.n)
	values, indices := workspace[float32](c.binder, parts*rows.n), workspace[int32](c.binder, parts*rows.n)
	index := workspace[int32](c.binder, rows.n)
	c.add(
		c.pairs.Greatest(c.pairShape(rows.n, columns.n), values, indices, rows.points, columns.points, bias, rows.n, columns.n, c.depth),
		kernels.GreatestFinish(over(rows.n), index, values, indices, parts, rows.n))
	return index
}
