package kernels

import (
	"testing"
)

// positiveDefinite is XXᵀ/n + ridge for n×2n random X.
func positiveDefinite(seed uint64, n int, ridge float64) []float64 {
	x := float64s(values(seed, 2*n*n))
	a := make([]float64, n*n)
	for i := range n {
		for j := range n {
			for k := range 2 * n {
				a[i*n+j] += x[i*2*n+k] * x[j*2*n+k] / float64(n)
			}
		}
		a[i*n+i] += ridge
	}
	return a
}

func TestSmallMatricesAreInverted(t *testing.T) {
	const n = SmallMatrix
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		a, inverse := positiveDefinite(1, n, 0.01), newGuarded[float64](n*n)
		copy(inverse.values, a)
		if !w.InvertSmall(inverse.values) {
			t.Fatal("a positive definite matrix has no inverse")
		}
		inverse.check(t, "inverse")
		product, identity := plainProduct(a, inverse.values, n, n, n), make([]float64, n*n)
		for i := range n {
			identity[i*n+i] = 1
		}
		near(t, "matrix times inverse", product, identity, 1e-12)
		indefinite := positiveDefinite(2, n, 0.01)
		indefinite[5*n+5] = -1
		if w.InvertSmall(indefinite) {
			t.Error("an indefinite matrix has an inverse")
		}
	})
}

func TestSweepMatchesGo(t *testing.T) {
	onEveryISA(t, func(t *testing.T, set *isa, _ *Workers) {
		for k := range SmallMatrix {
			got, want := positiveDefinite(1, SmallMatrix, 0.01), positiveDefinite(1, SmallMatrix, 0.01)
			reciprocal := 1 / got[k*SmallMatrix+k]
			set.sweep(got, k, reciprocal)
			sweepGo(want, k, reciprocal)
			near(t, "sweep "+shape(k), got, want, 1e-14)
		}
	})
}
