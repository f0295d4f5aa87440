// Package theory computes the numbers of the essay that impasto began with:
// Vincent Marron, "Style Transfer as Optimal Transport" (2017,
// github.com/VinceMarron/style_transfer, docs and notebooks). It shows that a
// difference of Gram matrices is no distance between distributions of
// features, that the Wasserstein-2 distance between normal distributions is
// one, and what the earth mover's distance, which assumes nothing about them,
// would cost.
package theory

import (
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"impasto/internal/pure"
)

// Normal is a normal distribution in len(Mean) dimensions. Its covariance may
// be singular.
type Normal struct {
	Mean       []float64
	Covariance []float64 // row-major
}

// fromCorrelations builds a covariance as the essay does, out of standard
// deviations and correlations.
func fromCorrelations(mean, deviations, correlations []float64) Normal {
	n := len(mean)
	covariance := make([]float64, n*n)
	for i := range covariance {
		covariance[i] = deviations[i/n] * correlations[i] * deviations[i%n]
	}
	return Normal{mean, covariance}
}

// X has the Gram matrix of Y but another mean and covariance.
func X() Normal {
	return fromCorrelations(
		[]float64{0, -.5, .5},
		[]float64{1, 1, 1},
		[]float64{1, -.5, 0, -.5, 1, 0, 0, 0, 1})
}

// Y has the Gram matrix of X. Its first coordinate is always 1, so its covariance
// is singular.
func Y() Normal {
	r := -.25 / math.Sqrt(1.25)
	return fromCorrelations(
		[]float64{1, -.5, 0},
		[]float64{0, 1, math.Sqrt(1.25)},
		[]float64{1, 0, -.5, 0, 1, r, -.5, r, 1})
}

// W is the single point (1, 1, 1). Its Gram matrix is all ones, as Z's is.
func W() Normal {
	return Normal{[]float64{1, 1, 1}, make([]float64, 9)}
}

// Z is spread along the line through 0 and (1, 1, 1), with deviation 1 in every
// coordinate.
func Z() Normal {
	return Normal{make([]float64, 3), []float64{1, 1, 1, 1, 1, 1, 1, 1, 1}}
}

// Named is a distribution by the name that the essay gives it.
type Named struct {
	Name string
	Normal
}

// Essay is the four distributions of the essay, those of a pair after each other.
func Essay() []Named {
	return []Named{{"X", X()}, {"Y", Y()}, {"W", W()}, {"Z", Z()}}
}

// Gram returns the distribution's Gram matrix, its second raw moment
// E[xxᵀ] = Σ + μμᵀ, row-major.
func (d Normal) Gram() []float64 {
	n := len(d.Mean)
	gram := make([]float64, n*n)
	for i := range gram {
		gram[i] = d.Covariance[i] + d.Mean[i/n]*d.Mean[i%n]
	}
	return gram
}

// GramDifference is the largest difference of an entry of two Gram matrices.
func GramDifference(a, b Normal) float64 {
	var largest float64
	s, t := a.Gram(), b.Gram()
	for i := range s {
		largest = max(largest, math.Abs(s[i]-t[i]))
	}
	return largest
}

// Sample draws count points, one after the other in the result.
func (d Normal) Sample(random *rand.Rand, count int) ([]float64, error) {
	n := len(d.Mean)
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(n, d.Covariance), true) {
		return nil, errors.New("theory: the eigenvalues of a covariance did not converge")
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	deviations := e.Values(nil)
	for i, v := range deviations {
		deviations[i] = math.Sqrt(max(v, 0))
	}
	points := make([]float64, 0, count*n)
	along := make([]float64, n)
	for range count {
		for j := range along {
			along[j] = deviations[j] * random.NormFloat64()
		}
		for i := range n {
			x := d.Mean[i]
			for j, a := range along {
				x += vectors.At(i, j) * a
			}
			points = append(points, x)
		}
	}
	return points, nil
}

// Distance is the Wasserstein-2 distance between two normal distributions,
//
//	√(|μₐ−μᵦ|² + tr(Σₐ + Σᵦ − 2(Σₐ^½ Σᵦ Σₐ^½)^½))
//
// to 1e-12 on singular covariances too.
func Distance(a, b Normal) (float64, error) {
	squared, err := pure.GaussianDistanceSquared(a.Mean, a.Covariance, b.Mean, b.Covariance, len(a.Mean))
	return math.Sqrt(squared), err
}

// RoundedDistance is Distance as the essay's program takes it: by the
// eigenvalues of ΣₐΣᵦ rounded to five decimals. The rounding is there because
// a singular covariance makes an eigenvalue of zero, which comes out slightly
// negative as often as not and then has no root; but it moves the others too.
func RoundedDistance(a, b Normal) (float64, error) {
	n := len(a.Mean)
	var product mat.Dense
	product.Mul(mat.NewDense(n, n, a.Covariance), mat.NewDense(n, n, b.Covariance))
	var e mat.Eigen
	if !e.Factorize(&product, mat.EigenNone) {
		return 0, errors.New("theory: the eigenvalues of a product of covariances did not converge")
	}
	var squared float64
	for i := range n {
		d := a.Mean[i] - b.Mean[i]
		squared += d*d + a.Covariance[i*n+i] + b.Covariance[i*n+i]
	}
	for _, value := range e.Values(nil) {
		squared -= 2 * math.Sqrt(math.Round(real(value)*1e5)/1e5)
	}
	return math.Sqrt(squared), nil
}

// GramLoss is Σ(S−T)² over the entries of the Gram matrices of two samples in n
// dimensions, S = Σxxᵀ/N, which is what the essay computes and what the loss
// named gram is. With as many points in both, Gatys et al. (2016) divide it by
// 4n².
func GramLoss(a, b []float64, n int) float64 {
	s, t := sampleGram(a, n), sampleGram(b, n)
	var loss float64
	for i := range s {
		loss += (s[i] - t[i]) * (s[i] - t[i])
	}
	return loss
}

func sampleGram(points []float64, n int) []float64 {
	gram := make([]float64, n*n)
	for start := 0; start < len(points); start += n {
		x := points[start : start+n]
		for i := range gram {
			gram[i] += x[i/n] * x[i%n]
		}
	}
	for i := range gram {
		gram[i] /= float64(len(points) / n)
	}
	return gram
}
