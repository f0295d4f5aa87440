package pure

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Gaussian is the squared Wasserstein-2 distance between the normal
// distributions that have the features' means and covariances,
//
//	|μ−μₜ|² + tr(Σ + Σₜ − 2(Σₜ^½ Σ Σₜ^½)^½)
//
// (Dowson and Landau 1982; Olkin and Pukelsheim 1982). A summary holds C means,
// then the C×C second raw moment S = Σ + μμᵀ.
type Gaussian struct {
	Channels int
	// Ridge is added to the diagonals of both covariances, in units of the
	// target's mean variance. It bounds the gradient where fewer positions than
	// channels make Σ singular. Where it isn't 0, what is added to a covariance is
	// at least roundingRidge times its own mean square activation.
	Ridge float64
	// Scaled divides by the trace of the target's second raw moment.
	Scaled bool
}

// roundingRidge is the least ridge of a covariance, in units of its mean square
// activation. Moments summed in float32 leave covariances with eigenvalues of down to
// -9e-6 of that, and so not positive definite where the target's variance is small
// beside it: where the target has a single colour, a single position or little contrast.
// Targets whose variance is a fifth of their mean square have a larger ridge anyway;
// features of pictures have 0.5 to 0.8.
const roundingRidge = 2e-5

// Compare implements Comparison by an eigendecomposition in float64. The
// gradient is ∂/∂Σ = 1 − T with the transport map T = Σₜ^½(Σₜ^½ Σ Σₜ^½)^{−½}Σₜ^½,
// where the inverse is the pseudo-inverse: no derivative of a root is needed.
func (g Gaussian) Compare(cotangent, summary, target []float64) (float64, error) {
	n := g.Channels
	t := g.Target(target)
	targetRoot, err := squareRoot(mat.NewSymDense(n, t.Covariance))
	if err != nil {
		return 0, err
	}
	covariance := make([]float64, n*n)
	ridge, _ := g.RidgeOf(summary, t)
	g.Covariance(covariance, summary, ridge)
	var inner mat.Dense
	inner.Product(targetRoot, mat.NewDense(n, n, covariance), targetRoot)
	values, vectors, err := eigen(symmetric(&inner))
	if err != nil {
		return 0, err
	}
	m := Transport{CovarianceTrace: trace(covariance, n)}
	inverse := make([]float64, n)
	for i, v := range values {
		m.Cross += math.Sqrt(v)
		if v > 0 {
			inverse[i] = 1 / math.Sqrt(v)
		}
	}
	var root mat.Dense
	root.Mul(targetRoot, vectors)
	m.Map = compose(&root, inverse).RawMatrix().Data
	return g.Finish(cotangent, summary, t, m), nil
}

// GaussianTarget is what Compare needs of a target.
type GaussianTarget struct {
	Mean       []float64
	Covariance []float64 // ridged, C×C
	Trace      float64   // of the ridged covariance
	Ridge      float64   // as added to the diagonal
	Scale      float64   // multiplies the loss
}

// Target prepares a target's summary.
func (g Gaussian) Target(target []float64) *GaussianTarget {
	n := g.Channels
	t := &GaussianTarget{Mean: target[:n], Covariance: make([]float64, n*n), Scale: 1}
	if g.Scaled {
		t.Scale = 1 / (trace(target[n:], n) + epsilon)
	}
	g.Covariance(t.Covariance, target, 0)
	t.Ridge = g.Ridge * trace(t.Covariance, n) / float64(n)
	t.Ridge, _ = g.RidgeOf(target, t)
	for i := range n {
		t.Covariance[i*n+i] += t.Ridge
	}
	t.Trace = trace(t.Covariance, n)
	return t
}

// RidgeOf returns what is added to the diagonal of a summary's covariance, and its
// derivative by each diagonal element of S: the target's ridge, or the least that
// rounding asks for.
func (g Gaussian) RidgeOf(summary []float64, t *GaussianTarget) (ridge, slope float64) {
	n := g.Channels
	slope = g.LeastRidge()
	if least := slope * trace(summary[n:], n); least > t.Ridge {
		return least, slope
	}
	return t.Ridge, 0
}

// LeastRidge is the least ridge of a covariance in units of its tr S.
func (g Gaussian) LeastRidge() float64 {
	if g.Ridge == 0 {
		return 0
	}
	return roundingRidge / float64(g.Channels)
}

