package cpu

import (
	"unsafe"

	"gorgonia.org/tensor"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

var convolutionKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{0}, Float16Results: true, Signs: true, Again: true},
	when: func(d *Device, step plan.Step) bool {
		return narrowsWhereAsked(d, step) && (len(step.Results) == 1 || d.onPixels(step.Inputs[1]))
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		op, in := step.Op.(*ops.Convolution), m.inputs(step)
		c, err := m.device.convolution(in[1].filters(), in[2].single, step.Inputs[1].Shape)
		y, x, shape := m.result(step).features(), in[0].features(), step.Inputs[0].Shape
		if len(step.Results) == 1 {
			return always(func() { c.Forward(m.device.workers, y, x, shape[1], shape[2], op.Rectify, op.Border) }), err
		}
		signs := m.values[step.Results[1]].signs
		return always(func() { c.ForwardSigned(m.device.workers, y, signs, x, shape[1], shape[2], op.Border) }), err
	},
}

var pooledConvolutionKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{0}, Float16Results: true},
	when: func(d *Device, step plan.Step) bool {
		op := step.Op.(*ops.PooledConvolution)
		return narrowsWhereAsked(d, step) && d.fusesMaxPool(op.Pool.PoolForm, step.Inputs[1])
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		op, in := step.Op.(*ops.PooledConvolution), m.inputs(step)
		c, err := m.device.convolution(in[1].filters(), in[2].single, step.Inputs[1].Shape)
		x, shape := in[0].features(), step.Inputs[0].Shape
		pooled, y, choices := m.result(step).features(), kernels.Map{}, []uint8(nil)
		for _, b := range step.Results[1:] {
			if b.Keeps == plan.Choices {
				choices = m.values[b].choices
			} else {
				y = m.values[b].features()
			}
		}
		return always(func() {
			c.ForwardMaxPool(m.device.workers, y, pooled, choices, x, shape[1], shape[2], op.Convolution.Rectify, op.Convolution.Border)
		}), err
	},
}

var convolutionGradientKernel = kernel{
	able: plan.Ability{MasksInput: true, Signs: true},
	when: func(d *Device, step plan.Step) bool {
		signed := step.InputMask != nil && step.InputMask.Keeps == plan.Signs
		replicates := step.Op.(*ops.ConvolutionGradient).Border.Replicate
		return onSingles(d, step) && (!signed || !replicates && d.onPixels(step.Inputs[1]))
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		op, in := step.Op.(*ops.ConvolutionGradient), m.inputs(step)
		c, err := m.device.convolution(in[1].filters(), nil, step.Inputs[1].Shape)
		var mask value
		if step.InputMask != nil {
			mask = m.values[step.InputMask]
		}
		dx, dy, shape := m.result(step).single, in[0].single, step.Inputs[0].Shape
		if mask.signs != nil {
			return always(func() { c.SignedDataGradient(m.device.workers, dx, dy, mask.signs, shape[1], shape[2]) }), err
		}
		return always(func() {
			c.DataGradient(m.device.workers, dx, dy, mask.features(), shape[1], shape[2], op.Border)
		}), err
	},
}

var pooledConvolutionGradientKernel = kernel{
	when: func(d *Device, step plan.Step) bool {
		op := step.Op.(*ops.PooledConvolutionGradient)
		return onSingles(d, step) && !op.Convolution.Border.Replicate && d.fusesMaxPool(op.Pool.PoolForm, step.Inputs[2])
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		in := m.inputs(step)
		c, err := m.device.convolution(in[2].filters(), nil, step.Inputs[2].Shape)
		dx, dy, choices, shape := m.result(step).single, in[0].single, in[1].choices, step.Inputs[1].Shape
		return always(func() { c.MaxPoolDataGradient(m.device.workers, dx, dy, choices, shape[1], shape[2]) }), err
	},
}

// narrowsWhereAsked tells steps on float32 whose results are kept in float16 only if
// that is the device's option.
func narrowsWhereAsked(d *Device, step plan.Step) bool {
	for _, b := range step.Results {
		if b.Float16 && !d.float16 {
			return false
		}
	}
	return onSingles(d, step)
}

// fusesMaxPool tells whether a convolution by filters can take over a pooling of its
// result, or the pooling's gradient.
func (d *Device) fusesMaxPool(pool ops.PoolForm, filters *plan.Buffer) bool {
	return pool.Mode == pure.MaxPool && pool.Scale == 1 && d.onPixels(filters)
}

// onPixels tells whether a convolution by filters works on pixels of 16 channels, of
// which signs and choices are kept.
func (d *Device) onPixels(filters *plan.Buffer) bool {
	return d.method.Winograd(filters.Shape[0], filters.Shape[1])
}

// prepared is a convolution that machines share.
type prepared struct {
	*kernels.Convolution
	biases *float32 // the first of those that it was made with, nil where there were none
}

// filterKey tells filters apart by where they lie.
type filterKey struct {
	values  *float32
	indices *byte
}

func keyOf(f kernels.Filters) filterKey {
	return filterKey{unsafe.SliceData(f.Values), unsafe.SliceData(f.Indices)}
}

// convolution returns the prepared convolution with these filters, Out×In×3×3.
// Machines share it. A gradient's step needs no biases, and takes what there is with
// its filters.
func (d *Device) convolution(filters kernels.Filters, biases []float32, shape tensor.Shape) (*kernels.Convolution, error) {
	key := keyOf(filters)
	if p, ok := d.prepared[key]; ok && (biases == nil || p.biases == &biases[0]) {
		return p.Convolution, nil
	}
	var first *float32
	if biases == nil {
		biases = make([]float32, shape[0])
	} else {
		first = &biases[0]
	}
	c, err := kernels.NewConvolution(filters, biases, shape[0], shape[1])
	if err != nil {
		return nil, err
	}
	c.Method = d.method
	d.prepared[key] = prepared{c, first}
	return c, nil
}
