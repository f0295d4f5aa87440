package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// Each inner loop of Winograd's convolution is compared with the one in Go
// over counts that leave every kind of rest. Both round the same operations,
// once more where assembly fuses them.
const toleranceTransform = 1e-6

func onEveryWinograd(t *testing.T, test func(t *testing.T, k winogradKernels)) {
	onEveryISA(t, func(t *testing.T, set *isa, _ *Workers) { test(t, set.winograd) })
}

// beside runs a kernel and the one in Go on buffers of size values that start
// the same and compares them, and what lies around.
func beside(t *testing.T, what string, size int, start []float32, fast, slow func(to []float32)) {
	t.Helper()
	besideIn(t, 1, what, size, start, fast, slow)
}

// besideIn is beside for results that hold pack values a word.
func besideIn(t *testing.T, pack int, what string, size int, start []float32, fast, slow func(to []float32)) {
	t.Helper()
	got, want := newGuarded[float32](size), make([]float32, size)
	if start != nil {
		copy(got.values, start)
		copy(want, start)
	} else {
		clear(got.values)
	}
	fast(got.values)
	slow(want)
	got.check(t, what)
	if pack == 1 {
		near(t, what, got.values, want, toleranceTransform)
		return
	}
	// What is next to the middle of two may be rounded either way.
	near(t, what, unpaired(got.values), unpaired(want), 1./256)
}

func paired(values []float32) []float32 {
	words := make([]float32, len(values)/2)
	for i := range words {
		words[i] = pairOf(values[2*i], values[2*i+1])
	}
	return words
}

func unpaired(words []float32) []float32 {
	var values []float32
	for _, w := range words {
		even, odd := unpair(w)
		values = append(values, even, odd)
	}
	return values
}

func TestGatherMatchesGo(t *testing.T) {
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		for n := 1; n <= 50; n++ {
			for _, masked := range []bool{false, true} {
				plane := n + n%7
				x := values(1, (channelBlock-1)*plane+n)
				var mask []float32
				if masked {
					mask = values(2, len(x))
				}
				to := newGuarded[float32]((n + 15) / 16 * 16 * channelBlock)
				k.gather(to.values, x, mask, plane, n, 0)
				want := make([]float32, n*channelBlock)
				gatherGo(want, x, mask, plane, n, 0)
				same(t, fmt.Sprint("gather ", n, masked), to.values[:len(want)], want)
				to.check(t, fmt.Sprint("gather ", n, masked))
			}
		}
	})
}

// ties are n values of which many are equal and some zero.
func ties(seed uint64, n int) []float32 {
	x := values(seed, n)
	for i, v := range x {
		x[i] = max(0, float32(math.Round(float64(v))))
	}
	return x
}

func TestPoolPixelsMatchesGo(t *testing.T) {
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		for n := 1; n <= 9; n++ {
			row := (2*n + n%3) * channelBlock
			x := values(1, 2*row)
			beside(t, fmt.Sprint("poolPixels ", n), n*channelBlock, nil,
				func(to []float32) { k.poolPixels(to, x, row, n) },
				func(to []float32) { poolPixelsGo(to, x, row, n) })
		}
	})
}

func TestChosenPixelsMatchGo(t *testing.T) {
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		for n := 1; n <= 20; n++ {
			row := (2*n + n%3) * channelBlock
			x := ties(1, 2*row)
			what := fmt.Sprint("choosePixels ", n)
			to, want := newGuarded[float32](n*channelBlock), make([]float32, n*channelBlock)
			choices, wantChoices := newGuardedBytes(n*channelBlock), make([]uint8, n*channelBlock)
			k.choosePixels(to.values, choices.values, x, row, n)
			choosePixelsGo(want, wantChoices, x, row, n)
			same(t, what, to.values, want)
			to.check(t, what)
			if !slices.Equal(choices.values, wantChoices) {
				t.Fatalf("%s: choices are %v, want %v", what, choices.values, wantChoices)
			}
			choices.check(t, what)

			inPlace := slices.Clone(x)
			k.choosePixels(inPlace, choices.values, inPlace, row, n)
			same(t, what+" in place", inPlace[:len(want)], want)
			if !slices.Equal(choices.values, wantChoices) {
				t.Fatalf("%s: choices are %v in place, want %v", what, choices.values, wantChoices)
			}

			for below := range 2 {
				what := fmt.Sprint("expandPixels ", n, below)
				dy := values(2, n*channelBlock)
				row, wantRow := newGuarded[float32](2*n*channelBlock), make([]float32, 2*n*channelBlock)
				k.expandPixels(row.values, dy, wantChoices, n, below)
				expandPixelsGo(wantRow, dy, wantChoices, n, below)
				same(t, what, row.values, wantRow)
				row.check(t, what)
			}
		}
	})
}

