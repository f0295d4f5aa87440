//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"unsafe"

	"gorgonia.org/cu"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// cloud is the points of a map that a loss looks at, as the kernels of pairwise.cu
// read them: rows of depth float32, with their squared lengths.
type cloud struct {
	points, squares cu.DevicePtr
	n               int
	from            *plan.Buffer
	positions       cu.DevicePtr // of the points in the map, none for all
}

// clouds is the evaluation of a loss between clouds being bound.
type clouds struct {
	machine         *machine
	kind            string // of the kernels that go through pairs
	channels, depth int
	x, y            cloud
	spread          cu.DevicePtr // of y: the mean |y|² and the mean |y − mean|²
	gradient, value cu.DevicePtr
	parts           []cloudPart
}

// cloudPart is launches that are made where wanted says so, or always where it is nil.
type cloudPart struct {
	wanted   *bool
	launches []launch
}

// clouds binds pure.CompareClouds by the kernels of clouds.cu and pairwise.cu. Its
// result is the gradient, channels last.
func (m *machine) clouds(op *ops.Clouds, t task) error {
	x, y, sample := t.inputs[0], t.inputs[1], op.Comparison.Sample
	if m.device.formatOf(x) != channelsLast {
		return errFewChannels
	}
	channels := op.Comparison.Channels
	c := &clouds{
		machine: m, kind: "tf32", channels: channels, depth: (channels + 15) / 16 * 16,
		spread: m.scratch(16), gradient: m.at(t.result), parts: []cloudPart{{}},
	}
	_, isSinkhorn := op.Comparison.Loss.(pure.Sinkhorn)
	room := m.scratch
	if isSinkhorn && (sampled(x, sample) || sampled(y, sample)) {
		room = m.reserve // for the next sample to go on from
	}
	c.x, c.y = m.cloud(x, sample, channels, room), m.cloud(y, sample, channels, room)
	var kept *potentials
	if isSinkhorn {
		kept = c.keep(t)
	}
	c.value = m.lossOf(t.result)
	_, relaxed := op.Comparison.Loss.(pure.Relaxed)
	if m.device.precision == "f32" || relaxed { // whose nearest point may be near another
		c.kind = "f32"
	}
	if err := m.drawn(t, func(draw float64) error {
		for _, of := range []cloud{c.x, c.y} {
			_, n := geometry(of.from)
			positions := sample.Positions(n, draw)
			if positions == nil {
				continue
			}
			if err := m.device.upload(of.positions, unsafe.Pointer(&positions[0]), 4*len(positions)); err != nil {
				return err
			}
			if kept != nil {
				kept.resample()
			}
		}
		return nil
	}); err != nil {
		return err
	}
	c.add(over(x.Len(), "fill", c.gradient, 0., x.Len()))
	switch loss := op.Comparison.Loss.(type) {
	case pure.Sinkhorn:
		c.sinkhorn(loss, kept)
	case pure.Relaxed:
		c.fill(loss.Euclidean, !loss.Euclidean)
		c.relaxed(loss)
	case pure.MMD:
		c.fill(true, false)
		c.mmd(loss)
	default:
		return errNoKernel
	}
	for _, p := range c.parts {
		m.only(p.wanted)
		if err := m.add(p.launches...); err != nil {
			return err
		}
	}
	return nil
}

// sampled tells whether not all positions of a map are looked at.
func sampled(x *plan.Buffer, sample pure.Sample) bool {
	_, positions := geometry(x)
	return sample.Of(positions) < positions
}

// cloud is that of a map, its points in memory from room.
func (m *machine) cloud(from *plan.Buffer, sample pure.Sample, channels int, room func(bytes int) cu.DevicePtr) cloud {
	_, positions := geometry(from)
	c := cloud{from: from, n: sample.Of(positions)}
	c.points, c.squares = room(4*c.n*((channels+15)/16*16)), room(8*c.n)
	if c.n < positions {
		c.positions = m.reserve(4 * c.n)
	}
	return c
}

// only begins a part of the evaluation.
func (c *clouds) only(wanted *bool) { c.parts = append(c.parts, cloudPart{wanted: wanted}) }

func (c *clouds) add(launches ...launch) {
	last := &c.parts[len(c.parts)-1]
	last.launches = append(last.launches, launches...)
}

