//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
	"math"

	"gorgonia.org/cu"

	"impasto/internal/plan"
	"impasto/internal/pure"
)

const (
	// mostTurned is how many directions turn_directions takes.
	mostTurned = 64
	// turningParts is into how many parts sums over positions are split at most.
	turningParts = 32
)

// turning is directions that an ascent turns.
type turning struct {
	drawn  cu.DevicePtr // as float32
	exact  cu.DevicePtr // as float64
	wanted bool         // in the next run
}

// turn binds pure.Sliced's ascent, from the directions that were drawn to those along.
// Where the loss holds them, it is made in the first run after a draw, and again while
// what comes of it isn't finite.
func (m *machine) turn(loss pure.Sliced, t task, along cu.DevicePtr, of *turning) error {
	k, x, y := loss.Directions, t.inputs[0], t.inputs[1]
	if k > mostTurned {
		return fmt.Errorf("turning %d directions has no kernel on the GPU, which takes %d at most; use the device cpu", k, mostTurned)
	}
	if loss.Held {
		value, at := m.slot()
		m.losses[t.result] = at
		m.ended = append(m.ended, func() (bool, error) {
			v := m.result(value)
			of.wanted = math.IsNaN(v) || math.IsInf(v, 0)
			return false, nil
		})
		m.only(&of.wanted)
	}
	defer func(used int) { m.used = used }(m.used) // for what comes after
	count, one := k*loss.Channels, m.array(math.Float64bits(1))
	turned := m.scratch(8 * count)
	if err := m.add(
		over(count, "scale_by", along, of.drawn, one, count),
		over(count, "scale_by_f64", turned, of.exact, one, count)); err != nil {
		return err
	}
	step := m.turningStep(x, y, along, turned, k)
	for range loss.Ascent {
		if err := m.add(step...); err != nil {
			return err
		}
	}
	m.only(nil)
	return nil
}

// turningStep returns the launches of one step of the ascent of k directions.
func (m *machine) turningStep(x, y *plan.Buffer, along, turned cu.DevicePtr, k int) []launch {
	channels, n := geometry(x)
	_, targets := geometry(y)
	p, q, one := m.scratch(4*k*n), m.scratch(4*k*targets), m.array(math.Float64bits(1))
	launches := append(m.project(p, x, along, k), m.project(q, y, along, k)...)
	xItems, sorting := m.sort(p, k, n, true)
	launches = append(launches, sorting...)
	yItems, sorting := m.sort(q, k, targets, true)
	launches = append(launches, sorting...)
	xKeys, yKeys, sums := m.scratch(4*k*n), m.scratch(4*k*targets), m.scratch(8*k*max(n, targets))
	parts := min((max(n, targets)+vectorThreads-1)/vectorThreads, 64)
	lines, unused := dim{x: parts, y: k}, m.scratch(8*k*parts)
	launches = append(launches,
		launch{kernel: "place_keys", grid: lines, block: dim{x: 256}, arguments: []any{xKeys, xItems, n}},
		launch{kernel: "place_keys", grid: lines, block: dim{x: 256}, arguments: []any{yKeys, yItems, targets}})
	match := func(slopes, items, keys cu.DevicePtr, n, targets int) {
		launches = append(launches,
			launch{kernel: "target_sums", grid: dim{x: k}, block: dim{x: 256}, arguments: []any{sums, keys, targets}},
			launch{
				kernel: "match_lines", grid: lines, block: dim{x: 256},
				arguments: []any{slopes, unused, items, keys, sums, one, n, targets},
			})
	}
	match(p, xItems, yKeys, n, targets)
	match(q, yItems, xKeys, targets, n)

	ofX, ofY := min(partsOf(n), turningParts), min(partsOf(targets), turningParts)
	partials, slopes := m.scratch(8*(ofX+ofY)*k*channels), m.scratch(8*k*channels)
	products := func(partials, lines cu.DevicePtr, of *plan.Buffer, parts, positions int) {
		launches = append(launches, launch{
			kernel: "line_products_" + m.device.maps(), block: dim{x: 256},
			grid:      dim{x: (k + 63) / 64, y: (channels + 63) / 64, z: parts},
			arguments: []any{partials, lines, m.at(of), k, channels, positions},
		})
	}
	products(partials, p, x, ofX, n)
	products(partials+cu.DevicePtr(8*ofX*k*channels), q, y, ofY, targets)
	return append(launches,
		overRows(k*channels, "sum_rows", slopes, partials, 1., ofX+ofY, k*channels),
		launch{kernel: "turn_directions", block: dim{x: 256}, arguments: []any{turned, along, slopes, k, channels}})
}
