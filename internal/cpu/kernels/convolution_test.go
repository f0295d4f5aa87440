package kernels

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"impasto/internal/pure"
	"impasto/vgg19"
)

func TestDirectKernelsMatchTheirDefinition(t *testing.T) {
	onEveryISA(t, func(t *testing.T, set *isa, _ *Workers) {
		for v := range tileVectors {
			for last := 1; last <= set.lanes; last++ {
				for variant := range 8 {
					c := directCase{
						lanes: set.lanes, vectors: v + 1, last: last, channels: 1 + last%3,
						accumulate: variant&1 != 0, rectify: variant&2 != 0, wide: variant&4 != 0,
					}
					c.test(t, set.direct[v], set.rows)
					c.test(t, set.narrow[v], narrowRows)
				}
			}
		}
	})
}

// directCase is a call of a directKernel. The rows of y and x are apart where wide is
// set.
type directCase struct {
	lanes, vectors, last, channels int
	accumulate, rectify, wide      bool
}

func (d directCase) test(t *testing.T, kernel directKernel, rows int) {
	t.Helper()
	n := (d.vectors-1)*d.lanes + d.last
	plane, xRow := n, d.vectors*d.lanes+2
	if d.wide {
		plane, xRow = n+3, xRow+5
	}
	x, filters := values(1, d.channels*3*xRow), values(2, d.channels*9*panelRows)
	biases := values(3, panelRows)
	y := newGuarded[float32]((rows-1)*plane + n)
	want := values(4, len(y.values))
	copy(y.values, want)
	if d.accumulate {
		biases = nil
	}
	flag := 0
	if d.rectify {
		flag = 1
	}
	kernel(y.values, plane, x, xRow, 3*xRow, filters, d.channels, biases, d.last, flag)
	for r := range rows {
		for j := range n {
			sum := want[r*plane+j]
			if biases != nil {
				sum = biases[r]
			}
			for c := range d.channels {
				for k := range 9 {
					sum += filters[(c*9+k)*panelRows+r] * x[(3*c+k/3)*xRow+k%3+j]
				}
			}
			if d.rectify {
				sum = max(sum, 0)
			}
			want[r*plane+j] = sum
		}
	}
	what := fmt.Sprintf("%d rows, %+v", rows, d)
	near(t, what, y.values, want, tolerance32)
	y.check(t, what)
}

// Out, in, height, width.
var convolutionShapes = [][4]int{
	{1, 1, 1, 1}, {3, 2, 1, 9}, {2, 3, 9, 1}, {5, 7, 2, 2}, {8, 8, 3, 3}, {9, 3, 5, 17}, {64, 3, 6, 50},
	{16, 16, 8, 49}, {17, 9, 13, 31}, {8, 24, 4, 100}, {4, 5, 3, 300}, {16, 80, 16, 16}, {3, 64, 7, 40},
	{24, 300, 6, 30}, {16, 16, 8, 8}, {32, 16, 9, 14}, {80, 48, 13, 40}, {64, 144, 28, 27}, {16, 64, 2, 130}, {16, 32, 102, 94}, {80, 80, 76, 61},
	{9, 60, 5, 290}, // directly, in two chunks of channels
}

// Winograd's algorithm adds and subtracts before and after it multiplies, which
// loses some bits.
const toleranceWinograd = 2e-5

func borders(channels int) map[string]Border {
	return map[string]Border{
		"zero":      {},
		"replicate": {Replicate: true},
		"colour":    {Colour: values(9, channels)},
	}
}

// isasByForm returns every instruction set twice, once with each of Winograd's forms as
// its only one.
func isasByForm() []*isa {
	var all []*isa
	for _, set := range isas() {
		for _, f := range set.winograd.forms {
			single := *set
			single.name = fmt.Sprint(set.name, "/", f.tile)
			single.winograd.forms = [2]winogradForm{f, f}
			all = append(all, &single)
		}
	}
	return all
}

// way is a way to compute convolutions where channels come in blocks of 16.
type way struct {
	*Workers
	method    Method
	tolerance float64 // relative to the greatest value
}

// tooSlow tells whether a convolution would take seconds this way.
func (w way) tooSlow(out, in, area int) bool {
	return w.isa.tiles == &tilesGo && out*in*area > 1<<21
}

// ways are Winograd's forms on every instruction set, and those with products of
// bfloat16. Of these, rounding takes up to 3 % of the largest value by Winograd's
// algorithm, and 1 % by tiles.
func ways(t *testing.T) []way {
	var all []way
	add := func(set *isa, method Method, tolerance float64) {
		w := newWorkers(2, set)
		t.Cleanup(w.Close)
		all = append(all, way{w, method, tolerance})
	}
	for _, set := range isasByForm() {
		add(set, Fastest, toleranceWinograd)
	}
	for _, set := range append(isas(), goByTiles()) {
		single := *set
		single.name += "/bfloat16"
		switch {
		case set.tiles != nil:
			add(&single, BFloat16, 0.01)
		case set.winograd.bfloat16 != nil:
			add(&single, BFloat16, 0.03)
		}
	}
	return all
}

