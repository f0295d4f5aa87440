//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

// covarianceSummary are the moments of n points in c dimensions, of which some have far
// less variance than others.
func covarianceSummary(c, n int, seed uint64) []float64 {
	x, random := normal(c*n, seed), rand.New(rand.NewPCG(seed, 7))
	for i := range c {
		size := float32(math.Exp(-3 * random.Float64()))
		for k := range n {
			x[i*n+k] = size * (x[i*n+k] + 0.7*x[k] + 0.5)
		}
	}
	summary := make([]float64, c+c*c)
	pure.Moments(summary[:c], summary[c:], x, c)
	return summary
}

// invert runs the steps of inverting the matrices at from, by way of spare memory, to to.
func invert(t *testing.T, n int, spread any, pairs ...[3]host.Memory) {
	t.Helper()
	steps := blocks(n, 32)
	grid, pivots := host.Dim{X: blocks(n, 64)*blocks(n, 64) + 1, Z: len(pairs)}, host.Allocate(8*4096)
	for step := range steps {
		var arguments []any
		for _, p := range [2][3]host.Memory{pairs[0], pairs[len(pairs)-1]} {
			to, from := p[0], p[2]
			if (steps-step)%2 == 0 {
				to, from = p[2], p[0]
			}
			if step == 0 {
				from = p[1]
			}
			arguments = append(arguments, to, from)
		}
		launch(t, "invert_step", grid, vectorBlock, 0, append(arguments, pivots, spread, n, step)...)
	}
}

func TestInverseTimesMatrixIsOne(t *testing.T) {
	for _, n := range []int{1, 20, 32, 33, 70, 128, 160} {
		summary := covarianceSummary(n, 2*n+3, 1)
		matrix := summary[n:]
		for i := range n {
			matrix[i*n+i] += 1e-3
		}
		inEveryOrder(t, func(t *testing.T) {
			to := host.Allocate(8 * n * n)
			invert(t, n, 0, [3]host.Memory{to, host.From(matrix), host.Allocate(8 * n * n)})
			var product mat.Dense
			product.Mul(mat.NewDense(n, n, matrix), mat.NewDense(n, n, host.Of[float64](to)[:n*n]))
			one := make([]float64, n*n)
			for i := range n {
				one[i*n+i] = 1
			}
			near(t, "product", product.RawMatrix().Data, one, 1e-8)
		})
	}
}

func TestGaussianMatchesItsDefinition(t *testing.T) {
	for _, shape := range [][3]int{{5, 30, 40}, {64, 100, 300}, {70, 40, 90}, {3, 50, 50}} {
		for _, same := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d channels, equal %t", shape[0], same), func(t *testing.T) {
				n := shape[0]
				loss := pure.Gaussian{Channels: n, Ridge: 1e-4, Scaled: true}
				summary, target := covarianceSummary(n, shape[1], 1), covarianceSummary(n, shape[2], 2)
				if same {
					target = summary
				}
				want := make([]float64, 1+n+n*n)
				var err error
				if want[0], err = loss.Compare(want[1:], summary, target); err != nil {
					t.Fatal(err)
				}
				got, residual := gaussian(t, loss, summary, target, transport)
				if !(residual < 5e-5) {
					t.Errorf("residual %g, want 5e-5 at most", residual)
				}
				// 1 − T of T = 1 is rounding only.
				scale := loss.Target(target).Scale
				for i, v := range want {
					if d := math.Abs(got[i] - v); !(d <= 2e-4*max(scale, math.Abs(v))) {
						t.Fatalf("element %d is %g, want %g", i, got[i], v)
					}
				}
			})
		}
	}
}

// featureSummary has the moments of some channels × positions, times a factor, with the
// rounding of float32.
func featureSummary(c int, factor float32, x []float32) []float64 {
	for i := range x {
		x[i] *= factor
	}
	summary := make([]float64, c+c*c)
	pure.Moments(summary[:c], summary[c:], x, c)
	for i, v := range summary[c:] {
		summary[c+i] = float64(float32(v))
	}
	return summary
}

// oneColour are features of n positions with the same activation, but for contrast times
// as much.
func oneColour(c, n int, contrast float32, seed uint64) []float32 {
	first, x := normal(c, seed), normal(c*n, seed+1)
	for i := range x {
		x[i] = first[i/n] * (1 + contrast*x[i])
	}
	return x
}

// oneDirection are features that differ in how strong they are only.
func oneDirection(c, n int, seed uint64) []float32 {
	first, strengths, x := normal(c, seed), normal(n, seed+1), make([]float32, c*n)
	for i := range x {
		x[i] = first[i/n] * (1 + strengths[i%n]/3)
	}
	return x
}

