//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// sortTile is how many values a block of the sorting kernels takes.
const sortTile = 4096

// sliced binds pure.Sliced by the kernels of sliced.cu, whose head says what each is
// for. Its result is the gradient, channels last.
func (m *machine) sliced(op *ops.Sliced, t task) error {
	loss, x, y := op.Loss, t.inputs[0], t.inputs[1]
	if m.device.formatOf(x) != channelsLast {
		return errFewChannels
	}
	channels, n := geometry(x)
	_, targets := geometry(y)
	lines := loss.Lines()
	p, q := m.scratch(4*lines*n), m.scratch(4*lines*targets)
	along, err := m.directions(loss, t)
	if err != nil {
		return err
	}
	launches := append(m.project(p, x, along, lines), m.project(q, y, along, lines)...)

	factor, sum := m.scratch(8), m.scratch(8)
	partials, sums := m.scratch(8*sumBlocks), m.scratch(8*lines*targets)
	squares, blocks := shared(y.Len(), "squares_partials_"+m.device.maps(), partials, m.at(y), y.Len())
	launches = append(launches, squares, join(sum, partials, 1, blocks, 1),
		launch{kernel: "sliced_factor", arguments: []any{factor, sum, flag(loss.Scaled), lines, y.Len()}})

	items, sorting := m.sort(p, lines, n, true)
	launches = append(launches, sorting...)
	matched, sorting := m.sort(q, lines, targets, false)
	launches = append(launches, sorting...)

	// Each block of a line leaves its share of the distance.
	parts := min((n+vectorThreads-1)/vectorThreads, 64)
	distances := m.scratch(8 * lines * parts)
	result := m.at(t.result)
	launches = append(launches,
		launch{kernel: "target_sums", grid: dim{x: lines}, block: dim{x: 256}, arguments: []any{sums, matched, targets}},
		launch{
			kernel: "match_lines", grid: dim{x: parts, y: lines}, block: dim{x: 256},
			arguments: []any{p, distances, items, matched, sums, factor, n, targets},
		},
		join(m.lossOf(t.result), distances, 1, lines*parts, 1))
	if along == none {
		return m.add(append(launches, relay("channels_last_f32", result, p, x.Shape))...)
	}
	return m.add(append(launches, launch{
		kernel: "spread_lines", grid: dim{x: (n + 63) / 64, y: (channels + 63) / 64}, block: dim{x: 256},
		arguments: []any{result, p, along, lines, channels, n},
	})...)
}

// lossOf is where the loss lies that an evaluation of maps has beside its gradient.
func (m *machine) lossOf(evaluation *plan.Buffer) cu.DevicePtr {
	at, there := m.losses[evaluation]
	if !there {
		at = m.reserve(8)
		m.losses[evaluation] = at
	}
	return at
}

// project returns the launches that put a map's points on lines: its channels, where
// there are no directions.
func (m *machine) project(lines cu.DevicePtr, x *plan.Buffer, along cu.DevicePtr, count int) []launch {
	if along == none {
		return []launch{relay("planes_"+m.device.maps(), lines, m.at(x), x.Shape)}
	}
	channels, positions := geometry(x)
	return []launch{{
		kernel: "lines_" + m.device.maps(), grid: dim{x: (positions + 63) / 64, y: (count + 63) / 64}, block: dim{x: 256},
		arguments: []any{lines, m.at(x), along, count, channels, positions},
	}}
}

// directions returns the memory of a loss's directions, none for the axes. They
// follow from the draw, and are made anew when that is written; those that are turned
// besides start from there.
func (m *machine) directions(loss pure.Sliced, t task) (cu.DevicePtr, error) {
	if loss.Directions == 0 {
		return none, nil
	}
	count := loss.Directions * loss.Channels
	turned := turning{drawn: m.reserve(4 * count)}
	along := turned.drawn
	if loss.Ascent > 0 {
		along, turned.exact = m.reserve(4*count), m.reserve(8*count)
		if err := m.turn(loss, t, along, &turned); err != nil {
			return none, err
		}
	}
	return along, m.drawn(t, func(draw float64) error {
		exact := pure.Directions(loss.Directions, loss.Channels, draw)
		single := make([]float32, len(exact))
		for i, v := range exact {
			single[i] = float32(v)
		}
		turned.wanted = true
		if loss.Ascent > 0 {
			if err := m.device.upload(turned.exact, unsafe.Pointer(&exact[0]), 8*len(exact)); err != nil {
				return err
			}
		}
		return m.device.upload(turned.drawn, unsafe.Pointer(&single[0]), 4*len(single))
	})
}

// drawn makes a step's draw, its third input, be followed where it changes, or one of
// zero where the step has none.
func (m *machine) drawn(t task, follow func(draw float64) error) error {
	if len(t.inputs) < 3 {
		m.initial = append(m.initial, func() error { return follow(0) })
		return nil
	}
	last := math.NaN()
	return m.follow(t.inputs[2], func(values []float64) error {
		if values[0] == last {
			return nil
		}
		last = values[0]
		return follow(last)
	})
}

// sort returns where the sorted items of lines will be, and the launches that put
// them there.
func (m *machine) sort(lines cu.DevicePtr, count, n int, places bool) (cu.DevicePtr, []launch) {
	size, keys := 4, "sort_keys"
	if places {
		size, keys = 8, "sort_places"
	}
	items := m.scratch(size * count * n)
	first := launch{
		kernel: keys, grid: dim{x: (n + sortTile - 1) / sortTile, y: count}, block: dim{x: 256},
		arguments: []any{items, lines, n},
	}
	sorted, sorting := m.sortItems(items, count, n, places)
	return sorted, append([]launch{first}, sorting...)
}

// sortItems does the same with items that are there.
func (m *machine) sortItems(from cu.DevicePtr, count, n int, places bool) (cu.DevicePtr, []launch) {
	size, suffix := 4, ""
	if places {
		size, suffix = 8, "_places"
	}
	tiles := (n + sortTile - 1) / sortTile
	to, counts := m.scratch(size*count*n), m.scratch(4*count*256*tiles)
	all, block := dim{x: tiles, y: count}, dim{x: 256}
	var launches []launch
	for shift := 0; shift < 32; shift += 8 {
		launches = append(launches,
			launch{kernel: "sort_count" + suffix, grid: all, block: block, arguments: []any{counts, from, shift, n}},
			launch{kernel: "sort_scan", grid: dim{x: count}, block: block, arguments: []any{counts, tiles}},
			launch{kernel: "sort_scatter" + suffix, grid: all, block: block, arguments: []any{to, from, counts, shift, n}})
		from, to = to, from
	}
	return from, launches
}