func TestFormWithFewerOperationsIsUsed(t *testing.T) {
	for _, c := range []struct{ channels, size, tile int }{
		{512, 32, 4}, // the larger form computes 36 rows and columns
		{512, 64, 6},
		{512, 16, 4},
		{64, 256, 6},
		{256, 64, 6},
	} {
		// The count of lanes, not the kernels, decides.
		set := isa{lanes: 16, winograd: winogradGo}
		if got := set.form(c.channels, c.channels, c.size, c.size).tile; got != c.tile {
			t.Errorf("%d channels of %d×%d pixels: tiles of %d, want %d", c.channels, c.size, c.size, got, c.tile)
		}
	}
}

func TestConvolutionMatchesPlainLoops(t *testing.T) {
	all := ways(t)
	for _, s := range convolutionShapes {
		t.Run(shape(s[:]...), func(t *testing.T) {
			out, in, height, width := s[0], s[1], s[2], s[3]
			area := height * width
			x, filters, biases, dy := values(1, in*area), values(2, out*in*9), values(3, out), values(4, out*area)
			c, err := NewConvolution(Filters{Values: filters}, biases, out, in)
			if err != nil {
				t.Fatal(err)
			}
			for name, border := range borders(in) {
				for _, rectify := range []bool{false, true} {
					if out*in*area > 1<<22 && (rectify != border.Replicate || border.Colour != nil) {
						continue // plain loops take seconds
					}
					definition := pure.Convolution{In: in, Out: out, Height: height, Width: width, Border: border, Rectify: rectify}
					want, dWant := make([]float64, out*area), make([]float64, in*area)
					pure.Convolve(definition, want, float64s(x), float64s(filters), float64s(biases))
					pure.ConvolveDataGradient(definition, dWant, float64s(dy), want, float64s(filters))
					mask := convert[float32](want)
					if !rectify {
						mask = nil
					}
					for _, w := range all {
						if w.tooSlow(out, in, area) {
							continue
						}
						c.Method = w.method
						tolerance := w.tolerance
						if !w.method.Winograd(out, in) {
							tolerance = toleranceWinograd
						}
						what := fmt.Sprint(w.ISA(), " ", s, " ", name, " ", rectify)
						y, dx := newGuarded[float32](out*area), newGuarded[float32](in*area)
						c.Forward(w.Workers, Single(y.values), Single(x), height, width, rectify, border)
						near(t, "forward "+what, y.values, want, tolerance)
						y.check(t, "forward "+what)
						c.DataGradient(w.Workers, dx.values, dy, Single(mask), height, width, border)
						near(t, "gradient "+what, dx.values, dWant, tolerance)
						dx.check(t, "gradient "+what)
					}
				}
			}
		})
	}
}

func TestNotANumberPassesThroughConvolution(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		const n = 12
		for _, channels := range []int{8, 16} { // directly and by Winograd's algorithm
			x := values(1, channels*n*n)
			x[3*n*n+5*n+5] = float32(math.NaN())
			c, err := NewConvolution(Filters{Values: values(2, channels*channels*9)}, values(3, channels), channels, channels)
			if err != nil {
				t.Fatal(err)
			}
			y := make([]float32, channels*n*n)
			c.Forward(w, Single(y), Single(x), n, n, false, Border{})
			if v := float64(y[5*n+5]); !math.IsNaN(v) {
				t.Errorf("%d channels: a pixel that sees a NaN is %v", channels, v)
			}
		}
	})
}