// TestChoicesAreTheFirstPositiveMaxima: NaN isn't positive, nor are maxima of zero.
func TestChoicesAreTheFirstPositiveMaxima(t *testing.T) {
	nan := float32(math.NaN())
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		for window, want := range map[[4]float32]uint8{
			{3, 1, 2, 0}: 0, {1, 3, 3, 3}: 1, {0, 1, 2, 2}: 2, {-1, -1, -1, 5}: 3,
			{0, 0, 0, 0}: notPositive, {-1, -2, -1, -3}: notPositive, {nan, nan, nan, nan}: notPositive,
		} {
			x := make([]float32, 4*channelBlock)
			for i := range x {
				x[i] = window[i/channelBlock]
			}
			to, choices := make([]float32, channelBlock), make([]uint8, channelBlock)
			k.choosePixels(to, choices, x, 2*channelBlock, 1)
			if choices[0] != want || choices[channelBlock-1] != want {
				t.Errorf("of %v, %v are chosen, want %d", window, choices, want)
			}
		}
	})
}

func TestSignedPixelsMatchGo(t *testing.T) {
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		for n := 1; n <= 40; n++ {
			x := ties(1, n*channelBlock) // with zeros
			for i, v := range values(2, len(x)) {
				switch {
				case v < -1.5:
					x[i] = float32(math.NaN())
				case v < 0:
					x[i] = -x[i]
				}
			}
			all := slices.Repeat([]uint16{0xa5a5}, n+2*guard)
			signs, want := all[guard:guard+n], make([]uint16, n)
			k.signPixels(signs, x, n)
			signPixelsGo(want, x, n)
			if !slices.Equal(signs, want) {
				t.Fatalf("signs of %d pixels are %04x, want %04x", n, signs, want)
			}
			for i, s := range all {
				if (i < guard || i >= guard+n) && s != 0xa5a5 {
					t.Fatalf("wrote %04x at %d, outside of the signs of %d pixels", s, i-guard, n)
				}
			}

			masked, wantMasked := newGuarded[float32](n*channelBlock), slices.Clone(x)
			copy(masked.values, x)
			k.maskPixels(masked.values, signs, n)
			maskPixelsGo(wantMasked, signs, n)
			same(t, fmt.Sprint("maskPixels ", n), masked.values, wantMasked)
			masked.check(t, fmt.Sprint("maskPixels ", n))
			for i, v := range x {
				if want := max(v, 0); wantMasked[i] != want && v == v || v != v && wantMasked[i] != 0 {
					t.Fatalf("%v masked by its own sign is %v", v, wantMasked[i])
				}
			}
		}
	})
}

// guardedBytes are n bytes between others that must stay as they are.
type guardedBytes struct{ all, values []uint8 }

func newGuardedBytes(n int) guardedBytes {
	all := slices.Repeat([]uint8{0xa5}, n+2*guard)
	return guardedBytes{all, all[guard : guard+n]}
}

func (g guardedBytes) check(t *testing.T, what string) {
	t.Helper()
	for i, b := range g.all {
		if (i < guard || i >= guard+len(g.values)) && b != 0xa5 {
			t.Fatalf("%s: wrote %#02x at %d, outside of the %d bytes", what, b, i-guard, len(g.values))
		}
	}
}

func TestTransposeMatchesGo(t *testing.T) {
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		for _, row := range []int{16, 17, 144} {
			from := values(1, 16*row)
			beside(t, fmt.Sprint("transpose ", row), 16*(row+1), nil,
				func(to []float32) { k.transpose(to, from, row+1, row) },
				func(to []float32) { transposeGo(to, from, row+1, row) })
		}
	})
}

