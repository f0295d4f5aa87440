package cpu

import (
	"slices"

	"impasto/internal/pure"
)

// gaussian evaluates pure.Gaussian with the transport map from an iteration
// that needs no eigenvectors. Where that doesn't reach its accuracy, as without
// a ridge on singular covariances, it computes the definition.
type gaussian struct {
	loss  pure.Gaussian
	space func(channels int) (*transportSpace, error)
}

// bind returns the evaluation of summary against target into result, the loss
// and then the cotangent. What depends on the target alone is worked out when
// it changes; results don't depend on earlier evaluations.
func (g gaussian) bind(result, summary, target []float64) func() error {
	define := func() (err error) {
		result[0], err = g.loss.Compare(result[1:], summary, target)
		return err
	}
	if g.loss.Ridge == 0 {
		return define
	}
	n := g.loss.Channels
	covariance := make([]float64, n*n)
	var preparedFor []float64
	var prepared *pure.GaussianTarget
	var solver *transport
	return func() (err error) {
		if solver == nil {
			space, err := g.space(n)
			if err != nil {
				return err
			}
			solver = newTransport(space)
		}
		if !slices.Equal(preparedFor, target) {
			preparedFor = slices.Clone(target)
			prepared = g.loss.Target(preparedFor)
			solver.aim(prepared)
		}
		g.loss.Covariance(covariance, summary, prepared.Ridge)
		m, ok := solver.from(covariance)
		if !ok {
			return define()
		}
		result[0] = g.loss.Finish(result[1:], summary, prepared, m)
		return nil
	}
}
