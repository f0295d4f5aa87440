//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"slices"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

// lastOf lays planes out channels last.
func lastOf[T any](planes []T, channels int) []T {
	n := len(planes) / channels
	last := make([]T, len(planes))
	for c := range channels {
		for p := range n {
			last[p*channels+c] = planes[c*n+p]
		}
	}
	return last
}

// element is a type of map elements: what a kernel's name ends with, and how far off
// results may be, in units of their root mean square.
type element struct {
	suffix    string
	size      int
	tolerance float64
}

var (
	single  = element{"f32", 4, 1e-5}
	half    = element{"f16", 2, 4e-3}
	brain   = element{"bf16", 2, 3e-2}
	tensor  = element{"tf32", 4, 4e-3}
	storage = []element{single, half, brain}
)

// from rounds values to the type, in device memory, and to float32, in the slice.
func (e element) from(t *testing.T, values []float32) host.Memory {
	t.Helper()
	source := host.From(values)
	if e.size == 4 {
		return source
	}
	to := host.Allocate(e.size * len(values))
	grid, block := host.Dim{X: (len(values) + 31) / 32}, host.Dim{X: 32, Y: 8}
	launch(t, "channels_last_"+e.suffix, grid, block, 0, to, source, 1, len(values))
	launch(t, "planes_"+e.suffix, grid, block, 0, source, to, 1, len(values))
	copy(values, host.Of[float32](source))
	return to
}

// to returns n values in device memory as float32.
func (e element) to(t *testing.T, from host.Memory, n int) []float32 {
	t.Helper()
	if e.size == 4 {
		return host.Of[float32](from)[:n]
	}
	to := host.Allocate(4 * n)
	launch(t, "planes_"+e.suffix, host.Dim{X: (n + 31) / 32}, host.Dim{X: 32, Y: 8}, 0, to, from, 1, n)
	return host.Of[float32](to)[:n]
}

// layer is a convolution with operands, in planes, as the definition has them.
type layer struct {
	pure.Convolution
	x, filters, bias, y, dy, dx []float32
}

func newLayer(c pure.Convolution) *layer {
	area := c.Height * c.Width
	return &layer{
		Convolution: c,
		x:           normal(c.In*area, 1), filters: normal(c.Out*c.In*9, 2), bias: normal(c.Out, 3), dy: normal(c.Out*area, 4),
		y: make([]float32, c.Out*area), dx: make([]float32, c.In*area),
	}
}

func (l *layer) define() { pure.Convolve(l.Convolution, l.y, l.x, l.filters, l.bias) }

func (l *layer) defineGradient() {
	pure.ConvolveDataGradient(l.Convolution, l.dx, l.dy, l.y, l.filters)
}

// arranged returns the filters in the layout of a kind of kernels.
func (l *layer) arranged(t *testing.T, kind string, size, transposed int) host.Memory {
	to := host.Allocate(len(l.filters) * size)
	launch(t, "arrange_"+kind, host.Dim{X: 2}, vectorBlock, 0, to, host.From(l.filters), l.Out, l.In, transposed)
	return to
}

func (l *layer) flags() int {
	flags := 0
	if l.Border.Replicate {
		flags |= 1
	}
	if l.Rectify {
		flags |= 2
	}
	return flags
}

func (l *layer) colour() any {
	if l.Border.Colour == nil {
		return 0
	}
	return host.From(l.Border.Colour)
}

func convolutions() []pure.Convolution {
	colour := pure.Border{Colour: []float32{0.5, -1, 2}}
	return []pure.Convolution{
		{In: 3, Out: 8, Height: 5, Width: 7, Border: pure.Border{Replicate: true}, Rectify: true},
		{In: 3, Out: 66, Height: 9, Width: 19, Border: colour, Rectify: true},
		{In: 1, Out: 1, Height: 1, Width: 1},
		{In: 3, Out: 4, Height: 1, Width: 6, Border: pure.Border{Replicate: true}},
		{In: 5, Out: 3, Height: 17, Width: 2, Border: pure.Border{Replicate: true}},
		{In: 17, Out: 70, Height: 13, Width: 11, Rectify: true},
		{In: 32, Out: 16, Height: 6, Width: 5},
		{In: 3, Out: 32, Height: 18, Width: 21, Border: pure.Border{Replicate: true}, Rectify: true},
		{In: 16, Out: 16, Height: 4, Width: 35, Border: pure.Border{Replicate: true}, Rectify: true},
	}
}

func blocks(n, size int) int { return (n + size - 1) / size }

