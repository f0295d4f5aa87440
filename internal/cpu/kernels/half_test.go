package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// halves rounds values.
func halves(x []float32) []Half {
	h := make([]Half, len(x))
	narrowGo(h, x)
	return h
}

// widened are the values of halves.
func widened(h []Half) []float32 {
	x := make([]float32, len(h))
	widenGo(x, h)
	return x
}

// guardedHalves are n halves that start as NaN, between others that must stay as
// they are.
type guardedHalves struct{ all, values []Half }

func newGuardedHalves(n int) guardedHalves {
	all := slices.Repeat([]Half{0x1234}, n+2*guard)
	values := all[guard : guard+n]
	for i := range values {
		values[i] = 0x7e00
	}
	return guardedHalves{all, values}
}

func (g guardedHalves) check(t *testing.T, what string) {
	t.Helper()
	for i, h := range g.all {
		if (i < guard || i >= guard+len(g.values)) && h != 0x1234 {
			t.Fatalf("%s: wrote %#04x at %d, outside of the %d values", what, uint16(h), i-guard, len(g.values))
		}
	}
}

// sameHalves compares bit by bit, but takes any NaN for any other.
func sameHalves(t *testing.T, what string, got, want []Half) {
	t.Helper()
	for i, h := range want {
		if v := h.Float32(); got[i] != h && (v == v || got[i]&0x7fff <= 0x7c00) {
			t.Fatalf("%s: value %d is %#04x, want %#04x, bit by bit", what, i, uint16(got[i]), uint16(h))
		}
	}
}

// rough are n values of all sizes, with some that a Half can't hold.
func rough(seed uint64, n int) []float32 {
	special := []float32{
		0, float32(math.Copysign(0, -1)), 1e-30, -1e-7, 5e-7, 3e-4, HalfLimit, HalfLimit + 255, HalfLimit + 256, -2e6,
		float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1 + 1./2048, 1 + 3./2048, math.MaxFloat32,
	}
	x := values(seed, n)
	for i := range x {
		if i%3 == 0 {
			x[i] = special[i/3%len(special)]
		} else {
			x[i] *= float32(math.Ldexp(1, i%40-20))
		}
	}
	return x
}

func TestHalfHoldsWhatFeaturesReach(t *testing.T) {
	for v, want := range map[float32]float32{
		0: 0, 1: 1, -3: -3, 55019: 55008, HalfLimit: HalfLimit, HalfLimit + 255: HalfLimit,
		HalfLimit + 256: float32(math.Inf(1)), -2e6: float32(math.Inf(-1)), 1. / (1 << 20): 1. / (1 << 20),
	} {
		if got := halfOf(v).Float32(); got != want {
			t.Errorf("%g is held as %g, want %g", v, got, want)
		}
	}
	for v, want := range map[float32]bool{HalfLimit: false, 2e6: true, -2e6: true, float32(math.NaN()): false} {
		if got := Infinite([]Half{0, halfOf(v), 1}); got != want {
			t.Errorf("%g: infinite %t, want %t", v, got, want)
		}
	}
}

func TestHalfVectorsMatchGo(t *testing.T) {
	onEveryISA(t, func(t *testing.T, set *isa, _ *Workers) {
		for n := range 100 {
			x, h := rough(1, n), halves(rough(2, n))
			to, want := newGuarded[float32](n), make([]float32, n)
			set.half.widen(to.values, h)
			widenGo(want, h)
			sameHalves(t, fmt.Sprint("widen ", n), halves(to.values), halves(want))
			for i, v := range want {
				if v == v && to.values[i] != v {
					t.Fatalf("widen %d: value %d is %g, want %g", n, i, to.values[i], v)
				}
			}
			to.check(t, fmt.Sprint("widen ", n))

			rounded, wantRounded := newGuardedHalves(n), make([]Half, n)
			set.half.narrow(rounded.values, x)
			narrowGo(wantRounded, x)
			sameHalves(t, fmt.Sprint("narrow ", n), rounded.values, wantRounded)
			rounded.check(t, fmt.Sprint("narrow ", n))

			passed := newGuarded[float32](n)
			set.half.mask(passed.values, values(3, n), h)
			maskHalfGo(want, values(3, n), h)
			same(t, fmt.Sprint("mask ", n), passed.values, want)
			passed.check(t, fmt.Sprint("mask ", n))
		}
	})
}

func TestGatherAndScatterOfHalfMatchGo(t *testing.T) {
	onEveryISA(t, func(t *testing.T, set *isa, _ *Workers) {
		for n := 1; n <= 50; n++ {
			plane := n + n%7
			size := (channelBlock-1)*plane + n
			x, h := values(1, size), halves(values(2, size))
			want := make([]float32, n*channelBlock)
			what := fmt.Sprint("gather ", n)

			to := newGuarded[float32](len(want))
			set.half.gather(to.values, h, plane, n, 0)
			gatherHalfGo(want, h, plane, n, 0)
			same(t, what, to.values, want)
			to.check(t, what)

			to = newGuarded[float32](len(want))
			set.half.gatherMasked(to.values, x, h, plane, n, 0)
			gatherMaskedHalfGo(want, x, h, plane, n, 0)
			same(t, what+" masked", to.values, want)
			to.check(t, what+" masked")

			y, wantY := newGuardedHalves(size), slices.Repeat([]Half{0x7e00}, size)
			set.half.scatter(y.values, want, plane, n)
			scatterHalfGo(wantY, want, plane, n)
			sameHalves(t, fmt.Sprint("scatter ", n), y.values, wantY)
			y.check(t, fmt.Sprint("scatter ", n))
		}
	})
}

