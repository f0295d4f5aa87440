package cpu

import (
	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

var momentsKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{0}},
	when: func(d *Device, step plan.Step) bool {
		return onSingles(d, step) && !step.Op.(*ops.Moments).Diagonal
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		channels, n := channelsAndPositions(step.Inputs[0])
		x, result := m.inputs(step)[0].features(), m.result(step).double
		mean, second := result[:channels], result[channels:]
		return always(func() { kernels.Moments(m.device.workers, mean, second, x, channels, n, m.device.exact) }), nil
	},
}

var momentsGradientKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{0}, Adds: plan.AddsInPlace},
	when: func(d *Device, step plan.Step) bool {
		return onSingles(d, step) && !step.Op.(*ops.MomentsGradient).Diagonal
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		channels, n := channelsAndPositions(step.Inputs[0])
		in, add := m.inputs(step), step.AddTo != nil
		dx, x, mean, second := m.result(step).single, in[0].features(), in[1].double[:channels], in[1].double[channels:]
		return always(func() { kernels.MomentsGradient(m.device.workers, dx, x, mean, second, channels, n, add) }), nil
	},
}

var weightedMomentsKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{0}},
	when: func(d *Device, step plan.Step) bool {
		return onSingles(d, step) && !step.Op.(*ops.WeightedMoments).Diagonal
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		channels, n := channelsAndPositions(step.Inputs[0])
		in, total, result := m.inputs(step), step.Op.(*ops.WeightedMoments).Total, m.result(step).double
		x, weights, mean, second := in[0].features(), in[1].single, result[:channels], result[channels:]
		return always(func() {
			kernels.WeightedMoments(m.device.workers, mean, second, x, weights, total, channels, n, m.device.exact)
		}), nil
	},
}

var weightedMomentsGradientKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{0}, Adds: plan.AddsInPlace},
	when: func(d *Device, step plan.Step) bool {
		return onSingles(d, step) && !step.Op.(*ops.WeightedMomentsGradient).Diagonal
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		channels, n := channelsAndPositions(step.Inputs[0])
		in, total, add := m.inputs(step), step.Op.(*ops.WeightedMomentsGradient).Total, step.AddTo != nil
		dx, x, weights := m.result(step).single, in[0].features(), in[1].single
		mean, second := in[2].double[:channels], in[2].double[channels:]
		return always(func() {
			kernels.WeightedMomentsGradient(m.device.workers, dx, x, weights, mean, second, total, channels, n, add)
		}), nil
	},
}

var powerMomentsKernel = kernel{
	when: onSingles,
	bind: func(m *machine, step plan.Step) (func() error, error) {
		channels, n := channelsAndPositions(step.Inputs[0])
		moments, x := m.result(step).double, m.inputs(step)[0].single
		return always(func() {
			m.device.workers.Run(channels, func(c int) {
				pure.PowerMoments(moments[c*pure.Orders:(c+1)*pure.Orders], x[c*n:(c+1)*n])
			})
		}), nil
	},
}

var powerMomentsGradientKernel = kernel{
	when: onSingles,
	bind: func(m *machine, step plan.Step) (func() error, error) {
		channels, n := channelsAndPositions(step.Inputs[0])
		in := m.inputs(step)
		dx, x, cotangent := m.result(step).single, in[0].single, in[1].double
		return always(func() {
			m.device.workers.Run(channels, func(c int) {
				pure.PowerMomentsGradient(dx[c*n:(c+1)*n], x[c*n:(c+1)*n], cotangent[c*pure.Orders:(c+1)*pure.Orders])
			})
		}), nil
	},
}

func channelsAndPositions(x *plan.Buffer) (channels, positions int) {
	return x.Shape[0], x.Shape[1] * x.Shape[2]
}