func TestScatterMatchesGo(t *testing.T) {
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		for n := 1; n <= 50; n++ {
			plane := n + n%7
			from := values(1, (n+15)/16*16*channelBlock)
			size := (channelBlock-1)*plane + n
			beside(t, fmt.Sprint("scatter ", n), size, values(2, size),
				func(y []float32) { k.scatter(y, from, plane, n) },
				func(y []float32) { scatterGo(y, from, plane, n) })
		}
	})
}

func TestTransformsMatchGo(t *testing.T) {
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		for i := range k.forms {
			testTransforms(t, &k.forms[i], &winogradGo.forms[i])
		}
		if k.bfloat16 != nil {
			testTransforms(t, k.bfloat16, winogradGo.bfloat16)
		}
	})
}

func testTransforms(t *testing.T, f, slow *winogradForm) {
	biases, filters := values(3, channelBlock), values(4, filterBlock)
	for n := 1; n <= 10; n++ {
		what := func(kernel string) string { return fmt.Sprint(kernel, f.tile, " ", n) }
		columns := f.tile*n + 2
		row := (columns + n%3) * channelBlock
		x := values(1, f.inputs()*row)
		beside(t, what("transformColumns"), len(x), x,
			func(x []float32) { f.transformColumns(x, row, columns) },
			func(x []float32) { slow.transformColumns(x, row, columns) })
		step := n*channelChunk + n%3*16
		besideIn(t, f.pack, what("transformRows"), f.products()*step, nil,
			func(v []float32) { f.transformRows(v, x, step, row, n) },
			func(v []float32) { slow.transformRows(v, x, step, row, n) })
		m := values(2, f.products()*step)
		beside(t, what("invertRows"), f.inputs()*row, nil,
			func(y []float32) { f.invertRows(y, m, step, row, n) },
			func(y []float32) { slow.invertRows(y, m, step, row, n) })
		for rectify := range 2 {
			beside(t, what("invertColumns"), len(x), x,
				func(y []float32) { f.invertColumns(y, biases, row, f.tile*n, rectify) },
				func(y []float32) { slow.invertColumns(y, biases, row, f.tile*n, rectify) })
		}
	}
	for turned := range 2 {
		step := channelBlock*channelChunk + 16
		besideIn(t, f.pack, fmt.Sprint("transformFilter", f.tile, " ", turned), f.products()*step, nil,
			func(u []float32) { f.transformFilter(u, filters, step, turned) },
			func(u []float32) { slow.transformFilter(u, filters, step, turned) })
	}
}

func TestMultiplyMatchesGo(t *testing.T) {
	onEveryWinograd(t, func(t *testing.T, k winogradKernels) {
		forms := []*winogradForm{&k.forms[0], &k.forms[1]}
		if k.bfloat16 != nil {
			forms = append(forms, k.bfloat16)
		}
		for _, f := range forms {
			slow := multiplyGo
			if f.pack == 2 {
				slow = multiplyBFloat16Go
			}
			for n := 1; n <= 20; n++ {
				for _, depth := range []int{16, 32, 48, 64} {
					for accumulate := range 2 {
						v, u := values(1, n*channelChunk), values(2, depth*channelChunk)
						if f.pack == 2 {
							v, u = paired(v), paired(u)
						}
						beside(t, fmt.Sprint("multiply ", f.tile, f.pack, n, depth, accumulate), n*channelChunk, values(3, n*channelChunk),
							func(m []float32) { f.multiply(m, v, u, n, depth, accumulate) },
							func(m []float32) { slow(m, v, u, n, depth, accumulate) })
					}
				}
			}
		}
	})
}

func TestTileGroupsAreFewButKeepThreadsAtWork(t *testing.T) {
	for _, c := range []struct{ tiles, outs, threads, groups int }{
		{121, 4, 1, 1},
		{121, 4, 2, 1},
		{121, 4, 3, 2}, // 8 parts in 3 turns
		{121, 8, 3, 1},
		{121, 4, 16, 4},
		{1000, 4, 2, 4}, // not more than tileGroup each
		{40, 1, 64, 1},  // not fewer than smallestGroup each
	} {
		if got := tileGroups(c.tiles, c.outs, c.threads); got != c.groups {
			t.Errorf("%d tiles by %d chunks on %d threads: %d groups, want %d", c.tiles, c.outs, c.threads, got, c.groups)
		}
	}
}
