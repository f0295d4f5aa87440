package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"impasto/internal/cpu/kernels"
)

func TestInverterInverts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	w := testWorkers(t, 2)
	for n := 1; n <= 300; n += 1 + n/8 {
		factor, from, to, product := make([]float64, n*n), make([]float64, n*n), make([]float64, n*n), make([]float64, n*n)
		for i := range factor {
			factor[i] = random.NormFloat64()
		}
		for i := range n {
			for j := range n {
				from[i*n+j] = dot(factor[i*n:(i+1)*n], factor[j*n:(j+1)*n])
			}
			from[i*n+i] += 1
		}
		if !newInverter(w, n).invert(to, from, n) {
			t.Fatalf("%d×%d: said not to be positive definite", n, n)
		}
		kernels.MatrixProduct64(w, product, to, from, n, n, n)
		for i := range n {
			for j := range n {
				want := 0.0
				if i == j {
					want = 1
				}
				// Condition numbers are below 2000, rounding 1e-16.
				if math.Abs(product[i*n+j]-want) > 1e-10 {
					t.Fatalf("%d×%d: inverse times matrix is %g at %d, %d", n, n, product[i*n+j], i, j)
				}
				if to[i*n+j] != to[j*n+i] {
					t.Fatalf("%d×%d: the inverse is not symmetric at %d, %d", n, n, i, j)
				}
			}
		}
		for _, v := range []float64{-1, 0, math.NaN()} {
			bad := slices.Clone(from)
			bad[n*n-1] = v
			if newInverter(w, n).invert(to, bad, n) {
				t.Errorf("%d×%d: not told that %g on the diagonal is not positive definite", n, n, v)
			}
		}
	}
}
