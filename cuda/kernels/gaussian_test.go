//go:build gpu && linux && amd64 && cgo

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
				got, residual := gaussian(t, loss, summary, target)
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

// gaussian evaluates the loss on the device.
func gaussian(t *testing.T, loss pure.Gaussian, summary, target []float64) (result []float64, residual float64) {
	n := loss.Channels
	prepared := loss.Target(target)
	covariance := mat.NewSymDense(n, append([]float64(nil), prepared.Covariance...))
	var cholesky mat.Cholesky
	if !cholesky.Factorize(covariance) {
		t.Fatal("the target has no inverse")
	}
	var root mat.TriDense
	cholesky.UTo(&root)
	random := rand.New(rand.NewPCG(1, 2))
	signs, probes, probed := mat.NewDense(n, 16, nil), mat.Dense{}, mat.Dense{}
	signs.Apply(func(int, int, float64) float64 { return float64(2*random.IntN(2) - 1) }, signs)
	_ = root.SolveTo(&probes, false, signs)
	probed.Mul(covariance, &probes)

	matrix := func() host.Memory { return host.Allocate(8 * n * n) }
	to, numbers, spreads := host.From(prepared.Covariance), host.From([]float64{prepared.Ridge, prepared.Trace, prepared.Scale}), host.Allocate(5*8)
	s, inverse, sigma, partials := host.From(summary), matrix(), matrix(), host.Allocate(3*8)
	m, u, v, w, x, y, spare, spare2 := matrix(), matrix(), matrix(), matrix(), matrix(), matrix(), matrix(), matrix()
	invert(t, n, 0, [3]host.Memory{inverse, to, spare})

	launch(t, "gaussian_covariance", someGrid, vectorBlock, 0, sigma, s, numbers, n)
	launch(t, "dot_partials_f64", someGrid, vectorBlock, 0, partials, to, sigma, n*n)
	launch(t, "transport_begin", someGrid, vectorBlock, 0, m, u, v, spreads, to, inverse, sigma, partials, 3, numbers, n)
	for step := range 4 {
		pairs := [][3]host.Memory{{w, u, spare}, {v, m, spare2}}
		if step == 0 {
			pairs = pairs[:1]
		}
		invert(t, n, spreads.At(8*step), pairs...)
		launch(t, "transport_combine", someGrid, vectorBlock, 0, m, u, spreads, v, w, numbers, n, step)
	}
	invert(t, n, 0, [3]host.Memory{v, m, spare})
	launch(t, "transport_shift", someGrid, vectorBlock, 0, x, y, u, v, spreads, numbers, n)
	invert(t, n, 0, [3]host.Memory{v, x, spare}, [3]host.Memory{w, y, spare2})
	launch(t, "transport_end", someGrid, vectorBlock, 0, m, v, w, spreads, numbers, n)
	thin := [2]host.Memory{host.Allocate(8 * n * 16), host.Allocate(8 * n * 16)}
	grid, left := host.Dim{X: blocks(n, 16)}, host.Allocate(8)
	launch(t, "thin_product", grid, vectorBlock, 0, thin[0], m, host.From(probes.RawMatrix().Data), n)
	launch(t, "thin_product", grid, vectorBlock, 0, thin[1], sigma, thin[0], n)
	launch(t, "thin_product", grid, vectorBlock, 0, thin[0], m, thin[1], n)
	launch(t, "transport_residual", host.Dim{}, vectorBlock, 0, left, thin[0], host.From(probed.RawMatrix().Data), n)
	r, values := newComparison(n+n*n), host.Allocate(8*n)
	launch(t, "gaussian_rows", host.Dim{X: blocks(n, 8)}, vectorBlock, 0, r.cotangent, values, s, host.From(target[:n]), m, sigma, numbers, r.grad, n)
	launch(t, "gaussian_value", host.Dim{}, vectorBlock, 0, r.value, values, numbers, n)
	return r.result(), host.Of[float64](left)[0]
}
