//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"
	"math"

	"gorgonia.org/cu"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// errNoKernel is why a step can't be bound. There is no falling back to the host,
// where each run would have to wait for copies in the middle of it.
var errNoKernel = errors.New("there is no kernel for it on the GPU; use the device cpu")

// none is a null pointer.
const none = cu.DevicePtr(0)

// bind adds the launches of a task to the machine's work.
func (m *machine) bind(t task) error {
	if (plan.Step{Op: t.op}).IsAddition() {
		return m.addition(t)
	}
	to, in := m.at(t.result), m.inputs(t)
	switch op := t.op.(type) {
	case *ops.Convolution:
		return m.convolution(op, t)
	case *ops.ConvolutionGradient:
		return m.convolutionGradient(op, t)
	case *ops.Rectification:
		return m.elementwise("rectify_", t.result, to, in[0])
	case *ops.RectificationGradient:
		return m.elementwise("rectify_gradient_", t.result, to, in[0], in[1])
	case *ops.Pool:
		return m.pool(op, t)
	case *ops.PoolGradient:
		return m.poolGradient(op, t)
	case *ops.Difference:
		return m.difference(op, t)
	case *ops.DifferenceGradient:
		return m.differenceGradient(op, t)
	case *ops.Variation:
		return m.variation(t)
	case *ops.VariationGradient:
		return m.variationGradient(t)
	case *ops.Moments:
		return m.moments(op, t)
	case *ops.MomentsGradient:
		return m.momentsGradient(op, t)
	case *ops.PowerMoments:
		return m.powerMoments(t)
	case *ops.PowerMomentsGradient:
		return m.powerMomentsGradient(t)
	case *ops.Comparison:
		return m.comparison(op, t)
	case *ops.ComparisonValue:
		return m.add(launch{kernel: "copy_scalar", arguments: []any{to, in[0]}})
	case *ops.ComparisonCotangent:
		n := t.result.Len()
		return m.add(over(n, "scale_by_f64", to, in[0]+8, in[1], n))
	case *ops.MapLossValue:
		return m.add(launch{kernel: "copy_scalar", arguments: []any{to, m.lossOf(t.inputs[0])}})
	case *ops.MapLossGradient:
		n := t.result.Len()
		return m.add(over(n, "scale_map_"+m.device.maps(), to, in[0], in[1], m.at(t.addend), m.at(t.mask), n))
	case *ops.Sliced:
		return m.sliced(op, t)
	case *ops.Clouds:
		return m.clouds(op, t)
	case *ops.Sum:
		return m.weightedSum(op, t)
	}
	return errNoKernel
}

// at is where a buffer lies, nowhere for nil. Scalar constants, such as what a
// gradient starts from, lie in the table.
func (m *machine) at(b *plan.Buffer) cu.DevicePtr {
	if b == nil {
		return none
	}
	if at, placed := m.places[b]; placed {
		return at
	}
	if isSeed(b) {
		m.places[b] = m.array(math.Float64bits(m.scale.factor * b.Constant.Data().(float64)))
		m.scale.seed = m.places[b]
	}
	return m.places[b]
}

func (m *machine) inputs(t task) []cu.DevicePtr {
	in := make([]cu.DevicePtr, len(t.inputs))
	for i, b := range t.inputs {
		in[i] = m.at(b)
	}
	return in
}

// typed is the end of the names of kernels for a map's elements.
func (m *machine) typed(b *plan.Buffer) string {
	if m.device.formatOf(b) == planes {
		return "f32"
	}
	return m.device.maps()
}

// elementwise binds a kernel that does the same to every element of maps of one
// layout.
func (m *machine) elementwise(kernel string, result *plan.Buffer, operands ...any) error {
	n := result.Len()
	return m.add(over(n, kernel+m.typed(result), append(operands, n)...))
}

// addition is Gorgonia's element-wise sum, in place where the plan put the result
// on one of its terms.
func (m *machine) addition(t task) error {
	to, in, n := m.at(t.result), m.inputs(t), t.result.Len()
	switch {
	case m.device.formatOf(t.result) == doubles:
		return m.add(over(n, "add_f64", to, in[0], in[1], n))
	case t.mask != nil:
		return m.elementwise("add_masked_", t.result, to, in[0], in[1], m.at(t.mask))
	}
	return m.elementwise("add_", t.result, to, in[0], in[1])
}

func (m *machine) weightedSum(op *ops.Sum, t task) error {
	var losses, weights []uint64
	for i, in := range m.inputs(t) {
		losses, weights = append(losses, uint64(in)), append(weights, math.Float64bits(op.Weights[i]))
	}
	return m.add(launch{
		kernel:    "weighted_sum",
		arguments: []any{m.at(t.result), m.array(losses...), m.array(weights...), len(weights)},
	})
}