func TestConvolutionMatchesItsDefinition(t *testing.T) {
	for _, c := range convolutions() {
		for _, e := range storage {
			t.Run(fmt.Sprint(c, e.suffix), func(t *testing.T) {
				l, area := newLayer(c), c.Height*c.Width
				e.from(t, l.x)
				l.define()
				filters := l.arranged(t, "plain_filters", 4, 0)
				grid := host.Dim{X: blocks(area, 128), Y: blocks(c.Out, 64)}
				inEveryOrder(t, func(t *testing.T) {
					y := host.Allocate(c.Out * area * e.size)
					launch(t, "convolution_"+e.suffix, grid, vectorBlock, 0, y, e.from(t, lastOf(l.x, c.In)), filters, host.From(l.bias),
						0, 0, 0, l.colour(), l.flags(), c.In, c.Out, c.Height, c.Width)
					near(t, "y", e.to(t, y, c.Out*area), lastOf(l.y, c.Out), e.tolerance)
					y = host.Allocate(c.Out * area * e.size)
					launch(t, "convolution_picture_"+e.suffix, grid, vectorBlock, 0, y, host.From(l.x), filters, host.From(l.bias),
						l.colour(), l.flags(), c.In, c.Out, c.Height, c.Width)
					near(t, "y of planes", e.to(t, y, c.Out*area), lastOf(l.y, c.Out), e.tolerance)
				})
			})
		}
	}
}

func TestConvolutionGradientMatchesItsDefinition(t *testing.T) {
	for _, c := range convolutions() {
		for _, e := range storage {
			t.Run(fmt.Sprint(c, e.suffix), func(t *testing.T) {
				l, area := newLayer(c), c.Height*c.Width
				l.define()
				e.from(t, l.dy)
				l.defineGradient()
				filters := l.arranged(t, "plain_filters", 4, 1)
				edge := c.Height*c.Width - max(c.Height-2, 0)*max(c.Width-2, 0)
				inEveryOrder(t, func(t *testing.T) {
					dy := e.from(t, lastOf(l.dy, c.Out))
					var mask any = 0
					if c.Rectify {
						mask = e.from(t, lastOf(l.y, c.Out))
					}
					dx, planes := host.Allocate(c.In*area*e.size), host.Allocate(c.In*area*4)
					launch(t, "convolution_"+e.suffix, host.Dim{X: blocks(area, 128), Y: blocks(c.In, 64)}, vectorBlock, 0, dx, dy, filters,
						0, mask, 0, 0, 0, 0, c.Out, c.In, c.Height, c.Width)
					launch(t, "picture_gradient_"+e.suffix, host.Dim{X: blocks(c.Width, 16), Y: blocks(c.Height, 16), Z: blocks(c.In, 4)},
						vectorBlock, 0, planes, dy, filters, mask, c.In, c.Out, c.Height, c.Width)
					if c.Border.Replicate {
						grid := host.Dim{X: blocks(edge*c.In, 8)}
						launch(t, "convolution_edges_"+e.suffix, grid, vectorBlock, 0, dx, dy, filters, mask, 0, c.In, c.Out, c.Height, c.Width)
						launch(t, "picture_edges_"+e.suffix, grid, vectorBlock, 0, planes, dy, filters, mask, c.In, c.Out, c.Height, c.Width)
					}
					near(t, "dx", e.to(t, dx, c.In*area), lastOf(l.dx, c.In), e.tolerance)
					near(t, "dx in planes", host.Of[float32](planes)[:c.In*area], l.dx, 1e-5)
				})
			})
		}
	}
}

func TestConvolutionOnMatrixUnitsMatchesItsDefinition(t *testing.T) {
	for _, c := range []pure.Convolution{
		{In: 32, Out: 64, Height: 5, Width: 7, Rectify: true},
		{In: 64, Out: 128, Height: 9, Width: 17, Rectify: true},
		{In: 32, Out: 256, Height: 1, Width: 3},
	} {
		for _, e := range []element{half, brain, tensor} {
			for _, parts := range []int{1, 3} {
				t.Run(fmt.Sprint(c, e.suffix, parts), func(t *testing.T) {
					l, area := newLayer(c), c.Height*c.Width
					stored := e
					if e == tensor {
						stored = single
					}
					x := lastOf(l.x, c.In)
					stored.from(t, x)
					l.define()
					addend, mask := normal(len(l.y), 5), normal(len(l.y), 6)
					want := lastOf(l.y, c.Out)
					for i := range want {
						if want[i] += addend[i]; mask[i] <= 0 {
							want[i] = 0
						}
					}
					columns := 64
					if c.Out%128 == 0 {
						columns = 128
					}
					filters := l.arranged(t, "matrix_filters_"+e.suffix, e.size, 0)
					grid := host.Dim{X: blocks(area, 128), Y: c.Out / columns, Z: parts}
					inEveryOrder(t, func(t *testing.T) {
						y, memory := host.Allocate(len(want)*e.size), host.Allocate(parts*len(want)*4)
						in, bias, more, seen := stored.from(t, x), host.From(l.bias), stored.from(t, addend), stored.from(t, mask)
						launch(t, fmt.Sprintf("convolution_matrix%d_%s", columns, e.suffix), grid, vectorBlock, 3*64*(128+columns),
							y, memory, in, filters, bias, more, seen, l.flags(), c.In, c.Out, c.Height, c.Width)
						if parts > 1 {
							launch(t, "finish_parts_"+e.suffix, host.Dim{X: 3}, vectorBlock, 0, y, memory, parts, bias, more, seen, l.flags(), c.Out, len(want))
						}
						near(t, "y", stored.to(t, y, len(want)), want, e.tolerance)
					})
				})
			}
		}
	}
}

