package cpu

import (
	"gorgonia.org/tensor"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// addsAsItGoes tells whether the kernel of an operation can add its result to
// what stands there.
func addsAsItGoes(step plan.Step) bool {
	op, summary := step.Op.(*ops.MomentsGradient)
	return summary && !op.Diagonal && step.Result.Dtype == tensor.Float32
}

// bind returns the kernel of a step with its buffers bound, or, where add is
// set, the one that adds to its result.
func (m *machine) bind(step plan.Step, add bool) (func() error, error) {
	in, widen := m.inputs(step)
	run, err := m.bindTo(step, m.values[step.Result], in, add)
	if widen == nil || err != nil {
		return run, err
	}
	return func() error { widen(); return run() }, nil
}

// bindTo is bind for these values. Steps on float64 maps, and those without a
// kernel, compute their definition.
func (m *machine) bindTo(step plan.Step, out value, in []value, add bool) (func() error, error) {
	if t, ok := step.Op.(together); ok {
		return m.bindTogether(t), nil
	}
	op, ours := step.Op.(ops.Operation)
	if !ours {
		return m.addition(out, in[0], in[1]), nil
	}
	kernel, err := m.kernel(op, step, out, in, add)
	if kernel != nil || err != nil {
		return func() error { kernel(); return nil }, err
	}
	if c, ok := op.(*ops.Comparison); ok {
		switch loss := c.Loss.(type) {
		case pure.Gaussian:
			return m.device.gaussian(loss, spaceKey{channels: loss.Channels}).bind(out.double, in[0].double, in[1].double), nil
		case pure.Gram:
			return gram(m.device.workers, loss, out.double, in[0].double, in[1].double), nil
		}
	}
	inputs := make([]*tensor.Dense, len(in))
	for i, v := range in {
		inputs[i] = v.dense
	}
	return func() error { return op.Define(out.dense, inputs...) }, nil
}

// kernel returns the fast way to compute an operation on float32 maps, or nil
// where there is none.
func (m *machine) kernel(op ops.Operation, step plan.Step, out value, in []value, add bool) (func(), error) {
	if step.Inputs[0].Dtype != tensor.Float32 {
		return nil, nil
	}
	w, shape := m.device.workers, step.Inputs[0].Shape
	x, y := in[0].single, out.single
	switch op := op.(type) {
	case *ops.Convolution:
		c, err := m.device.convolution(in[1].single, in[2].single, step.Inputs[1].Shape)
		return func() { c.Forward(w, out.features(), in[0].features(), shape[1], shape[2], op.Rectify, op.Border) }, err
	case pooledConvolution:
		c, err := m.device.convolution(in[1].single, in[2].single, step.Inputs[1].Shape)
		pooled := m.values[step.Scratch[0]].features()
		return func() {
			c.ForwardMaxPool(w, out.features(), pooled, in[0].features(), shape[1], shape[2], op.Rectify, op.Border)
		}, err
	case pooledConvolutionGradient:
		c, err := m.device.convolution(in[2].single, nil, step.Inputs[2].Shape)
		shape := step.Inputs[1].Shape
		return func() { c.MaxPoolDataGradient(w, y, x, in[1].single, shape[1], shape[2]) }, err
	case *ops.ConvolutionGradient:
		c, err := m.device.convolution(in[2].single, nil, step.Inputs[2].Shape)
		var mask kernels.Map
		if op.Rectified {
			mask = in[1].features()
		}
		return func() { c.DataGradient(w, y, x, mask, shape[1], shape[2], op.Border) }, err
	case *ops.Pool:
		return poolKernel(w, out.features(), in[0].features(), op.Geometry(shape)), nil
	case *ops.PoolGradient:
		return poolGradientKernel(w, y, x, in[1].features(), op.Pool.Geometry(step.Inputs[1].Shape), false), nil
	case rectifiedPoolGradient:
		return poolGradientKernel(w, y, x, in[1].features(), op.Pool.Geometry(step.Inputs[1].Shape), true), nil
	case *ops.Difference:
		return difference(w, op.Form, out.double, x, in[1].single), nil
	case *ops.DifferenceGradient:
		return differenceGradient(w, op.Form, y, x, in[1].single, in[2].double), nil
	case *ops.Variation:
		v := newVariation(w, shape[0], shape[1], shape[2])
		return func() { out.double[0] = v.value(x) }, nil
	case *ops.VariationGradient:
		v, grad := newVariation(w, shape[0], shape[1], shape[2]), in[1].double
		return func() { v.gradient(y, x, grad[0]) }, nil
	case *ops.Moments:
		if !op.Diagonal {
			channels, n := shape[0], shape[1]*shape[2]
			mean, second := out.double[:channels], out.double[channels:]
			return func() { kernels.Moments(w, mean, second, in[0].features(), channels, n, m.device.exact) }, nil
		}
	case *ops.PowerMoments:
		return func() { powerMoments(w, out.double, x, shape[0]) }, nil
	case *ops.PowerMomentsGradient:
		return func() { powerMomentsGradient(w, y, x, in[1].double, shape[0]) }, nil
	case *ops.Sliced:
		target, draw := step.Inputs[1].Shape, drawOf(in)
		s := newSliced(w, m.device.lines, op.Loss, shape[1]*shape[2], target[1]*target[2])
		return func() { s.run(y, x, in[1].single, draw[0]) }, nil
	case *ops.MapLossGradient:
		return func() { scaleTo(w, y, x, float32(in[1].double[0])) }, nil
	case *ops.Clouds:
		target, draw := step.Inputs[1].Shape, drawOf(in)
		c := newClouds(w, op.Comparison, shape[1]*shape[2], target[1]*target[2])
		return func() { c.run(y, x, in[1].single, draw[0]) }, nil
	case *ops.MomentsGradient:
		if !op.Diagonal {
			channels, n := shape[0], shape[1]*shape[2]
			mean, second := in[1].double[:channels], in[1].double[channels:]
			return func() { kernels.MomentsGradient(w, y, in[0].features(), mean, second, channels, n, add) }, nil
		}
	}
	return nil, nil
}

// drawOf returns where the number of the draw is that a loss between maps takes
// as its third input, or a zero where it takes none.
func drawOf(in []value) []float64 {
	if len(in) > 2 {
		return in[2].double
	}
	return []float64{0}
}

func poolKernel(w *kernels.Workers, y, x kernels.Map, p pure.Pool) func() {
	scale := float32(p.Scale)
	switch p.Mode {
	case pure.MeanPool:
		return func() { kernels.MeanPool(w, y, x, p.Channels, p.Height, p.Width, scale) }
	case pure.L2Pool:
		return func() { kernels.L2Pool(w, y, x, p.Channels, p.Height, p.Width, scale) }
	}
	return func() { kernels.MaxPool(w, y, x, p.Channels, p.Height, p.Width) }
}

func poolGradientKernel(w *kernels.Workers, dx, dy []float32, x kernels.Map, p pure.Pool, rectified bool) func() {
	scale := float32(p.Scale)
	switch p.Mode {
	case pure.MeanPool:
		return func() { kernels.MeanPoolGradient(w, dx, dy, x, p.Channels, p.Height, p.Width, scale, rectified) }
	case pure.L2Pool:
		return func() { kernels.L2PoolGradient(w, dx, dy, x, p.Channels, p.Height, p.Width, scale, rectified) }
	}
	return func() { kernels.MaxPoolGradient(w, dx, dy, x, p.Channels, p.Height, p.Width, rectified) }
}

// addition computes Gorgonia's element-wise sum, in place where the plan put
// the result on its first term.
func (m *machine) addition(sum, a, b value) func() error {
	return func() error {
		if len(sum.single) > 0 {
			if &sum.single[0] == &b.single[0] {
				a, b = b, a
			}
			if &sum.single[0] != &a.single[0] {
				copy(sum.single, a.single)
			}
			kernels.AddTo(m.device.workers, sum.single, b.single)
		}
		for i := range sum.double {
			sum.double[i] = a.double[i] + b.double[i]
		}
		return nil
	}
}

// convolution returns the prepared convolution with these filters, Out×In×3×3.
// Machines share it; a gradient's step needs no biases but finds those of the
// forward step.
func (d *Device) convolution(filters, biases []float32, shape tensor.Shape) (*kernels.Convolution, error) {
	key := &filters[0]
	if c, ok := d.prepared[key]; ok {
		return c, nil
	}
	if biases == nil {
		biases = make([]float32, shape[0])
	}
	c, err := kernels.NewConvolution(filters, biases, shape[0], shape[1])
	if err != nil {
		return nil, err
	}
	c.Method = d.method
	d.prepared[key] = c
	return c, nil
}
