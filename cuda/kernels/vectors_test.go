//go:build gpu && cgo && linux

package kernels_test

import (
	"math"
	"testing"
	"unsafe"

	"impasto/cuda/kernels/host"
)

var vectorBlock = host.Dim{X: 256}

func TestVectorsMatchTheirLoops(t *testing.T) {
	for _, n := range []int{1, 31, 256, 1000, 5003} {
		inEveryOrder(t, func(t *testing.T) {
			xs, ys := normal(n, 1), normal(n, 2)
			want := make([]float32, n)
			grid := host.Dim{X: 3}

			y := host.From(ys)
			launch(t, "axpy", grid, vectorBlock, 0, y, 0.25, host.From(xs), n)
			for i := range want {
				want[i] = ys[i] + 0.25*xs[i]
			}
			near(t, "axpy", host.Of[float32](y), want, 1e-6)

			x := host.From(xs)
			launch(t, "clamp", grid, vectorBlock, 0, x, -0.5, 1.0, n)
			for i := range want {
				want[i] = min(max(xs[i], -0.5), 1)
			}
			near(t, "clamp", host.Of[float32](x), want, 0)

			mean := host.From(ys)
			launch(t, "average", grid, vectorBlock, 0, mean, 0.9, host.From(xs), n)
			for i := range want {
				want[i] = 0.9*ys[i] + 0.1*xs[i]
			}
			near(t, "average", host.Of[float32](mean), want, 1e-6)

			launch(t, "fill", grid, vectorBlock, 0, y, -0.75, n)
			for i := range want {
				want[i] = -0.75
			}
			near(t, "fill", host.Of[float32](y), want, 0)

			x = host.From(xs)
			launch(t, "scale", grid, vectorBlock, 0, x, 1.5, n)
			launch(t, "scale_by", grid, vectorBlock, 0, y, host.From(xs), scalars(1.5), n)
			for i := range want {
				want[i] = 1.5 * xs[i]
			}
			near(t, "scale", host.Of[float32](x), want, 0)
			near(t, "scale by", host.Of[float32](y), want, 0)

			partials, sum := host.Allocate(3*8), host.Allocate(8)
			launch(t, "dot_partials", grid, vectorBlock, 0, partials, host.From(xs), host.From(ys), n)
			launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, sum, partials, 3, 2.0)
			var dot float64
			for i := range xs {
				dot += 2 * float64(xs[i]) * float64(ys[i])
			}
			near(t, "dot", host.Of[float64](sum)[:1], []float64{dot}, 1e-12)
		})
	}
}

func TestScaledVectorsHaveTheirSquares(t *testing.T) {
	for _, n := range []int{1, 31, 256, 1003} {
		inEveryOrder(t, func(t *testing.T) {
			x, y, partials, sum := normal(n, 1), host.Allocate(4*n), host.Allocate(3*8), host.Allocate(8)
			launch(t, "scale_squares", host.Dim{X: 3}, vectorBlock, 0, y, partials, host.From(x), scalars(-0.25), n)
			launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, sum, partials, 3, 1.0)
			want, squares := make([]float32, n), 0.
			for i := range want {
				want[i] = -0.25 * x[i]
				squares += float64(want[i]) * float64(want[i])
			}
			near(t, "scaled", host.Of[float32](y), want, 0)
			near(t, "squares", host.Of[float64](sum)[:1], []float64{squares}, 1e-12)
		})
	}
}

func TestVectorsOfDoublesMatchTheirLoops(t *testing.T) {
	for _, n := range []int{1, 31, 256, 1003} {
		inEveryOrder(t, func(t *testing.T) {
			xs, ys, want := doubles(n, 1), doubles(n, 2), make([]float64, n)
			sum, scaled, grid := host.Allocate(8*n), host.Allocate(8*n), host.Dim{X: 3}
			launch(t, "add_f64", grid, vectorBlock, 0, sum, host.From(xs), host.From(ys), n)
			for i := range want {
				want[i] = xs[i] + ys[i]
			}
			near(t, "sum", host.Of[float64](sum), want, 0)
			launch(t, "add_f64", grid, vectorBlock, 0, sum, sum, host.From(ys), n) // in place
			launch(t, "scale_by_f64", grid, vectorBlock, 0, scaled, host.From(xs), scalars(-1.0/3), n)
			for i := range want {
				want[i] += ys[i]
			}
			near(t, "sum in place", host.Of[float64](sum), want, 0)
			for i := range want {
				want[i] = -1.0 / 3 * xs[i]
			}
			near(t, "scaled", host.Of[float64](scaled), want, 0)
		})
	}
}

func TestScalarsAreCopiedAndSummedByTheirWeights(t *testing.T) {
	for _, n := range []int{1, 2, 9, 300} {
		xs, weights, to := doubles(n, 1), doubles(n, 2), host.Allocate(8)
		var want float64
		losses, addresses := make([]host.Memory, n), make([]unsafe.Pointer, n)
		for i, x := range xs {
			losses[i] = scalars(x)
			addresses[i] = losses[i].Pointer()
			want += weights[i] * x
		}
		launch(t, "weighted_sum", host.Dim{}, vectorBlock, 0, to, host.From(addresses), host.From(weights), n)
		near(t, "weighted sum", host.Of[float64](to)[:1], []float64{want}, 1e-14)
	}
}

