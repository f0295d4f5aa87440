package cpu

import (
	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

var poolKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{0}, Float16Results: true},
	when: func(d *Device, step plan.Step) bool {
		return narrowsWhereAsked(d, step) && hasPoolKernel(step.Op.(*ops.Pool).PoolForm)
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		w, y, x := m.device.workers, m.result(step).features(), m.inputs(step)[0].features()
		p := step.Op.(*ops.Pool).Geometry(step.Inputs[0].Shape)
		scale := float32(p.Scale)
		switch p.Mode {
		case pure.MeanPool:
			return always(func() { kernels.MeanPool(w, y, x, p.Channels, p.Height, p.Width, scale) }), nil
		case pure.L2Pool:
			return always(func() { kernels.L2Pool(w, y, x, p.Channels, p.Height, p.Width, scale) }), nil
		}
		return always(func() { kernels.MaxPool(w, y, x, p.Channels, p.Height, p.Width) }), nil
	},
}

var poolGradientKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{1}, Masks: plan.MasksByInput},
	when: func(d *Device, step plan.Step) bool {
		return onSingles(d, step) && hasPoolKernel(step.Op.(*ops.PoolGradient).PoolForm) && (step.Mask == nil || step.Mask == step.Inputs[1])
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		w, in, masked := m.device.workers, m.inputs(step), step.Mask != nil
		dx, dy, x := m.result(step).single, in[0].single, in[1].features()
		p := step.Op.(*ops.PoolGradient).Geometry(step.Inputs[1].Shape)
		scale := float32(p.Scale)
		switch p.Mode {
		case pure.MeanPool:
			return always(func() { kernels.MeanPoolGradient(w, dx, dy, x, p.Channels, p.Height, p.Width, scale, masked) }), nil
		case pure.L2Pool:
			return always(func() { kernels.L2PoolGradient(w, dx, dy, x, p.Channels, p.Height, p.Width, scale, masked) }), nil
		}
		return always(func() { kernels.MaxPoolGradient(w, dx, dy, x, p.Channels, p.Height, p.Width, masked) }), nil
	},
}

// hasPoolKernel tells poolings that there are kernels of: maxima aren't multiplied.
func hasPoolKernel(f ops.PoolForm) bool { return f.Mode != pure.MaxPool || f.Scale == 1 }
