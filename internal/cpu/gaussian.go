package cpu

import (
	"hash/maphash"
	"slices"
	"unsafe"

	"impasto/internal/pure"
)

// gaussian evaluates pure.Gaussian with the transport map from an iteration
// that needs no eigenvectors. Where that doesn't reach its accuracy, as without
// a ridge on singular covariances, it computes the definition.
type gaussian struct {
	loss  pure.Gaussian
	space func() (*transportSpace, error)
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
	var preparedFor uint64
	seed := maphash.MakeSeed()
	var prepared *pure.GaussianTarget
	var solver *transport
	return func() (err error) {
		if solver == nil {
			space, err := g.space()
			if err != nil {
				return err
			}
			solver = newTransport(space)
		}
		if hash := hashOf(seed, target); prepared == nil || preparedFor != hash {
			preparedFor = hash
			prepared = g.loss.Target(target)
			prepared.Mean = slices.Clone(prepared.Mean)
			solver.aim(prepared)
		}
		m, ok := solver.from(func(to []float64) { g.loss.Covariance(to, summary, prepared.Ridge) })
		if !ok {
			return define()
		}
		result[0] = g.loss.Finish(result[1:], summary, prepared, m)
		return nil
	}
}

// hashOf tells values apart that would take much memory to keep.
func hashOf(seed maphash.Seed, values []float64) uint64 {
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 8*len(values))
	return maphash.Bytes(seed, bytes)
}