// TestGaussianRidgesMatchTheirDefinition takes pairs for which the picture's ridge, which
// moves with the picture, is another than the target's: where the target is weak. All have
// to be found. The tolerance is a little more than the error of the last step, in units of
// the map: the slope of the ridge is far above that where the map is small.
func TestGaussianRidgesMatchTheirDefinition(t *testing.T) {
	const n, accuracy = 70, 1.3e-5
	bright := func() []float32 { return normal(n*100, 1) }
	for _, test := range []struct {
		name            string
		summary, target []float64
		least           bool // whether the picture's ridge is the least that it may be
	}{
		{"a target of one colour", featureSummary(n, 1, bright()), featureSummary(n, 1, oneColour(n, 40, 0, 2)), false},
		{"a brighter picture, a target of one colour", featureSummary(n, 2, bright()), featureSummary(n, 1, oneColour(n, 40, 0, 2)), true},
		{"a weak target of one colour", featureSummary(n, 1, bright()), featureSummary(n, 1e-3, oneColour(n, 40, 0, 2)), true},
		{"a target of hardly any contrast", featureSummary(n, 3, bright()), featureSummary(n, 1, oneColour(n, 40, 1e-4, 2)), true},
		{"a target of one position", featureSummary(n, 3, bright()), featureSummary(n, 1, oneColour(n, 1, 0, 2)), true},
		{"a target of one direction", featureSummary(n, 1, bright()), featureSummary(n, 1, oneDirection(n, 40, 2)), false},
		{"a weak target of one direction", featureSummary(n, 1, bright()), featureSummary(n, 1e-2, oneDirection(n, 40, 2)), true},
		{"a weak target", featureSummary(n, 1, bright()), featureSummary(n, 1e-2, normal(n*100, 3)), true},
		{"a far weaker target of few positions", featureSummary(n, 1, bright()), featureSummary(n, 1e-5, normal(n*20, 3)), true},
		{"a picture of one colour", featureSummary(n, 1, oneColour(n, 40, 0, 4)), featureSummary(n, 1, normal(n*100, 3)), false},
		{"a bright picture of one colour", featureSummary(n, 30, oneColour(n, 40, 0, 4)), featureSummary(n, 1, normal(n*100, 3)), true},
		{"both of one colour", featureSummary(n, 10, oneColour(n, 40, 0, 4)), featureSummary(n, 1, oneColour(n, 30, 0, 2)), true},
		{"a far stronger target", featureSummary(n, 1e-3, bright()), featureSummary(n, 1, normal(n*100, 3)), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			loss := pure.Gaussian{Channels: n, Ridge: 1e-4, Scaled: true}
			prepared := loss.Target(test.target)
			ridge, slope := loss.RidgeOf(test.summary, prepared)
			if least := slope > 0; least != test.least {
				t.Fatalf("the picture's ridge is %g and the target's %g: the least %t, want %t", ridge, prepared.Ridge, least, test.least)
			}
			want := make([]float64, n+n*n)
			value, err := loss.Compare(want, test.summary, test.target)
			if err != nil {
				t.Fatal(err)
			}
			got, residual := gaussian(t, loss, test.summary, test.target, transport)
			if !(residual < pure.TransportResidual) {
				t.Errorf("residual %g, want %g at most", residual, pure.TransportResidual)
			}
			var transport, mean, variance float64 // |T|, |μ| and tr Σ
			for i, v := range want[n:] {
				if i/n == i%n {
					v -= prepared.Scale
					variance += test.summary[n+i] - test.summary[i/n]*test.summary[i/n] + ridge
				}
				transport += v * v
			}
			for _, v := range test.summary[:n] {
				mean += v * v
			}
			transport, mean = math.Sqrt(transport), math.Sqrt(mean)
			if off, most := math.Abs(got[0]-value), 2*accuracy*prepared.Scale*math.Sqrt(prepared.Trace*variance); !(off <= most) {
				t.Errorf("loss %.12g, want %.12g, off by %.2g, want %.2g at most", got[0], value, off, most)
			}
			if off, most := distance(got[1:1+n], want[:n]), 2*accuracy*transport*mean; !(off <= most) {
				t.Errorf("the mean's cotangent is off by %.2g, want %.2g at most", off, most)
			}
			if off, most := distance(got[1+n:], want[n:]), accuracy*transport; !(off <= most) {
				t.Errorf("the second moment's cotangent is off by %.2g, want %.2g at most", off, most)
			}
		})
	}
}

// distance is |a−b|.
func distance(a, b []float64) float64 {
	var sum float64
	for i, v := range b {
		sum += (a[i] - v) * (a[i] - v)
	}
	return math.Sqrt(sum)
}

