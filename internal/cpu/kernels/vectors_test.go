package kernels

import (
	"math"
	"testing"
)

var vectorLengths = []int{0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, vectorBlock - 1, vectorBlock, vectorBlock + 1, 3*vectorBlock + 5}

func TestVectorOperationsMatchPlainLoops(t *testing.T) {
	operations := []struct {
		name   string
		fast   func(w *Workers, y, x []float32)
		define func(y, x float64) float64
	}{
		{"AddTo", AddTo, func(y, x float64) float64 { return y + x }},
		{"Scale", func(w *Workers, y, _ []float32) { Scale(w, 1.7, y) }, func(y, _ float64) float64 { return 1.7 * y }},
		{"Axpy", func(w *Workers, y, x []float32) { Axpy(w, y, -0.3, x) }, func(y, x float64) float64 { return y - 0.3*x }},
		{"Clamp", func(w *Workers, y, _ []float32) { Clamp(w, y, -0.5, 0.7) }, func(y, _ float64) float64 { return min(max(y, -0.5), 0.7) }},
		{"Average", func(w *Workers, y, x []float32) { Average(w, y, 0.99, x) }, func(y, x float64) float64 { return 0.99*y + 0.01*x }},
	}
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, o := range operations {
			for _, n := range vectorLengths {
				x, want := values(1, n), float64s(values(2, n))
				y := newGuarded[float32](n)
				copy(y.values, values(2, n))
				for i := range want {
					want[i] = o.define(want[i], float64(x[i]))
				}
				o.fast(w, y.values, x)
				near(t, o.name+shape(n), y.values, want, 2e-7)
				y.check(t, o.name+shape(n))
			}
		}
	})
}

func TestCombineMatchesPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, n := range vectorLengths {
			x, y := float64s(values(1, n)), float64s(values(2, n))
			want, to := make([]float64, n), newGuarded[float64](n)
			for i := range want {
				want[i] = 0.7*x[i] - 1.3*y[i]
			}
			Combine(w, to.values, 0.7, x, -1.3, y)
			near(t, "combine "+shape(n), to.values, want, 1e-15)
			to.check(t, "combine "+shape(n))
			Combine(w, x, 0.7, x, -1.3, y)
			same(t, "combine in place "+shape(n), x, to.values)
		}
	})
}

func TestPullMatchesPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, n := range vectorLengths {
			to, x, y := newGuarded[float32](n), values(1, n), values(2, n)
			copy(to.values, values(3, n))
			want := float64s(values(3, n))
			for i := range want {
				want[i] += 0.3 * (float64(x[i]) - float64(y[i]))
			}
			w.AddDifference(to.values, x, y, 0.3)
			near(t, "pull "+shape(n), to.values, want, 1e-6)
			to.check(t, "pull "+shape(n))
		}
	})
}

func TestSpreadSumsInFloat64(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, n := range vectorLengths {
			x, y := values(1, n), values(2, n)
			want := 0.0
			for i := range x {
				d := float64(x[i] - y[i])
				want += d * d
			}
			if got := w.SquaredDistance(x, y); !(math.Abs(got-want) <= 1e-13*want) {
				t.Errorf("%d values: %v, want %v", n, got, want)
			}
		}
	})
}

func TestDotSumsInFloat64(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, n := range vectorLengths {
			x, y := values(1, n), values(2, n)
			want, size := 0.0, 0.0
			for i := range x {
				p := float64(x[i]) * float64(y[i])
				want += p
				size += math.Abs(p)
			}
			if got := Dot(w, x, y); !(math.Abs(got-want) <= 1e-14*size) {
				t.Errorf("%d values: %v, want %v", n, got, want)
			}
		}
	})
}

func TestAdamStepMatchesItsFormula(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, n := range vectorLengths {
			point, mean, square := newGuarded[float32](n), newGuarded[float32](n), newGuarded[float32](n)
			copy(point.values, values(1, n))
			clear(mean.values)
			clear(square.values)
			wantPoint, wantMean, wantSquare := float64s(values(1, n)), make([]float64, n), make([]float64, n)
			a := Adam{StepSize: 0.02, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8}
			for a.Iteration = 1; a.Iteration <= 3; a.Iteration++ {
				gradient := values(uint64(10+a.Iteration), n)
				AdamStep(w, point.values, gradient, mean.values, square.values, a)
				for i, g := range float64s(gradient) {
					wantMean[i] = 0.9*wantMean[i] + 0.1*g
					wantSquare[i] = 0.99*wantSquare[i] + 0.01*g*g
					m := wantMean[i] / (1 - math.Pow(0.9, float64(a.Iteration)))
					s := wantSquare[i] / (1 - math.Pow(0.99, float64(a.Iteration)))
					wantPoint[i] -= 0.02 * m / (math.Sqrt(s) + 1e-8)
				}
			}
			near(t, "point", point.values, wantPoint, 1e-6)
			near(t, "mean", mean.values, wantMean, 1e-6)
			near(t, "square", square.values, wantSquare, 1e-6)
			point.check(t, "point")
			mean.check(t, "mean")
			square.check(t, "square")
		}
	})
}
