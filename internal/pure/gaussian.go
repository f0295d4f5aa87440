package pure

import (
	"errors"
	"fmt"
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
	// channels make Σ singular.
	Ridge float64
	// Scaled divides by the trace of the target's second raw moment.
	Scaled bool
}

func (g Gaussian) String() string {
	return fmt.Sprintf("gaussian(channels=%d, ridge=%g, scaled=%t)", g.Channels, g.Ridge, g.Scaled)
}

// Compare implements Comparison by an eigendecomposition in float64. The
// gradient is ∂/∂Σ = 1 − T with the transport map T = Σₜ^½(Σₜ^½ Σ Σₜ^½)^{−½}Σₜ^½,
// where the inverse is the pseudo-inverse: no derivative of a root is needed.
func (g Gaussian) Compare(cotangent, summary, target []float64) (float64, error) {
	t, err := g.Target(target)
	if err != nil {
		return 0, err
	}
	covariance := g.Covariance(summary, t.Ridge)
	var inner mat.Dense
	inner.Product(t.Root, covariance, t.Root)
	values, vectors, err := Eigen(Symmetric(&inner))
	if err != nil {
		return 0, err
	}
	var cross float64
	inverse := make([]float64, len(values))
	for i, v := range values {
		cross += math.Sqrt(v)
		if v > 0 {
			inverse[i] = 1 / math.Sqrt(v)
		}
	}
	var transport, root mat.Dense
	root.Mul(t.Root, vectors)
	transport.Product(&root, mat.NewDiagDense(len(values), inverse), root.T())
	return g.Finish(cotangent, summary, t, mat.Trace(covariance), cross, &transport), nil
}

// GaussianTarget is what Compare needs of a target, worked out once.
type GaussianTarget struct {
	Mean  []float64
	Root  *mat.SymDense // Σₜ^½ of the ridged covariance
	Trace float64       // of the ridged covariance
	Ridge float64       // as added to the diagonal
	Scale float64       // multiplies the loss
}

// Target prepares a target's summary.
func (g Gaussian) Target(target []float64) (*GaussianTarget, error) {
	n := g.Channels
	t := &GaussianTarget{Mean: target[:n], Scale: 1}
	if g.Scaled {
		t.Scale = 1 / (trace(target[n:], n) + epsilon)
	}
	covariance := g.Covariance(target, 0)
	t.Ridge = g.Ridge * mat.Trace(covariance) / float64(n)
	for i := range n {
		covariance.SetSym(i, i, covariance.At(i, i)+t.Ridge)
	}
	t.Trace = mat.Trace(covariance)
	root, err := squareRoot(covariance)
	t.Root = root
	return t, err
}

// Covariance returns Σ = S − μμᵀ of a summary, with ridge added to its diagonal.
func (g Gaussian) Covariance(summary []float64, ridge float64) *mat.SymDense {
	n := g.Channels
	mean, second := summary[:n], summary[n:]
	covariance := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			covariance.SetSym(i, j, second[i*n+j]-mean[i]*mean[j])
		}
		covariance.SetSym(i, i, covariance.At(i, i)+ridge)
	}
	return covariance
}

// Finish puts the loss and its cotangent together from the covariance's trace,
// cross = tr (Σₜ^½ Σ Σₜ^½)^½, and the transport map (C×C).
func (g Gaussian) Finish(cotangent, summary []float64, t *GaussianTarget, covarianceTrace, cross float64, transport *mat.Dense) float64 {
	n := g.Channels
	value := covarianceTrace + t.Trace - 2*cross
	mean := summary[:n]
	for i := range n {
		d := mean[i] - t.Mean[i]
		value += d * d
		// Σ = S − μμᵀ, so the mean's cotangent takes −2·∂Σ·μ.
		slope := 2 * d
		for j := range n {
			s := -transport.At(i, j)
			if i == j {
				s++
			}
			cotangent[n+i*n+j] = t.Scale * s
			slope -= 2 * s * mean[j]
		}
		cotangent[i] = t.Scale * slope
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

// Eigen returns the eigenvalues and eigenvectors of a covariance. Values that
// rounding alone could have made are returned as zero.
func Eigen(s *mat.SymDense) ([]float64, *mat.Dense, error) {
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
	values, vectors, err := Eigen(s)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		values[i] = math.Sqrt(v)
	}
	var root mat.Dense
	root.Product(vectors, mat.NewDiagDense(len(values), values), vectors.T())
	return Symmetric(&root), nil
}

// Symmetric is the symmetric part of a square matrix.
func Symmetric(m *mat.Dense) *mat.SymDense {
	n, _ := m.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	return s
}