// each adds a kernel that has a warp for each of n points.
func (c *clouds) each(n int, kernel string, arguments ...any) {
	c.add(launch{kernel: kernel, grid: dim{x: (n + 7) / 8}, block: dim{x: 256}, arguments: arguments})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// zeros returns n float64 that are zero whenever the evaluation gets here.
func (c *clouds) zeros(n int) cu.DevicePtr {
	at := c.machine.scratch(8 * n)
	c.add(over(2*n, "fill", at, 0., 2*n))
	return at
}

// fill makes the clouds' points, less the mean of y's map where centred, of length
// one where unit, and y's spread.
func (c *clouds) fill(centred, unit bool) {
	m, maps := c.machine, c.machine.device.maps()
	centre := none
	if centred {
		_, positions := geometry(c.y.from)
		centre = c.means(c.y.from.Shape[0], positions, m.at(c.y.from), maps)
	}
	for _, of := range []cloud{c.x, c.y} {
		c.each(of.n, "cloud_fill_"+maps, of.points, of.squares, m.at(of.from), of.positions, centre,
			flag(unit), flag(c.kind == "tf32"), c.channels, c.depth, of.n)
	}
	square := m.scratch(8)
	c.add(join(square, c.y.squares, 1, c.y.n, 1/float64(c.y.n)))
	means := c.means(c.depth, c.y.n, c.y.points, "f32")
	c.add(launch{kernel: "cloud_spread", block: dim{x: 256}, arguments: []any{c.spread, means, square, centre, c.channels}})
}

// means returns where the means of channels will lie.
func (c *clouds) means(channels, positions int, x cu.DevicePtr, maps string) cu.DevicePtr {
	parts := partsOf(positions)
	partials, means := c.machine.scratch(8*parts*channels), c.machine.scratch(8*channels)
	c.add(
		launch{
			kernel: "channel_sums_" + maps, grid: dim{x: (channels + 31) / 32, y: parts}, block: dim{x: 32, y: 8},
			arguments: []any{partials, x, channels, positions},
		},
		overRows(channels, "sum_rows", means, partials, 1/float64(positions), parts, channels))
	return means
}

// pairParts is into how many parts the columns are split where there are too few
// rows to fill a device.
func pairParts(n, m int) int {
	rows, columns := (n+127)/128, (m+127)/128
	return min(max(256/rows, 1), columns, 16)
}

// pairs is a launch of a kernel that goes through all pairs of rows and columns.
func (c *clouds) pairs(kernel string, n, m int, arguments ...any) launch {
	shared := 64 << 10
	if c.depth <= 128 {
		shared = 32<<10 + 8<<10*c.depth/16
	}
	return launch{
		kernel: kernel + c.kind, grid: dim{x: (n + 127) / 128, y: pairParts(n, m)}, block: dim{x: 256}, shared: shared,
		arguments: append(arguments, n, m, c.depth),
	}
}

// pull is a launch of a kernel that sums up columns by their weights for x's points.
func (c *clouds) pull(kernel string, pulled, mass cu.DevicePtr, columns cloud, bias, columnBias, scale cu.DevicePtr) launch {
	return launch{
		kernel: kernel + c.kind, grid: dim{x: (c.x.n + 127) / 128, y: (c.depth + 63) / 64}, block: dim{x: 256}, shared: 66560,
		arguments: []any{pulled, mass, c.x.points, columns.points, bias, columnBias, scale, c.x.n, columns.n, c.depth},
	}
}

// relaxed binds pure.Relaxed.
func (c *clouds) relaxed(loss pure.Relaxed) {
	m, maps, x, y := c.machine, c.machine.device.maps(), c.x, c.y
	nearestY, nearestX := c.nearest(x, y, loss.Euclidean), c.nearest(y, x, loss.Euclidean)
	sums, costs, euclidean := m.scratch(16), m.scratch(8*max(x.n, y.n)), flag(loss.Euclidean)
	for i, side := range []struct {
		from, to cloud
		nearest  cu.DevicePtr
	}{{x, y, nearestY}, {y, x, nearestX}} {
		c.each(side.from.n, "relaxed_costs_"+maps, costs, m.at(side.from.from), m.at(side.to.from),
			side.from.positions, side.to.positions, side.nearest, euclidean, c.channels, side.from.n)
		c.add(join(sums+cu.DevicePtr(8*i), costs, 1, side.from.n, 1/float64(side.from.n)))
	}
	items := m.scratch(8 * y.n)
	c.add(over(y.n, "index_places", items, nearestX, y.n))
	sorted, sorting := m.sortItems(items, 1, y.n, true)
	c.add(sorting...)
	factor, scale := loss.Factor, m.scratch(8)
	if factor == 0 {
		factor = 1
	}
	c.add(launch{kernel: "relaxed_scale", arguments: []any{scale, c.spread, factor, flag(loss.Scaled && loss.Euclidean)}})
	c.each(x.n, "relaxed_pull_"+maps, c.gradient, m.at(x.from), m.at(y.from), x.positions, y.positions,
		nearestY, sorted, sums, scale, euclidean, c.channels, x.n, y.n)
	c.add(launch{kernel: "relaxed_value", arguments: []any{c.value, sums, scale}})
}

// nearest returns where the number of the nearest column of each row will lie.
func (c *clouds) nearest(rows, columns cloud, euclidean bool) cu.DevicePtr {
	m, bias := c.machine, none
	if euclidean {
		bias = c.halfBias(none, columns)
	}
	parts := pairParts(rows.n, columns.n)
	values, indices, index := m.scratch(4*parts*rows.n), m.scratch(4*parts*rows.n), m.scratch(4*rows.n)
	c.add(
		c.pairs("greatest_", rows.n, columns.n, values, indices, rows.points, columns.points, bias),
		over(rows.n, "greatest_finish", index, values, indices, parts, rows.n))
	return index
}

// halfBias returns where half of the potential, none for zero, less the squared
// length of a cloud's points will lie.
func (c *clouds) halfBias(potential cu.DevicePtr, of cloud) cu.DevicePtr {
	bias := c.machine.scratch(4 * of.n)
	c.add(over(of.n, "half_bias", bias, potential, of.squares, of.n))
	return bias
}

// mmdProbe is how many points the bandwidth is the median of.
const mmdProbe = 192

// mmd binds pure.MMD.
func (c *clouds) mmd(loss pure.MMD) {
	m, x, y := c.machine, c.x, c.y
	count := min(y.n, mmdProbe)
	pairs, sorted := count*(count-1)/2, none
	if pairs > 0 {
		distances := m.scratch(4 * pairs)
		c.each(pairs, "probe_distances_"+m.device.maps(), distances, m.at(y.from), y.positions, c.channels, y.n, count)
		var sorting []launch
		sorted, sorting = m.sort(distances, 1, pairs, false)
		c.add(sorting...)
	}
	numbers, totals := m.scratch(5*8), m.scratch(3*8)
	c.add(launch{kernel: "mmd_numbers", arguments: []any{numbers, sorted, c.spread, pairs, flag(loss.Scaled), x.n, y.n}})
	xBias, yBias := c.halfBias(none, x), c.halfBias(none, y)
	for i, pair := range []struct {
		rows, columns   cloud
		rowBias, column cu.DevicePtr
	}{{x, x, xBias, xBias}, {x, y, xBias, yBias}, {y, y, yBias, yBias}} {
		parts := pairParts(pair.rows.n, pair.columns.n)
		sums := m.scratch(8 * parts * pair.rows.n)
		c.add(
			c.pairs("mixture_sums_", pair.rows.n, pair.columns.n, sums, pair.rows.points, pair.columns.points, pair.rowBias, pair.column, numbers),
			join(totals+cu.DevicePtr(8*i), sums, 1, parts*pair.rows.n, 1))
	}
	pulled, mass := m.scratch(4*x.n*c.depth), m.scratch(4*x.n)
	for i, side := range []struct {
		columns cloud
		bias    cu.DevicePtr
	}{{x, xBias}, {y, yBias}} {
		c.add(c.pull("pull_mixture_", pulled, mass, side.columns, xBias, side.bias, numbers))
		c.each(x.n, "mmd_pull", c.gradient, pulled, mass, x.points, x.positions, numbers+cu.DevicePtr(8*(2+i)), x.n, c.channels, c.depth)
	}
	c.add(launch{kernel: "mmd_value", arguments: []any{c.value, totals, numbers, x.n, y.n}})
}