// Arithmetic is that on float32: results are those of the widened features, rounded
// once.
func TestConvolutionOfHalfIsThatOfItsValues(t *testing.T) {
	all := ways(t)
	kinds := []string{"zero", "replicate", "colour"}
	for i, s := range convolutionShapes {
		out, in, height, width := s[0], s[1], s[2], s[3]
		area := height * width
		x := halves(values(1, in*area))
		c, err := NewConvolution(Filters{Values: values(2, out*in*9)}, values(3, out), out, in)
		if err != nil {
			t.Fatal(err)
		}
		border, dy := borders(in)[kinds[i%len(kinds)]], values(4, out*area)
		for _, w := range all {
			if w.tooSlow(out, in, area) {
				continue
			}
			c.Method = w.method
			what := fmt.Sprint(w.ISA(), " ", s, " ", kinds[i%len(kinds)])
			want := make([]float32, out*area)
			c.Forward(w.Workers, Single(want), Single(widened(x)), height, width, true, border)
			y := newGuarded[float32](out * area)
			c.Forward(w.Workers, Single(y.values), Map{Half: x}, height, width, true, border)
			same(t, what+", from half", y.values, want)
			y.check(t, what+", from half")

			half := newGuardedHalves(out * area)
			c.Forward(w.Workers, Map{Half: half.values}, Map{Half: x}, height, width, true, border)
			sameHalves(t, what+", to half", half.values, halves(want))
			half.check(t, what+", to half")

			dx, dWant := newGuarded[float32](in*area), make([]float32, in*area)
			c.DataGradient(w.Workers, dWant, dy, Single(widened(half.values)), height, width, border)
			c.DataGradient(w.Workers, dx.values, dy, Map{Half: half.values}, height, width, border)
			same(t, what+", gradient", dx.values, dWant)
			dx.check(t, what+", gradient")
		}
	}
}

func TestPoolingOfHalfIsThatOfItsValues(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, m := range poolings {
			for _, s := range poolShapes {
				c, h, wd := s[0], s[1], s[2]
				n, what := c*(h/2)*(wd/2), m.name+shape(c, h, wd)
				x := halves(values(1, c*h*wd))
				want := make([]float32, n)
				m.forward(w, Single(want), Single(widened(x)), c, h, wd)
				y := newGuarded[float32](n)
				m.forward(w, Single(y.values), Map{Half: x}, c, h, wd)
				same(t, what+", from half", y.values, want)
				y.check(t, what)
				half := newGuardedHalves(n)
				m.forward(w, Map{Half: half.values}, Map{Half: x}, c, h, wd)
				sameHalves(t, what+", to half", half.values, halves(want))
				half.check(t, what)

				dx, dWant, dy := newGuarded[float32](c*h*wd), make([]float32, c*h*wd), values(2, n)
				for _, rectified := range []bool{false, true} {
					m.gradient(w, dWant, dy, Single(widened(x)), c, h, wd, rectified)
					m.gradient(w, dx.values, dy, Map{Half: x}, c, h, wd, rectified)
					same(t, what+", gradient", dx.values, dWant)
					dx.check(t, what+", gradient")
				}
			}
		}
	})
}

func TestMomentsOfHalfAreThoseOfItsValues(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, s := range momentShapes {
			channels, n := s[0], s[1]
			x, dmean, dsecond := halves(values(1, channels*n)), float64s(values(2, channels)), float64s(values(3, channels*channels))
			mean, second := make([]float64, channels), make([]float64, channels*channels)
			wantMean, wantSecond := make([]float64, channels), make([]float64, channels*channels)
			Moments(w, mean, second, Map{Half: x}, channels, n, false)
			Moments(w, wantMean, wantSecond, Single(widened(x)), channels, n, false)
			same(t, "mean "+shape(channels, n), mean, wantMean)
			same(t, "second "+shape(channels, n), second, wantSecond)

			dx, dWant := newGuarded[float32](channels*n), make([]float32, channels*n)
			MomentsGradient(w, dx.values, Map{Half: x}, dmean, dsecond, channels, n, false)
			MomentsGradient(w, dWant, Single(widened(x)), dmean, dsecond, channels, n, false)
			same(t, "gradient "+shape(channels, n), dx.values, dWant)
			dx.check(t, "gradient "+shape(channels, n))
		}
	})
}

func TestWideningAMapMatchesItsValues(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, n := range vectorLengths {
			h := halves(values(1, n))
			x := newGuarded[float32](n)
			Widen(w, x.values, h)
			same(t, shape(n), x.values, widened(h))
			x.check(t, shape(n))
		}
	})
}