// pulledBack is what a convolution on Hopper adds: a map times a symmetric matrix and a factor.
type pulledBack struct {
	x, matrix, factor host.Memory
	want              []float32
}

// asFilters is a matrix with its rows in the order of filters on Hopper.
func asFilters[T any](matrix []T, columns int) []T {
	ordered := make([]T, len(matrix))
	for row := range len(matrix) / columns {
		from := row/32*32 + row%8/2*8 + row%32/8*2 + row%2
		copy(ordered[row*columns:(row+1)*columns], matrix[from*columns:])
	}
	return ordered
}

func newPulled(t *testing.T, e element, positions, channels int) pulledBack {
	const factor = 0.75
	x, matrix := normal(positions*channels, 7), normal(channels*channels, 8)
	for i := range channels {
		for j := range i {
			matrix[i*channels+j] = matrix[j*channels+i]
		}
	}
	xs := e.from(t, x)
	e.from(t, matrix) // rounds
	p := pulledBack{xs, e.from(t, asFilters(matrix, channels)), host.From([]float32{factor}), make([]float32, len(x))}
	for position := range positions {
		row := x[position*channels : (position+1)*channels]
		for i := range channels {
			sum := 0.
			for j, v := range row {
				sum += float64(v) * float64(matrix[i*channels+j])
			}
			p.want[position*channels+i] = float32(factor * sum)
		}
	}
	return p
}

// hopperTiling is how a convolution on Hopper is cut up: tiles of so many filters, of which all but
// the first ones are taken in pieces of so many rows and filters.
type hopperTiling struct{ columns, whole, rows, filters int }

// hopperTilings are ways to cut up a convolution of so many filters, with all kinds of tiles.
func hopperTilings(out int) []hopperTiling {
	const all = 1000
	tilings := []hopperTiling{{64, all, 32, 64}, {64, 1, 16, 64}, {64, 0, 16, 32}, {96, all, 32, 96}}
	if out%128 == 0 {
		tilings = append(tilings, hopperTiling{128, all, 32, 128}, hopperTiling{128, 1, 32, 64}, hopperTiling{128, 1, 16, 64}, hopperTiling{128, 0, 16, 32})
	}
	return tilings
}

// count is how many tiles are whole, and how many there are with pieces.
func (h hopperTiling) count(c pure.Convolution, parts int) (whole, together int) {
	tiles := blocks(c.Width, 8) * blocks(c.Height, 32) * blocks(c.Out, h.columns) * parts
	whole = min(h.whole, tiles)
	return whole, whole + (tiles-whole)*(32/h.rows)*(h.columns/h.filters)
}

// hopperMaps describes a map for copies of boxes of a convolution's whole tiles and pieces.
func hopperMaps(t *testing.T, e element, tensor host.Memory, channels int, c pure.Convolution) host.Memory {
	t.Helper()
	both := host.Allocate(256)
	for i, rows := range []int{34, 18} {
		described, err := library(t).TensorMap(tensor, e == brain, []int{channels, c.Width, c.Height}, []int{64, 8, rows})
		if err != nil {
			t.Fatal(err)
		}
		copy(host.Of[byte](both)[128*i:], host.Of[byte](described)[:128])
	}
	return both
}

