package cpu

import (
	"hash/maphash"
	"slices"
	"unsafe"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// gaussianKernel computes pure.Gaussian with the transport map from an iteration that
// needs no eigenvectors. Those of several layers run beside each other: the matrices
// of one are too small to keep many threads at work.
var gaussianKernel = kernel{
	able: plan.Ability{Beside: plan.ItsLike},
	when: func(_ *Device, step plan.Step) bool {
		loss, _, _ := step.Loss()
		return loss.(*ops.Comparison[pure.Gaussian]).Loss.Ridge != 0
	},
	evaluate: func(m *machine, loss ops.Loss, in []*plan.Buffer) func(gradient value) (float64, error) {
		g := loss.(*ops.Comparison[pure.Gaussian]).Loss
		return m.gaussian(g, in, workspaceKey{channels: g.Channels})
	},
}

// gaussian returns the evaluation of a summary against a target, in a workspace of the
// device. What depends on the target alone is worked out when it changes;
// results don't depend on earlier evaluations. Where the iteration doesn't reach its
// accuracy, it is the definition, and the machine's remark says so.
func (m *machine) gaussian(loss pure.Gaussian, in []*plan.Buffer, key workspaceKey) func(gradient value) (float64, error) {
	device, summary, target := m.device, m.values[in[0]].double, m.values[in[1]].double
	var preparedFor uint64
	seed := maphash.MakeSeed()
	var prepared *pure.GaussianTarget
	var solver *transport
	return func(gradient value) (float64, error) {
		if solver == nil {
			workspace, err := device.transportWorkspace(key)
			if err != nil {
				return 0, err
			}
			solver = newTransport(workspace)
		}
		if hash := hashOf(seed, target); prepared == nil || preparedFor != hash {
			preparedFor = hash
			prepared = loss.Target(target)
			prepared.Mean = slices.Clone(prepared.Mean)
			solver.aim(prepared)
		}
		ridge, _ := loss.RidgeOf(summary, prepared)
		found, ok := solver.from(ridge, func(to []float64) { loss.Covariance(to, summary, ridge) })
		if !ok {
			m.missed.Store(true)
			return loss.Compare(gradient.double, summary, target)
		}
		return loss.Finish(gradient.double, summary, prepared, found), nil
	}
}

// hashOf tells values apart that would take much memory to keep.
func hashOf(seed maphash.Seed, values []float64) uint64 {
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 8*len(values))
	return maphash.Bytes(seed, bytes)
}
