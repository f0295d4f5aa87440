//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// sliced binds pure.Sliced by the kernels of sliced.cu, whose head says what each is
// for. Its result is the gradient, channels last.
func (b *binder) sliced(op *ops.Sliced, t task) {
	loss, x, y := op.Loss, t.inputs[0], t.inputs[1]
	if !b.isChannelsLast(x) {
		return
	}
	channels, n := geometry(x)
	_, targets := geometry(y)
	lines := loss.Lines()
	p, q := workspace[float32](b, lines*n), workspace[float32](b, lines*targets)
	along := b.directions(loss, t)
	b.project(p, x, along, lines)
	b.project(q, y, along, lines)

	factor, sum := workspace[float64](b, 1), workspace[float64](b, 1)
	partials, sums := workspace[float64](b, sumBlocks), workspace[float64](b, lines*targets)
	shape, parts := overParts(y.Len())
	b.add(
		b.device.maps().SquaresPartials(shape, partials, b.elements(y), y.Len()),
		addParts(sum, partials, 1, parts, 1),
		kernels.SlicedFactor(oneThread, factor, sum, flag(loss.Scaled), lines, y.Len()))
	items := b.sortPlaces(p, lines, n)
	matched := b.sortKeys(q, lines, targets)

	// Each block of a line leaves its share of the distance.
	shares := lineShares(n)
	distances := workspace[float64](b, lines*shares)
	b.add(
		kernels.TargetSums(grid(lines, 1, 1), sums, matched, targets),
		kernels.MatchLines(grid(shares, lines, 1), p, distances, items, matched, sums, factor, n, targets),
		addParts(b.lossOf(t.result), distances, 1, lines*shares, 1))
	gradient := b.floats(t.result)
	if along == none {
		b.add(kernels.Float32.ChannelsLast(relayShape(channels, n), elements(gradient), p, channels, n))
		return
	}
	b.add(kernels.SpreadLines(grid(blocks(n, 64), blocks(channels, 64), 1), gradient, p, along, lines, channels, n))
}

// lineShares is how many blocks share a line of n values.
func lineShares(n int) int { return min(blocks(n, vectorThreads), 64) }

// project puts a map's points on lines: its channels, where there are no directions.
func (b *binder) project(lines pointer[float32], x *plan.Buffer, along pointer[float32], count int) {
	channels, positions := geometry(x)
	if along == none {
		b.add(b.device.maps().Planes(relayShape(channels, positions), lines, b.elements(x), channels, positions))
		return
	}
	b.add(b.device.maps().Lines(grid(blocks(positions, 64), blocks(count, 64), 1), lines, b.elements(x), along, count, channels, positions))
}

// directions returns where a loss's directions will lie, nowhere for the axes. They
// follow from the draw; those that an ascent turns start from there.
func (b *binder) directions(loss pure.Sliced, t task) pointer[float32] {
	if loss.Directions == 0 {
		return none
	}
	count := loss.Directions * loss.Channels
	d := &directions{device: b.device, loss: loss, single: reserve[float32](b, count)}
	d.drawn = drawn{draw: b.draw(t), redraw: d.make}
	b.keep(d)
	if loss.Ascent == 0 {
		return d.single
	}
	along := reserve[float32](b, count)
	d.exact = reserve[float64](b, count)
	b.turn(d, t, along)
	return along
}

// draw is the draw of an evaluation of maps, its third input if it has one.
func (b *binder) draw(t task) draw {
	if len(t.inputs) < 3 {
		return newDraw(nil)
	}
	b.isInput(t.inputs[2])
	return newDraw(t.inputs[2])
}

// directions are those that a sliced loss has drawn.
type directions struct {
	drawn
	device *Device
	loss   pure.Sliced
	single pointer[float32]
	// What an ascent needs besides: the same as float64, and where the loss is that
	// tells whether it came to an end that can be held.
	exact   pointer[float64]
	value   slot
	turning bool // in the next run
}

// make makes the directions that follow from a draw.
func (d *directions) make(draw float64) error {
	exact := pure.Directions(d.loss.Directions, d.loss.Channels, draw)
	single := make([]float32, len(exact))
	for i, v := range exact {
		single[i] = float32(v)
	}
	d.turning = true
	if d.loss.Ascent > 0 {
		if err := upload(d.device, d.exact, exact); err != nil {
			return err
		}
	}
	return upload(d.device, d.single, single)
}
