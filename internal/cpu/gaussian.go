package cpu

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"impasto/internal/cpu/kernels"
	"impasto/internal/pure"
)

// gaussian evaluates pure.Gaussian with the target prepared once and the matrix
// products done by the kernels.
type gaussian struct {
	loss    pure.Gaussian
	workers *kernels.Workers
}

// bind returns the evaluation of summary against target into result, the loss
// and then the cotangent.
func (g gaussian) bind(result, summary, target []float64) func() error {
	var prepared *pure.GaussianTarget
	var preparedFor []float64
	return func() error {
		if !slices.Equal(preparedFor, target) {
			var err error
			if prepared, err = g.loss.Target(target); err != nil {
				return err
			}
			preparedFor = slices.Clone(target)
		}
		return g.evaluate(result, summary, prepared)
	}
}

func (g gaussian) evaluate(result, summary []float64, t *pure.GaussianTarget) error {
	n := g.loss.Channels
	covariance := g.loss.Covariance(summary, t.Ridge)
	full := mat.DenseCopyOf(covariance)
	root := mat.DenseCopyOf(t.Root)
	inner := g.product(g.product(root, full), root)
	values, vectors, err := pure.Eigen(pure.Symmetric(inner))
	if err != nil {
		return err
	}
	var cross float64
	scaled := mat.NewDense(n, n, nil)
	left := g.product(root, vectors)
	for j, v := range values {
		cross += math.Sqrt(v)
		if v > 0 {
			for i := range n {
				scaled.Set(i, j, left.At(i, j)/math.Sqrt(v))
			}
		}
	}
	transport := g.product(scaled, mat.DenseCopyOf(left.T()))
	result[0] = g.loss.Finish(result[1:], summary, t, mat.Trace(covariance), cross, transport)
	return nil
}

func (g gaussian) product(a, b *mat.Dense) *mat.Dense {
	m, k := a.Dims()
	_, n := b.Dims()
	c := mat.NewDense(m, n, nil)
	kernels.MatrixProduct64(g.workers, c.RawMatrix().Data, a.RawMatrix().Data, b.RawMatrix().Data, m, n, k)
	return c
}
