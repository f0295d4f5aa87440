//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// bindSliced binds pure.Sliced by the kernels of sliced.cu, whose head says what each is for.
func bindSliced(l *mapLoss, op *ops.Sliced) {
	b, loss, lines := l.binder, op.Loss, op.Loss.Lines()
	p, q := workspace[float32](b, lines*l.n), workspace[float32](b, lines*l.m)
	along := l.directions(loss)
	b.project(p, l.x, along, lines)
	b.project(q, l.y, along, lines)

	factor, sum := workspace[float64](b, 1), workspace[float64](b, 1)
	partials, sums := workspace[float64](b, sumBlocks), workspace[float64](b, lines*l.m)
	shape, parts := overParts(l.y.Len())
	b.add(
		b.device.maps().SquaresPartials(shape, partials, b.elements(l.y), l.y.Len()),
		addParts(sum, partials, 1, parts, 1),
		kernels.SlicedFactor(oneThread, factor, sum, flag(loss.Scaled), lines, l.y.Len()))
	items := b.sortPlaces(p, lines, l.n)
	matched := b.sortKeys(q, lines, l.m)

	// Each block of a line leaves its share of the distance.
	shares := lineShares(l.n)
	distances := workspace[float64](b, lines*shares)
	b.add(
		kernels.TargetSums(grid(lines, 1, 1), sums, matched, l.m),
		kernels.MatchLines(grid(shares, lines, 1), p, distances, items, matched, sums, factor, l.n, l.m),
		addParts(l.value.at(), distances, 1, lines*shares, 1))
	if along == none {
		b.add(kernels.Float32.ChannelsLast(relayShape(l.channels, l.n), elements(l.slopes), p, l.channels, l.n))
		return
	}
	b.add(kernels.SpreadLines(grid(blocks(l.n, 64), blocks(l.channels, 64), 1), l.slopes, p, along, lines, l.channels, l.n))
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

// directions returns where a loss's directions will lie, nowhere for the axes. They follow
// from the key; those that an ascent turns start from there.
func (l *mapLoss) directions(loss pure.Sliced) pointer[float32] {
	if loss.Directions == 0 {
		return none
	}
	b, count := l.binder, loss.Directions*loss.Channels
	d := &directions{device: b.device, loss: loss, single: reserve[float32](b, count)}
	d.keyed = keyed{key: b.key(keyIn(l.inputs[1:])), remake: d.make}
	b.keep(d)
	if loss.Ascent == 0 {
		return d.single
	}
	along := reserve[float32](b, count)
	d.exact = reserve[float64](b, count)
	l.turn(d, along)
	return along
}

// directions are those that a sliced loss has drawn.
type directions struct {
	keyed
	device *Device
	loss   pure.Sliced
	single pointer[float32]
	// What an ascent needs besides: the same as float64, and where the loss is that
	// tells whether it came to an end that can be held.
	exact   pointer[float64]
	value   slot
	turning bool // in the next run
}

// make makes the directions that follow from a key.
func (d *directions) make(key float64) error {
	exact := pure.Directions(d.loss.Directions, d.loss.Channels, key)
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