func TestConvolutionIsTheSameForAnyNumberOfThreads(t *testing.T) {
	for _, shape := range [][2]int{{40, 24}, {48, 32}, {80, 144}} {
		out, in := shape[0], shape[1]
		const height, width = 37, 61
		x, filters, biases, dy := values(1, in*height*width), values(2, out*in*9), values(3, out), values(4, out*height*width)
		c, err := NewConvolution(Filters{Values: filters}, biases, out, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range ways(t) {
			if way.tooSlow(out, in, height*width) {
				continue
			}
			if strings.HasPrefix(way.isa.name, "go") && in > 32 {
				continue // plain loops take seconds, and are shared out as the others are
			}
			c.Method = way.method
			var y, dx, bordered []float32
			for _, threads := range []int{1, 2, 7} {
				w := newWorkers(threads, way.isa)
				y2, dx2, bordered2 := make([]float32, out*height*width), make([]float32, in*height*width), make([]float32, in*height*width)
				c.Forward(w, Single(y2), Single(x), height, width, true, Border{})
				c.DataGradient(w, dx2, dy, Single(y2), height, width, Border{})
				c.DataGradient(w, bordered2, dy, Single(y2), height, width, Border{Replicate: true})
				if y != nil {
					same(t, way.ISA()+" forward", y2, y)
					same(t, way.ISA()+" gradient", dx2, dx)
					same(t, way.ISA()+" gradient with border", bordered2, bordered)
				}
				y, dx, bordered = y2, dx2, bordered2
				w.Close()
			}
		}
	}
}

func TestNewConvolutionRefusesWrongLengths(t *testing.T) {
	for _, c := range []struct{ filters, biases, out, in int }{
		{9, 1, 0, 1}, {9, 1, 1, 0}, {8, 1, 1, 1}, {18, 1, 2, 1}, {9, 2, 1, 1}, {0, 0, 0, 0},
	} {
		if _, err := NewConvolution(Filters{Values: make([]float32, c.filters)}, make([]float32, c.biases), c.out, c.in); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

// poolingShapes are out, in, height and width of convolutions by Winograd's algorithm.
var poolingShapes = [][4]int{
	{16, 32, 2, 2}, {16, 16, 2, 3}, {32, 16, 6, 10}, {16, 16, 8, 12}, {16, 32, 7, 13}, {32, 16, 9, 6}, {16, 16, 13, 19},
	{80, 48, 14, 38}, {48, 80, 25, 37}, {16, 16, 102, 166}, {16, 16, 103, 167},
}

func TestConvolutionsWithPoolingMatchOneAfterTheOther(t *testing.T) {
	for _, way := range ways(t) {
		w := way.Workers
		for _, s := range poolingShapes {
			out, in, height, width := s[0], s[1], s[2], s[3]
			area, windows := height*width, (height/2)*(width/2)
			if way.tooSlow(out, in, area) {
				continue
			}
			what := w.ISA() + " " + shape(s[:]...)
			c, err := NewConvolution(Filters{Values: values(1, out*in*9)}, values(2, out), out, in)
			if err != nil {
				t.Fatal(err)
			}
			c.Method = way.method
			x := Single(values(3, in*area))
			y, pooled, choices := newGuarded[float32](out*area), newGuarded[float32](out*windows), newGuardedBytes(out*windows)
			c.ForwardMaxPool(w, Single(y.values), Single(pooled.values), choices.values, x, height, width, true, Border{})
			wantY, wantPooled := make([]float32, out*area), make([]float32, out*windows)
			c.Forward(w, Single(wantY), x, height, width, true, Border{})
			MaxPool(w, Single(wantPooled), Single(wantY), out, height, width)
			same(t, what+" y", y.values, wantY)
			same(t, what+" pooled", pooled.values, wantPooled)
			y.check(t, what+" y")
			pooled.check(t, what+" pooled")
			choices.check(t, what+" choices")

			pooled, alone := newGuarded[float32](out*windows), newGuardedBytes(out*windows)
			c.ForwardMaxPool(w, Map{}, Single(pooled.values), alone.values, x, height, width, true, Border{})
			same(t, what+" pooled without y", pooled.values, wantPooled)
			pooled.check(t, what+" pooled without y")
			if !slices.Equal(alone.values, choices.values) {
				t.Errorf("%s: choices differ without y", what)
			}
			pooled = newGuarded[float32](out * windows)
			c.ForwardMaxPool(w, Map{}, Single(pooled.values), nil, x, height, width, true, Border{})
			same(t, what+" pooled alone", pooled.values, wantPooled)

			dy, dx := values(4, out*windows), newGuarded[float32](in*area)
			c.MaxPoolDataGradient(w, dx.values, dy, choices.values, height, width)
			between, wantX := make([]float32, out*area), make([]float32, in*area)
			MaxPoolGradient(w, between, dy, Single(wantY), out, height, width, false)
			c.DataGradient(w, wantX, between, Single(wantY), height, width, Border{})
			same(t, what+" dx", dx.values, wantX)
			dx.check(t, what+" dx")
		}
	}
}

func TestGradientsBySignsAreThoseByMaps(t *testing.T) {
	for _, way := range ways(t) {
		w := way.Workers
		for _, s := range poolingShapes {
			out, in, height, width := s[0], s[1], s[2], s[3]
			area, what := height*width, w.ISA()+" "+shape(s[:]...)
			if way.tooSlow(out, in, area) {
				continue
			}
			c, err := NewConvolution(Filters{Values: values(1, out*in*9)}, values(2, out), out, in)
			if err != nil {
				t.Fatal(err)
			}
			c.Method = way.method
			for name, border := range borders(in) {
				x, y, wantY := Single(values(3, in*area)), newGuarded[float32](out*area), make([]float32, out*area)
				signs := make([]uint16, out/channelBlock*area)
				c.ForwardSigned(w, Single(y.values), signs, x, height, width, border)
				c.Forward(w, Single(wantY), x, height, width, true, border)
				same(t, what+" y, "+name, y.values, wantY)
				y.check(t, what+" y, "+name)

				dy, dx, wantX := values(4, out*area), newGuarded[float32](in*area), make([]float32, in*area)
				c.SignedDataGradient(w, dx.values, dy, signs, height, width)
				c.DataGradient(w, wantX, dy, Single(wantY), height, width, Border{})
				same(t, what+" dx, "+name, dx.values, wantX)
				dx.check(t, what+" dx, "+name)
			}
		}
	}
}

func TestWinogradIsUsedWhereItCanBe(t *testing.T) {
	for _, c := range []struct {
		method  Method
		out, in int
		want    bool
	}{
		{Fastest, 64, 64, true},
		{BFloat16, 64, 32, true},
		{Fastest, 64, 3, false},
		{Fastest, 72, 64, false},
		{Direct, 64, 64, false},
	} {
		if got := c.method.Winograd(c.out, c.in); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

// BenchmarkConvolution runs every layer of VGG-19 at 256×256 on all cores. The
// rate counts the operations of direct convolution.
func BenchmarkConvolution(b *testing.B) {
	for _, set := range isas() {
		w := newWorkers(runtime.GOMAXPROCS(0), set)
		for _, l := range vgg19.Convolutions[:13] {
			size := 256 >> (l.Block - 1)
			area := size * size
			c, err := NewConvolution(Filters{Values: values(1, l.Out*l.In*9)}, values(2, l.Out), l.Out, l.In)
			if err != nil {
				b.Fatal(err)
			}
			x, y := values(3, l.In*area), make([]float32, l.Out*area)
			operations := float64(2 * 9 * l.In * l.Out * area)
			b.Run(set.name+"/"+l.Name+"/forward", func(b *testing.B) {
				for b.Loop() {
					c.Forward(w, Single(y), Single(x), size, size, true, Border{})
				}
				reportRate(b, operations)
			})
			dy, dx := values(4, l.Out*area), make([]float32, l.In*area)
			b.Run(set.name+"/"+l.Name+"/gradient", func(b *testing.B) {
				for b.Loop() {
					c.DataGradient(w, dx, dy, Single(y), size, size, Border{})
				}
				reportRate(b, operations)
			})
		}
		w.Close()
	}
}

// TestReLUDoesNotHideNaN: a descent that has gone wrong must show in its loss.
func TestReLUDoesNotHideNaN(t *testing.T) {
	const side = 23
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, channels := range []int{3, 64} {
			for _, method := range []Method{Fastest, BFloat16, Direct} {
				if method == BFloat16 && w.CheckBFloat16() != nil {
					continue
				}
				c, err := NewConvolution(Filters{Values: values(1, 64*channels*9)}, values(2, 64), 64, channels)
				if err != nil {
					t.Fatal(err)
				}
				c.Method = method
				x, y := values(3, channels*side*side), make([]float32, 64*side*side)
				const at = 11*side + 9
				x[at] = float32(math.NaN())
				c.Forward(w, Single(y), Single(x), side, side, true, Border{})
				for o := range 64 {
					if v := y[o*side*side+at]; v == v {
						t.Fatalf("%d channels, method %d: output %d beside NaN is %g", channels, method, o, v)
					}
				}
			}
		}
	})
}

// Filters of a palette give the same results as their values, bit for bit.
func TestPalettesComputeWhatTheirValuesDo(t *testing.T) {
	onEveryISA(t, func(t *testing.T, set *isa, w *Workers) {
		palette := (*[256]float32)(values(7, 256))
		for _, method := range []Method{Fastest, Direct} {
			for _, channels := range [][2]int{{16, 16}, {32, 16}, {48, 80}, {5, 3}} {
				out, in := channels[0], channels[1]
				indices, plain := make([]byte, out*in*9), make([]float32, out*in*9)
				for i := range indices {
					indices[i] = byte(i*i + 3*i)
					plain[i] = palette[indices[i]]
				}
				const height, width = 9, 13
				results := func(filters Filters) (y, dx []float32) {
					c, err := NewConvolution(filters, values(2, out), out, in)
					if err != nil {
						t.Fatal(err)
					}
					c.Method = method
					y, dx = make([]float32, out*height*width), make([]float32, in*height*width)
					c.Forward(w, Single(y), Single(values(3, in*height*width)), height, width, true, Border{})
					c.DataGradient(w, dx, values(4, out*height*width), Single(y), height, width, Border{})
					return y, dx
				}
				y, dx := results(Filters{Palette: palette, Indices: indices})
				wantY, wantDx := results(Filters{Values: plain})
				same(t, "results of "+shape(out, in), y, wantY)
				same(t, "gradient of "+shape(out, in), dx, wantDx)
			}
		}
	})
}
