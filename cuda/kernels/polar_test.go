//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

const polarSteps = 12

// factored factors a matrix whose first pivot is known.
func factored(t *testing.T, n int, matrix, pivots host.Memory) (upper, inverse host.Memory) {
	t.Helper()
	upper, inverse = host.Allocate(4*n*n), host.Allocate(4*n*n)
	spares := [2]host.Memory{host.Allocate(8 * n * n), host.Allocate(8 * n * n)}
	for step := range n / 32 {
		to := spares[step%2]
		launch(t, "factor_step", host.Dim{X: n/64*(n/64) + 1}, vectorBlock, 0, upper, inverse, to, matrix, pivots, n, step)
		matrix = to
	}
	return upper, inverse
}

// polar finds a map by float32.
func polar(t *testing.T, g *transported) {
	n := g.loss.Channels
	order, targetUpper, targetInverse, ok := pure.PivotTransport(g.target.Covariance, n)
	if !ok {
		t.Fatal("the target has no factors")
	}
	channels := host.From(rounded[uint32](order))
	targetFactors := [2]host.Memory{host.From(rounded[float32](targetUpper)), host.From(rounded[float32](targetInverse))}
	ordered, steps, pivots := host.Allocate(8*n*n), host.Allocate(8*(3+2*polarSteps)), host.Allocate(8*4096)
	g.covariance(t, ordered, channels)
	launch(t, "polar_begin", host.Dim{}, vectorBlock, 0, steps, pivots, g.products(t), 3, g.ridge, ordered, n)
	upper, inverse := factored(t, n, ordered, pivots)
	even, odd, gram := host.Allocate(4*n*n), host.Allocate(4*n*n), host.Allocate(4*n*n)
	square, triangle := host.Dim{X: n / 64, Y: n / 64}, host.Dim{X: n / 64 * (n/64 + 1) / 2}
	launch(t, "polar_first", square, vectorBlock, 0, even, odd, targetFactors[0], targetFactors[1], upper, inverse, steps, n)
	for step := range polarSteps {
		launch(t, "polar_gram", triangle, vectorBlock, 0, gram, even, odd, steps, n, step)
		launch(t, "polar_step", square, vectorBlock, 0, even, odd, gram, steps, n, step)
	}
	launch(t, "polar_product", square, vectorBlock, 0, odd, even, inverse, 0, n)
	launch(t, "polar_root", triangle, vectorBlock, 0, gram, odd, targetFactors[0], targetFactors[1], n)
	launch(t, "polar_product", square, vectorBlock, 0, odd, gram, targetFactors[0], 1, n)
	launch(t, "polar_map", triangle, vectorBlock, 0, g.m, targetFactors[0], odd, channels, n)
}

func rounded[To uint32 | float32, From int | float64](from []From) []To {
	to := make([]To, len(from))
	for i, v := range from {
		to[i] = To(v)
	}
	return to
}

// TestFactorsMakeTheMatrix multiplies factors, of two and of more pivots, by each other and
// by the inverse.
func TestFactorsMakeTheMatrix(t *testing.T) {
	for _, n := range []int{64, 128, 192} {
		matrix := covarianceSummary(n, 2*n+3, 1)[n:]
		for i := range n {
			matrix[i*n+i] += 1e-3
		}
		ridge, partials := host.From([]float64{1, 0, 1}), host.From([]float64{1, 1, 1})
		inEveryOrder(t, func(t *testing.T) {
			at, pivots := host.From(matrix), host.Allocate(8*4096)
			launch(t, "polar_begin", host.Dim{}, vectorBlock, 0, host.Allocate(8*(3+2*polarSteps)), pivots, partials, 3, ridge, at, n)
			upper, inverse := factored(t, n, at, pivots)
			r, l := widened(host.Of[float32](upper)[:n*n], n), widened(host.Of[float32](inverse)[:n*n], n)
			var made, one mat.Dense
			made.Mul(r.T(), r)
			near(t, "product of the factors", made.RawMatrix().Data, matrix, 1e-6)
			one.Mul(l, r.T())
			identity := make([]float64, n*n)
			for i := range n {
				identity[i*n+i] = 1
			}
			near(t, "product with the inverse", one.RawMatrix().Data, identity, 1e-3)
			for i := range n {
				for j := range i {
					if u, v := r.At(i, j), l.At(j, i); u != 0 || v != 0 {
						t.Fatalf("%g and %g in the other triangles", u, v)
					}
				}
			}
		})
	}
}

func widened(values []float32, n int) *mat.Dense {
	to := mat.NewDense(n, n, nil)
	to.Apply(func(i, j int, _ float64) float64 { return float64(values[i*n+j]) }, to)
	return to
}

// TestMapByFloat32MatchesItsDefinition takes pictures of more positions than channels and of
// fewer, where the residual may be missed, though loss and cotangent are as good.
func TestMapByFloat32MatchesItsDefinition(t *testing.T) {
	for _, n := range []int{64, 128, 192} {
		for _, positions := range []int{n / 2, 3 * n} {
			t.Run(fmt.Sprintf("%d channels, %d positions", n, positions), func(t *testing.T) {
				loss := pure.Gaussian{Channels: n, Ridge: 1e-4, Scaled: true}
				summary, target := covarianceSummary(n, positions, 1), covarianceSummary(n, 2*n, 2)
				want := make([]float64, n+n*n)
				value, err := loss.Compare(want, summary, target)
				if err != nil {
					t.Fatal(err)
				}
				got, residual := gaussian(t, loss, summary, target, polar)
				most := pure.TransportResidual
				if positions < n {
					most *= 4
				}
				if !(residual <= most) {
					t.Errorf("residual %.2g, want %.2g at most", residual, most)
				}
				if off := math.Abs(got[0] - value); !(off <= 1e-5*value) {
					t.Errorf("loss %.9g, want %.9g", got[0], value)
				}
				zero := make([]float64, n+n*n)
				if off, most := distance(got[1+n:], want[n:]), 1e-4*distance(want[n:], zero[n:]); !(off <= most) {
					t.Errorf("the second moment's cotangent is off by %.2g, want %.2g at most", off, most)
				}
				if off, most := distance(got[1:1+n], want[:n]), 1e-4*distance(want[:n], zero[:n]); !(off <= most) {
					t.Errorf("the mean's cotangent is off by %.2g, want %.2g at most", off, most)
				}
			})
		}
	}
}
