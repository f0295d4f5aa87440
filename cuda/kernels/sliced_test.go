//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

// sorted sorts lines (count × n) on the device; places says whether items have them.
func sorted(t *testing.T, lines host.Memory, count, n int, places bool) host.Memory {
	t.Helper()
	size, of, suffix := 4, "sort_keys", ""
	if places {
		size, of, suffix = 8, "sort_places", "_places"
	}
	tiles := blocks(n, 4096)
	from, to, counts := host.Allocate(size*count*n), host.Allocate(size*count*n), host.Allocate(4*count*256*tiles)
	grid := host.Dim{X: tiles, Y: count}
	launch(t, of, host.Dim{X: 2, Y: count}, vectorBlock, 0, from, lines, n)
	for shift := 0; shift < 32; shift += 8 {
		launch(t, "sort_count"+suffix, grid, vectorBlock, 0, counts, from, shift, n)
		launch(t, "sort_scan", host.Dim{X: count}, vectorBlock, 0, counts, tiles)
		launch(t, "sort_scatter"+suffix, grid, vectorBlock, 0, to, from, counts, shift, n)
		from, to = to, from
	}
	return from
}

func valueOf(key uint32) float32 {
	if key>>31 == 1 {
		return math.Float32frombits(key ^ 1<<31)
	}
	return math.Float32frombits(^key)
}

func TestLinesAreSortedAndEqualOnesKeepTheirOrder(t *testing.T) {
	for _, n := range []int{1, 33, 4096, 9001} {
		inEveryOrder(t, func(t *testing.T) {
			const count = 2
			lines := normal(count*n, 1)
			for i := range lines {
				if i%3 == 0 { // many ties
					lines[i] = float32(math.Round(float64(lines[i])))
				}
				if i%1000 == 7 {
					lines[i] = float32(math.Copysign(0, -1))
				}
			}
			items := host.Of[[2]uint32](sorted(t, host.From(lines), count, n, true))
			keys := host.Of[uint32](sorted(t, host.From(lines), count, n, false))
			for line := range count {
				values := lines[line*n : (line+1)*n]
				order := make([]int, n)
				for i := range order {
					order[i] = i
				}
				slices.SortStableFunc(order, func(a, b int) int {
					if values[a] < values[b] {
						return -1
					}
					if values[a] > values[b] {
						return 1
					}
					return 0
				})
				for i, at := range order {
					item := items[line*n+i]
					if int(item[1]) != at || valueOf(item[0]) != values[at] || keys[line*n+i] != item[0] {
						t.Fatalf("%d of %d is number %d of value %g, want number %d of value %g", i, n, item[1], valueOf(item[0]), at, values[at])
					}
				}
			}
		})
	}
}

func TestSlicedMatchesItsDefinition(t *testing.T) {
	for _, shape := range [][4]int{{6, 4, 40, 40}, {8, 8, 50, 31}, {5, 3, 17, 200}, {70, 66, 30, 45}, {4, 0, 60, 25}, {3, 2, 5000, 4099}} {
		for _, e := range storage {
			t.Run(fmt.Sprint(shape, e.suffix), func(t *testing.T) {
				c, k, n, m := shape[0], shape[1], shape[2], shape[3]
				loss := pure.Sliced{Channels: c, Directions: k, Scaled: true}
				lines := loss.Lines()
				x, y := normal(c*n, 1), normal(c*m, 2)
				for i := range x {
					x[i] = max(x[i], 0) // ties, along the axes
				}
				xs, ys := e.from(t, x), e.from(t, y)
				want := make([]float32, c*n)
				value := pure.CompareSliced(loss, want, planesOf(x, c), planesOf(y, c), 3)

				directions := make([]float32, lines*c)
				if k > 0 {
					for i, v := range pure.Directions(k, c, 3) {
						directions[i] = float32(v)
					}
				} else {
					for i := range c {
						directions[i*c+i] = 1
					}
				}
				along := host.From(directions)
				p, q := host.Allocate(4*lines*n), host.Allocate(4*lines*m)
				launch(t, "lines_"+e.suffix, host.Dim{X: blocks(n, 64), Y: blocks(lines, 64)}, vectorBlock, 0, p, xs, along, lines, c, n)
				launch(t, "lines_"+e.suffix, host.Dim{X: blocks(m, 64), Y: blocks(lines, 64)}, vectorBlock, 0, q, ys, along, lines, c, m)
				partials, squares, factor := host.Allocate(3*8), host.Allocate(8), host.Allocate(8)
				launch(t, "squares_partials_"+e.suffix, someGrid, vectorBlock, 0, partials, ys, c*m)
				launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, squares, partials, 3, 1.0)
				launch(t, "sliced_factor", host.Dim{}, vectorBlock, 0, factor, squares, 1, lines, c*m)
				items, targets := sorted(t, p, lines, n, true), sorted(t, q, lines, m, false)
				sums, distances, loss64, gradient := host.Allocate(8*lines*m), host.Allocate(8*lines*2), host.Allocate(8), host.Allocate(4*c*n)
				launch(t, "target_sums", host.Dim{X: lines}, vectorBlock, 0, sums, targets, m)
				launch(t, "match_lines", host.Dim{X: 2, Y: lines}, vectorBlock, 0, p, distances, items, targets, sums, factor, n, m)
				launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, loss64, distances, 2*lines, 1.0)
				launch(t, "spread_lines", host.Dim{X: blocks(n, 64), Y: blocks(c, 64)}, vectorBlock, 0, gradient, p, along, lines, c, n)
				near(t, "loss", host.Of[float64](loss64)[:1], []float64{value}, 1e-5)
				tolerance := 5e-6
				if n > 1000 { // points that rounding lets change places are moved to each other's matches
					tolerance = 2e-3
				}
				near(t, "gradient", host.Of[float32](gradient)[:c*n], lastOf(want, c), tolerance)

				addend, mask, out := normal(c*n, 3), normal(c*n, 4), host.Allocate(c*n*e.size)
				addends, masks := e.from(t, addend), e.from(t, mask)
				scaled := lastOf(want, c)
				for i := range scaled {
					if scaled[i] = 2*scaled[i] + addend[i]; mask[i] <= 0 {
						scaled[i] = 0
					}
				}
				launch(t, "scale_map_"+e.suffix, someGrid, vectorBlock, 0, out, gradient, host.From([]float64{2}), addends, masks, c*n)
				near(t, "scaled gradient", e.to(t, out, c*n), scaled, max(tolerance, e.tolerance))
			})
		}
	}
}