func TestStepsOfTheTwoLoopRecursionMatchTheirLoops(t *testing.T) {
	const product, factor, parts = 1.75, -0.5, 3
	for _, n := range []int{1, 31, 256, 5003} {
		inEveryOrder(t, func(t *testing.T) {
			q, add, with := normal(n, 1), normal(n, 2), normal(n, 3)
			last, alphas := []float64{0.5, -2, 3}, []float64{9, 0.25}
			for _, c := range []struct {
				add, with, second bool
				coefficient       float64
			}{
				{false, true, false, 0}, {true, true, false, -1.5 / product},
				{true, true, true, 0.25 - 1.5/product}, {true, false, true, 0.25 - 1.5/product},
			} {
				to, kept, next := host.From(q), host.From(alphas), host.Allocate(8*parts)
				var adds, withs any = 0, 0
				if c.add {
					adds = host.From(add)
				}
				if c.with {
					withs = host.From(with)
				}
				second := 0
				if c.second {
					second = 1
				}
				launch(t, "two_loop", someGrid, vectorBlock, 0, to, adds, withs, next, host.From(last), 3, kept, 1, second, product, factor, n)
				want, dot := make([]float32, n), 0.
				for i := range want {
					want[i] = factor * (q[i] + float32(c.coefficient)*add[i])
					dot += float64(want[i]) * float64(with[i])
				}
				near(t, "q", host.Of[float32](to), want, 1e-6)
				if c.with {
					got := host.Of[float64](next)
					near(t, "product", []float64{got[0] + got[1] + got[2]}, []float64{dot}, 1e-5)
				}
				if c.add && !c.second {
					near(t, "coefficients", host.Of[float64](kept), []float64{9, 1.5 / product}, 1e-15)
				}
			}
		})
	}
}

func TestAdamMatchesItsFormula(t *testing.T) {
	const n, beta1, beta2, epsilon, iteration = 777, 0.9, 0.99, 1e-8, 3
	point, gradient, mean, square := normal(n, 1), normal(n, 2), normal(n, 3), normal(n, 4)
	want := make([]float64, n)
	for i := range want {
		square[i] *= square[i]
		g := float64(gradient[i])
		m := beta1*float64(mean[i]) + (1-beta1)*g
		s := beta2*float64(square[i]) + (1-beta2)*g*g
		want[i] = float64(point[i]) - 0.02*m/(1-math.Pow(beta1, iteration))/(math.Sqrt(s/(1-math.Pow(beta2, iteration)))+epsilon)
	}
	infinity := math.Inf(1)
	for _, c := range []struct {
		name      string
		low, high float64
		checked   []float64
		other     float64
		stays     bool
	}{
		{"unbounded", -infinity, infinity, nil, 1, false},
		{"within bounds", -0.5, 0.75, []float64{1, -math.MaxFloat64}, 0, false},
		{"a number is infinite", -1, 1, []float64{1, infinity}, 1, true},
		{"a number is none", -1, 1, []float64{math.NaN(), 1}, 1, true},
		{"the other is infinite", -1, 1, []float64{1, 2}, -infinity, true},
	} {
		p, m, s := host.From(point), host.From(mean), host.From(square)
		var checked any = 0
		if c.checked != nil {
			checked = host.From(c.checked)
		}
		launch(t, "adam", host.Dim{X: 2}, vectorBlock, 0, p, host.From(gradient), m, s,
			0.02/(1-math.Pow(beta1, iteration)), 1/(1-math.Pow(beta2, iteration)), beta1, beta2, epsilon,
			c.low, c.high, checked, len(c.checked), scalars(c.other), n)
		if c.stays {
			near(t, c.name+": point", host.Of[float32](p), point, 0)
			near(t, c.name+": mean", host.Of[float32](m), mean, 0)
			near(t, c.name+": square", host.Of[float32](s), square, 0)
			continue
		}
		bounded := make([]float64, n)
		for i, v := range want {
			bounded[i] = min(max(v, c.low), c.high)
		}
		near(t, c.name+": point", host.Of[float32](p), bounded, 1e-6)
	}
}

func TestLayoutsAreThereAndBack(t *testing.T) {
	for _, shape := range [][2]int{{3, 5}, {64, 33}, {37, 100}} {
		inEveryOrder(t, func(t *testing.T) {
			channels, positions := shape[0], shape[1]
			grid, block := host.Dim{X: (positions + 31) / 32, Y: (channels + 31) / 32}, host.Dim{X: 32, Y: 8}
			planes := normal(channels*positions, 1)
			last, back := host.Allocate(len(planes)*4), host.Allocate(len(planes)*4)
			launch(t, "channels_last_f32", grid, block, 0, last, host.From(planes), channels, positions)
			want := make([]float32, len(planes))
			for c := range channels {
				for p := range positions {
					want[p*channels+c] = planes[c*positions+p]
				}
			}
			near(t, "channels last", host.Of[float32](last), want, 0)
			launch(t, "planes_f32", grid, block, 0, back, last, channels, positions)
			near(t, "planes", host.Of[float32](back), planes, 0)
			for suffix, tolerance := range map[string]float64{"f16": 0x1p-8, "bf16": 0x1p-5} {
				half := host.Allocate(len(planes) * 2)
				launch(t, "channels_last_"+suffix, grid, block, 0, half, host.From(planes), channels, positions)
				launch(t, "planes_"+suffix, grid, block, 0, back, half, channels, positions)
				near(t, suffix, host.Of[float32](back), planes, tolerance)
			}
		})
	}
}