func TestConvolutionOnHopperMatchesItsDefinition(t *testing.T) {
	needsHopper(t)
	for _, c := range []pure.Convolution{
		{In: 64, Out: 64, Height: 5, Width: 7, Rectify: true},
		{In: 64, Out: 192, Height: 33, Width: 9},
		{In: 128, Out: 128, Height: 18, Width: 21, Rectify: true},
		{In: 64, Out: 256, Height: 1, Width: 17},
		{In: 64, Out: 64, Height: 3, Width: 41},
		{In: 192, Out: 128, Height: 35, Width: 6, Rectify: true},
	} {
		for _, e := range []element{half, brain} {
			for _, way := range []struct {
				parts int
				pulls bool
			}{{1, false}, {2, false}, {1, true}, {2, true}} {
				if way.pulls && c.Rectify { // as no gradient is, which alone pulls back
					continue
				}
				t.Run(fmt.Sprint(c, e.suffix, way.parts, way.pulls), func(t *testing.T) {
					testConvolutionOnHopper(t, c, e, way.parts, way.pulls)
				})
			}
		}
	}
}

// testConvolutionOnHopper compares a convolution in one tiling with the definition, and in all
// others with the first, bit by bit.
func testConvolutionOnHopper(t *testing.T, c pure.Convolution, e element, parts int, pulls bool) {
	l, area := newLayer(c), c.Height*c.Width
	x := lastOf(l.x, c.In)
	in := e.from(t, x)
	copy(l.x, planesOf(x, c.In))
	l.define()
	addend, mask := normal(len(l.y), 5), normal(len(l.y), 6)
	want := lastOf(l.y, c.Out)
	pull := newPulled(t, e, area, c.Out)
	for i := range want {
		if pulls {
			want[i] += pull.want[i]
		}
		if want[i] += addend[i]; mask[i] <= 0 {
			want[i] = 0
		}
	}
	pool := pure.Pool{Mode: pure.MaxPool, Scale: 0.75, Channels: c.Out, Height: c.Height, Width: c.Width}
	maxima := make([]float32, c.Out*(c.Height/2)*(c.Width/2))
	pure.ApplyPool(pool, maxima, planesOf(want, c.Out))
	maps := hopperMaps(t, e, in, c.In, c)
	filters, err := library(t).TensorMap(l.arranged(t, "hopper_filters_"+e.suffix, e.size, 0), e == brain, []int{9 * c.In, c.Out}, []int{64, 32})
	if err != nil {
		t.Fatal(err)
	}
	var pulled, matrix, factor any = 0, 0, 0
	if pulls {
		pulled, factor = hopperMaps(t, e, pull.x, c.Out, c), pull.factor
		if matrix, err = library(t).TensorMap(pull.matrix, e == brain, []int{c.Out, c.Out}, []int{64, 32}); err != nil {
			t.Fatal(err)
		}
	}
	bias, more, seen := host.From(l.bias), e.from(t, addend), e.from(t, mask)
	run := func(t *testing.T, tiling hopperTiling) (y, pooled []float32) {
		yAt, pooledAt, memory := host.Allocate(len(want)*e.size), host.Allocate(max(len(maxima), 1)*e.size), host.Allocate(parts*area*c.Out*4)
		var maximaAt any = 0
		if parts == 1 {
			maximaAt = pooledAt
		}
		// There are more blocks than tiles, or one for several.
		whole, together := tiling.count(c, parts)
		grid := host.Dim{X: together + 1}
		if c.Width > 8 {
			grid.X = max(grid.X/3, 1)
		}
		launch(t, "convolution_hopper_"+e.suffix, grid, host.Dim{X: 384}, 220416,
			yAt, maximaAt, pool.Scale, memory, parts, maps, filters, pulled, matrix, factor, bias, more, seen, l.flags(),
			tiling.columns, whole, tiling.rows, tiling.filters, c.In, c.Out, c.Height, c.Width)
		if parts > 1 {
			launch(t, "finish_parts_"+e.suffix, someGrid, vectorBlock, 0, yAt, memory, parts, bias, more, seen, l.flags(), c.Out, len(want))
			return e.to(t, yAt, len(want)), nil
		}
		return e.to(t, yAt, len(want)), e.to(t, pooledAt, len(maxima))
	}
	tilings := hopperTilings(c.Out)
	var y, pooled []float32
	inEveryOrder(t, func(t *testing.T) {
		y, pooled = run(t, tilings[0])
		near(t, "y", y, want, e.tolerance)
		if len(pooled) > 0 {
			near(t, "maxima", pooled, lastOf(maxima, c.Out), e.tolerance)
		}
	})
	for i, tiling := range tilings[1:] {
		library(t).SetOrder(host.Order(i) % host.Orders)
		if got, gotPooled := run(t, tiling); !slices.Equal(got, y) || !slices.Equal(gotPooled, pooled) {
			t.Errorf("results in tiles as %+v aren't those in tiles as %+v", tiling, tilings[0])
		}
	}
	library(t).SetOrder(host.Forward)
}
