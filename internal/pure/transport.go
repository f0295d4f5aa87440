package pure

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// A transport map T between normal distributions that an iteration has found is tried on
// a few vectors V, the probes, whose columns have the covariance Σₜ⁻¹: its residual is
//
//	|(TΣT − Σₜ)V| / |ΣₜV|
//
// in the Frobenius norm. V is such that the expected square of this bounds, to first
// order, that of the relative error of T in |(T−T*)X| / |T*X|, X being features with
// covariance Σ, and so of the part of the gradient that T makes.
const (
	// TransportProbes is the number of probes.
	TransportProbes = 16
	// TransportResidual is the largest residual that is accepted. The last step of the
	// iteration leaves twice its own error.
	TransportResidual = 5e-5
)

// ProbeTransport draws the probes of a target, C×TransportProbes: V = R⁻¹G with random
// signs G, where Σₜ = RᵀR. covariance is the target's, C×C, of which R takes the place.
// It tells whether there is an R; there is none where Σₜ isn't positive definite.
func ProbeTransport(probes, covariance []float64) bool {
	n := len(probes) / TransportProbes
	root, ok := lapack64.Potrf(blas64.Symmetric{Uplo: blas.Upper, N: n, Data: covariance, Stride: n})
	if !ok {
		return false
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range probes {
		probes[i] = float64(2*random.IntN(2) - 1)
	}
	// What is ill-conditioned shows in the residual.
	blas64.Trsm(blas.Left, blas.NoTrans, 1, root, blas64.General{Rows: n, Cols: TransportProbes, Data: probes, Stride: TransportProbes})
	return true
}

// PivotTransport factors a target's covariance, C×C, in the order in which Cholesky's method
// takes its rows and columns where it takes the largest that is left first: order are the
// channels in it, upper is Lₜᵀ and inverse Lₜ⁻¹ of the covariance LₜLₜᵀ in that order. It
// tells whether there are such; there are none where Σₜ isn't positive definite.
func PivotTransport(covariance []float64, channels int) (order []int, upper, inverse []float64, ok bool) {
	var cholesky mat.PivotedCholesky
	if !cholesky.Factorize(mat.NewSymDense(channels, covariance), -1) {
		return nil, nil, nil, false
	}
	var root, inverted mat.TriDense
	cholesky.UTo(&root)
	if err := inverted.InverseTri(&root); err != nil {
		return nil, nil, nil, false
	}
	return cholesky.ColumnPivots(nil), mat.DenseCopyOf(&root).RawMatrix().Data, mat.DenseCopyOf(inverted.T()).RawMatrix().Data, true
}