func TestTurningDirectionsMatchesItsDefinition(t *testing.T) {
	for _, shape := range [][4]int{{6, 4, 40, 50}, {70, 16, 90, 45}, {3, 1, 20, 20}} {
		for _, e := range storage {
			turnsLikeItsDefinition(t, e, shape[0], shape[1], shape[2], shape[3])
		}
	}
}

func turnsLikeItsDefinition(t *testing.T, e element, c, k, n, m int) {
	x, y := normal(c*n, 1), normal(c*m, 2)
	for i := range x {
		x[i] = 2*x[i] + float32(i%c)
	}
	xs, ys := e.from(t, x), e.from(t, y)
	loss := pure.Sliced{Channels: c, Directions: k, Ascent: 2, Scaled: true}
	want := make([]float32, c*n)
	value := pure.CompareSliced(loss, want, planesOf(x, c), planesOf(y, c), 3)
	inEveryOrder(t, func(t *testing.T) {
		exact := pure.Directions(k, c, 3)
		directions := make([]float32, k*c)
		for i, v := range exact {
			directions[i] = float32(v)
		}
		precise, along := host.From(exact), host.From(directions)
		p, q, one := host.Allocate(4*k*n), host.Allocate(4*k*m), scalars(1)
		project := func() (xItems, yItems, xKeys, yKeys host.Memory) {
			launch(t, "lines_"+e.suffix, host.Dim{X: blocks(n, 64), Y: blocks(k, 64)}, vectorBlock, 0, p, xs, along, k, c, n)
			launch(t, "lines_"+e.suffix, host.Dim{X: blocks(m, 64), Y: blocks(k, 64)}, vectorBlock, 0, q, ys, along, k, c, m)
			xItems, yItems, xKeys, yKeys = sorted(t, p, k, n, true), sorted(t, q, k, m, true), host.Allocate(4*k*n), host.Allocate(4*k*m)
			launch(t, "place_keys", host.Dim{X: 2, Y: k}, vectorBlock, 0, xKeys, xItems, n)
			launch(t, "place_keys", host.Dim{X: 2, Y: k}, vectorBlock, 0, yKeys, yItems, m)
			return
		}
		match := func(slopes, items, keys host.Memory, factor host.Memory, n, m int) (distances host.Memory) {
			sums := host.Allocate(8 * k * m)
			distances = host.Allocate(8 * 2 * k)
			launch(t, "target_sums", host.Dim{X: k}, vectorBlock, 0, sums, keys, m)
			launch(t, "match_lines", host.Dim{X: 2, Y: k}, vectorBlock, 0, slopes, distances, items, keys, sums, factor, n, m)
			return
		}
		const parts = 2
		for range loss.Ascent {
			xItems, yItems, xKeys, yKeys := project()
			match(p, xItems, yKeys, one, n, m)
			match(q, yItems, xKeys, one, m, n)
			partials, slopes := host.Allocate(8*2*parts*k*c), host.Allocate(8*k*c)
			grid := host.Dim{X: blocks(k, 64), Y: blocks(c, 64), Z: parts}
			launch(t, "line_products_"+e.suffix, grid, vectorBlock, 0, partials, p, xs, k, c, n)
			launch(t, "line_products_"+e.suffix, grid, vectorBlock, 0, partials.At(8*parts*k*c), q, ys, k, c, m)
			launch(t, "sum_rows", someGrid, vectorBlock, 0, slopes, partials, 1.0, 2*parts, k*c)
			launch(t, "turn_directions", host.Dim{}, vectorBlock, 0, precise, along, slopes, k, c)
		}
		var squares float64
		for _, v := range y {
			squares += float64(v) * float64(v)
		}
		xItems, _, _, yKeys := project()
		distances, loss64, gradient := match(p, xItems, yKeys, scalars(loss.Factor(squares, len(y))), n, m), host.Allocate(8), host.Allocate(4*c*n)
		launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, loss64, distances, 2*k, 1.0)
		launch(t, "spread_lines", host.Dim{X: blocks(n, 64), Y: blocks(c, 64)}, vectorBlock, 0, gradient, p, along, k, c, n)
		near(t, "loss", host.Of[float64](loss64)[:1], []float64{value}, 1e-4)
		near(t, "gradient", host.Of[float32](gradient)[:c*n], lastOf(want, c), 1e-2)
	})
}