// transported is a loss being evaluated: the target's covariance, then Σ, its ridge and the
// map.
type transported struct {
	loss                       pure.Gaussian
	target                     *pure.GaussianTarget
	summary, numbers           host.Memory
	to, sigma, ridge, m        host.Memory
	probes, probed, targetMean host.Memory
}

// covariance makes Σ, also in an order where there is one.
func (g *transported) covariance(t *testing.T, ordered, order any) {
	launch(t, "gaussian_covariance", someGrid, vectorBlock, 0, g.sigma, ordered, g.ridge, g.summary, g.numbers, order, g.loss.Channels)
}

// products are the partial sums of Σₜ·Σ.
func (g *transported) products(t *testing.T) host.Memory {
	partials, n := host.Allocate(3*8), g.loss.Channels
	launch(t, "dot_partials_f64", someGrid, vectorBlock, 0, partials, g.to, g.sigma, n*n)
	return partials
}

// gaussian evaluates the loss on the device, with the map that a function finds.
func gaussian(t *testing.T, loss pure.Gaussian, summary, target []float64, find func(*testing.T, *transported)) (result []float64, residual float64) {
	n := loss.Channels
	prepared := loss.Target(target)
	probes := make([]float64, n*pure.TransportProbes)
	if !pure.ProbeTransport(probes, append([]float64(nil), prepared.Covariance...)) {
		t.Fatal("the target has no inverse")
	}
	var probed mat.Dense
	probed.Mul(mat.NewDense(n, n, prepared.Covariance), mat.NewDense(n, pure.TransportProbes, probes))
	g := &transported{
		loss: loss, target: prepared, summary: host.From(summary), targetMean: host.From(target[:n]),
		numbers: host.From([]float64{prepared.Ridge, prepared.Trace, prepared.Scale, loss.LeastRidge()}),
		to:      host.From(prepared.Covariance), sigma: host.Allocate(8 * n * n), ridge: host.Allocate(3 * 8), m: host.Allocate(8 * n * n),
		probes: host.From(probes), probed: host.From(probed.RawMatrix().Data),
	}
	find(t, g)
	thin := [2]host.Memory{host.Allocate(8 * n * 16), host.Allocate(8 * n * 16)}
	grid, left := host.Dim{X: blocks(n, 16)}, host.Allocate(8)
	launch(t, "thin_product", grid, vectorBlock, 0, thin[0], g.m, g.probes, n)
	launch(t, "thin_product", grid, vectorBlock, 0, thin[1], g.sigma, thin[0], n)
	launch(t, "thin_product", grid, vectorBlock, 0, thin[0], g.m, thin[1], n)
	launch(t, "transport_residual", host.Dim{}, vectorBlock, 0, left, thin[0], g.probed, n)
	r, values := newComparison(n+n*n), host.Allocate(8*n)
	launch(t, "gaussian_rows", host.Dim{X: blocks(n, 8)}, vectorBlock, 0, r.cotangent, values, g.summary, g.targetMean, g.m, g.sigma, g.numbers, g.ridge, r.grad, n)
	launch(t, "gaussian_value", host.Dim{}, vectorBlock, 0, r.value, values, g.numbers, n)
	return r.result(), host.Of[float64](left)[0]
}

// transport finds a map by float64.
func transport(t *testing.T, g *transported) {
	n := g.loss.Channels
	matrix := func() host.Memory { return host.Allocate(8 * n * n) }
	inverse, spreads := matrix(), host.Allocate(5*8)
	u, v, w, x, y, spare, spare2 := matrix(), matrix(), matrix(), matrix(), matrix(), matrix(), matrix()
	invert(t, n, 0, [3]host.Memory{inverse, g.to, spare})
	g.covariance(t, 0, 0)
	launch(t, "transport_begin", someGrid, vectorBlock, 0, g.m, u, v, spreads, g.to, inverse, g.sigma, g.products(t), 3, g.ridge, n)
	for step := range 4 {
		pairs := [][3]host.Memory{{w, u, spare}, {v, g.m, spare2}}
		if step == 0 {
			pairs = pairs[:1]
		}
		invert(t, n, spreads.At(8*step), pairs...)
		launch(t, "transport_combine", someGrid, vectorBlock, 0, g.m, u, spreads, v, w, g.ridge, n, step)
	}
	invert(t, n, 0, [3]host.Memory{v, g.m, spare})
	launch(t, "transport_shift", someGrid, vectorBlock, 0, x, y, u, v, spreads, g.ridge, n)
	invert(t, n, 0, [3]host.Memory{v, x, spare}, [3]host.Memory{w, y, spare2})
	launch(t, "transport_end", someGrid, vectorBlock, 0, g.m, v, w, spreads, g.ridge, n)
}