// Covariance computes Σ = S − μμᵀ of a summary, C×C, with ridge added to its
// diagonal.
func (g Gaussian) Covariance(covariance, summary []float64, ridge float64) {
	n := g.Channels
	mean, second := summary[:n], summary[n:]
	for i, m := range mean {
		row := covariance[i*n : (i+1)*n]
		for j, s := range second[i*n : (i+1)*n] {
			row[j] = s - m*mean[j]
		}
		row[i] += ridge
	}
}

// Transport is what the loss and its gradient are made of beside the means.
type Transport struct {
	Map             []float64 // T, C×C
	Cross           float64   // tr (Σₜ^½ Σ Σₜ^½)^½ = tr TΣ
	CovarianceTrace float64   // tr Σ, ridged
}

// Finish returns the loss and writes its cotangent.
func (g Gaussian) Finish(cotangent, summary []float64, t *GaussianTarget, m Transport) float64 {
	n := g.Channels
	value := m.CovarianceTrace + t.Trace - 2*m.Cross
	_, ridgeSlope := g.RidgeOf(summary, t)
	byRidge := float64(n) - trace(m.Map, n)
	mean := summary[:n]
	for i := range n {
		d := mean[i] - t.Mean[i]
		value += d * d
		// ∂Σ = 1 − T. As Σ = S − μμᵀ and the ridge of S, the mean's cotangent takes −2·∂Σ·μ.
		slope := d - mean[i]
		row := cotangent[n+i*n : n+(i+1)*n]
		for j, v := range m.Map[i*n : (i+1)*n] {
			row[j] = -t.Scale * v
			slope += v * mean[j]
		}
		row[i] += t.Scale * (1 + ridgeSlope*byRidge)
		cotangent[i] = 2 * t.Scale * slope
	}
	return t.Scale * max(value, 0)
}

// GaussianDistanceSquared is the squared Wasserstein-2 distance between two
// normal distributions in n dimensions, covariances row-major. It takes
// tr(Σₓ^½ Σᵧ Σₓ^½)^½ as the sum of the singular values of Σₓ^½Σᵧ^½: taking
// roots of the eigenvalues of the product instead would turn a rounding error
// of 1e-16 at a singular covariance into one of 1e-8.
func GaussianDistanceSquared(meanX, covarianceX, meanY, covarianceY []float64, n int) (float64, error) {
	x, y := mat.NewSymDense(n, covarianceX), mat.NewSymDense(n, covarianceY)
	rootX, err := squareRoot(x)
	if err != nil {
		return 0, err
	}
	rootY, err := squareRoot(y)
	if err != nil {
		return 0, err
	}
	var product mat.Dense
	product.Mul(rootX, rootY)
	var svd mat.SVD
	if !svd.Factorize(&product, mat.SVDNone) {
		return 0, errors.New("gaussian distance: the singular values of the covariances' product did not converge")
	}
	value := mat.Trace(x) + mat.Trace(y)
	for _, s := range svd.Values(nil) {
		value -= 2 * s
	}
	for i, m := range meanX {
		value += (m - meanY[i]) * (m - meanY[i])
	}
	return max(value, 0), nil
}

// eigen returns the eigenvalues and eigenvectors of a covariance. Values that
// rounding alone could have made are returned as zero.
func eigen(s *mat.SymDense) ([]float64, *mat.Dense, error) {
	n := s.SymmetricDim()
	for i := range n {
		for j := range n {
			if v := s.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, nil, errors.New("gaussian distance: a covariance is not finite")
			}
		}
	}
	var e mat.EigenSym
	if !e.Factorize(s, true) {
		return nil, nil, errors.New("gaussian distance: the eigenvalues of a covariance did not converge")
	}
	values := e.Values(nil)
	smallest := float64(n) * 0x1p-52 * values[n-1]
	for i, v := range values {
		if v < smallest {
			values[i] = 0
		}
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	return values, &vectors, nil
}

func squareRoot(s *mat.SymDense) (*mat.SymDense, error) {
	values, vectors, err := eigen(s)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		values[i] = math.Sqrt(v)
	}
	return symmetric(compose(vectors, values)), nil
}

// compose returns V·diag(values)·Vᵀ.
func compose(v *mat.Dense, values []float64) *mat.Dense {
	scaled := mat.DenseCopyOf(v)
	for i := range len(values) {
		row := scaled.RawRowView(i)
		for j, x := range values {
			row[j] *= x
		}
	}
	var product mat.Dense
	product.Mul(scaled, v.T())
	return &product
}

// symmetric is the symmetric part of a square matrix.
func symmetric(m *mat.Dense) *mat.SymDense {
	n, _ := m.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	return s
}
