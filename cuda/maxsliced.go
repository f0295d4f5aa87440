//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"fmt"

	"impasto/cuda/kernels"
	"impasto/internal/plan"
)

const (
	// mostTurned is how many directions turn_directions takes.
	mostTurned = 64
	// turningParts is into how many parts sums over positions are split at most.
	turningParts = 32
)

// turn binds the ascent of max-sliced Wasserstein distances, pure.Sliced's, from the
// directions that were drawn to those along. Where the loss holds them, it is made in
// the first run after a key, and again while what comes of it isn't finite.
func (l *mapLoss) turn(d *directions, along pointer[float32]) {
	b, loss := l.binder, d.loss
	if loss.Directions > mostTurned {
		b.fail(fmt.Errorf("turning %d directions has no kernel on the GPU, which takes %d at most; use the device cpu", loss.Directions, mostTurned))
		return
	}
	if loss.Held {
		d.value = l.value
		b.only(d.isTurning)
	}
	r := &b.workspaces[b.branch()]
	defer func(used int) { r.used = used }(r.used) // for what comes after
	count, one := loss.Directions*loss.Channels, b.inTable(1)
	turned := workspace[float64](b, count)
	b.add(
		kernels.ScaleBy(over(count), along, d.single, one, count),
		kernels.ScaleByF64(over(count), turned, d.exact, one, count))
	b.repeat(loss.Ascent, func() { b.turnOnce(l.x, l.y, along, turned, loss.Directions) })
	b.only(nil)
}

func (d *directions) isTurning() bool { return d.turning }

// ended lets directions stay where they came to an end.
func (d *directions) ended() (again bool, err error) {
	if d.loss.Held {
		d.turning = !finite(d.value.value())
	}
	return false, nil
}

// turnOnce binds one step of the ascent of k directions.
func (b *binder) turnOnce(x, y *plan.Buffer, along pointer[float32], turned pointer[float64], k int) {
	channels, n := geometry(x)
	_, targets := geometry(y)
	p, q, one := workspace[float32](b, k*n), workspace[float32](b, k*targets), b.inTable(1)
	b.project(p, x, along, k)
	b.project(q, y, along, k)
	xItems := b.sortPlaces(p, k, n)
	yItems := b.sortPlaces(q, k, targets)
	xKeys, yKeys := workspace[uint32](b, k*n), workspace[uint32](b, k*targets)
	sums := workspace[float64](b, k*max(n, targets))
	shares := lineShares(max(n, targets))
	lines, unused := grid(shares, k, 1), workspace[float64](b, k*shares)
	b.add(kernels.PlaceKeys(lines, xKeys, xItems, n), kernels.PlaceKeys(lines, yKeys, yItems, targets))
	match := func(slopes pointer[float32], items pointer[kernels.Place], keys pointer[uint32], n, targets int) {
		b.add(
			kernels.TargetSums(grid(k, 1, 1), sums, keys, targets),
			kernels.MatchLines(lines, slopes, unused, items, keys, sums, one, n, targets))
	}
	match(p, xItems, yKeys, n, targets)
	match(q, yItems, xKeys, targets, n)

	ofX, ofY := min(partsOf(n), turningParts), min(partsOf(targets), turningParts)
	partials, slopes := workspace[float64](b, (ofX+ofY)*k*channels), workspace[float64](b, k*channels)
	products := func(partials pointer[float64], lines pointer[float32], of *plan.Buffer, parts, positions int) {
		b.add(b.device.maps().LineProducts(grid(blocks(k, 64), blocks(channels, 64), parts), partials, lines, b.elements(of), k, channels, positions))
	}
	products(partials, p, x, ofX, n)
	products(partials.Plus(ofX*k*channels), q, y, ofY, targets)
	b.add(
		kernels.SumRows(overRows(k*channels), slopes, partials, 1, ofX+ofY, k*channels),
		kernels.TurnDirections(oneBlock, turned, along, slopes, k, channels))
}
