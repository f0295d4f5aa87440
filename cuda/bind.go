//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"
	"math"

	"gorgonia.org/cu"
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// errNoKernel is why a step can't be bound. There is no falling back to the host,
// where each run would have to wait for copies in the middle of it.
var errNoKernel = errors.New("there is no kernel for it on the GPU; use the device cpu")

// bind adds the launches of a step to the machine's work.
func (m *machine) bind(step plan.Step) error {
	if step.IsAddition() {
		return m.addition(step)
	}
	to, in := m.at(step.Result), m.inputs(step)
	switch op := step.Op.(type) {
	case *ops.Convolution:
		return m.convolution(op, step)
	case *ops.ConvolutionGradient:
		return m.convolutionGradient(op, step)
	case *ops.Sum:
		return m.weightedSum(op, step)
	case *ops.ComparisonValue:
		return m.add(launch{kernel: "sum_partials", block: dim{x: vectorThreads}, arguments: []any{to, in[0], 1, 1.}})
	case *ops.ComparisonCotangent:
		n := step.Result.Len()
		return m.add(over(n, "scale_by_f64", to, in[0]+8, in[1], n))
	case *ops.MapLossValue:
		loss := in[0] + cu.DevicePtr(4*(step.Inputs[0].Len()-2))
		return m.add(launch{kernel: "join_loss", arguments: []any{to, loss}})
	}
	return errNoKernel
}

// at is where a buffer lies, nowhere for constants.
func (m *machine) at(b *plan.Buffer) cu.DevicePtr { return m.places[b] }

func (m *machine) inputs(step plan.Step) []cu.DevicePtr {
	in := make([]cu.DevicePtr, len(step.Inputs))
	for i, b := range step.Inputs {
		in[i] = m.at(b)
	}
	return in
}

// workspace is memory that a step may use while it runs, as much as
// Device.workspace says.
func (m *machine) workspace() cu.DevicePtr { return m.memory.at + cu.DevicePtr(m.layout.workspaceAt) }

// workspace is how many bytes of it a step needs.
func (d *Device) workspace(step plan.Step) int { return 0 }

// add makes launches ready.
func (m *machine) add(launches ...launch) error {
	for _, l := range launches {
		ready, err := m.device.ready(l)
		if err != nil {
			return err
		}
		m.work = append(m.work, ready)
	}
	return nil
}

// array puts words into the machine's table and returns where they will lie.
func (m *machine) array(words ...uint64) cu.DevicePtr {
	at := m.memory.at + cu.DevicePtr(m.layout.tableAt+8*len(m.table))
	m.table = append(m.table, words...)
	return at
}

// tableWords is how many words an operation puts into the table.
func tableWords(op gorgonia.Op) int {
	if sum, ok := op.(*ops.Sum); ok {
		return 2 * len(sum.Weights)
	}
	return 0
}

func (m *machine) weightedSum(op *ops.Sum, step plan.Step) error {
	var losses, weights []uint64
	for i, in := range m.inputs(step) {
		losses, weights = append(losses, uint64(in)), append(weights, math.Float64bits(op.Weights[i]))
	}
	return m.add(launch{
		kernel:    "weighted_sum",
		arguments: []any{m.at(step.Result), m.array(losses...), m.array(weights...), len(weights)},
	})
}

// addition is Gorgonia's element-wise sum, in place where the plan put the result
// on one of its terms.
func (m *machine) addition(step plan.Step) error {
	to, in, n := m.at(step.Result), m.inputs(step), step.Result.Len()
	switch m.device.formatOf(step.Result) {
	case doubles:
		return m.add(over(n, "add_f64", to, in[0], in[1], n))
	}
	return errNoKernel
}
