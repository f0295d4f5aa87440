package cpu

import (
	"impasto/internal/cpu/kernels"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

var differenceKernel = kernel{
	when: onSingles,
	bind: func(m *machine, step plan.Step) (func() error, error) {
		sums, in := m.result(step).double, m.inputs(step)
		return always(func() { kernels.SumDifference(m.device.workers, in[0].single, in[1].single).Put(sums) }), nil
	},
}

var differenceGradientKernel = kernel{
	when: onSingles,
	bind: func(m *machine, step plan.Step) (func() error, error) {
		dx, in := m.result(step).single, m.inputs(step)
		return always(func() {
			kernels.SlopeGradient(m.device.workers, pure.SlopesOf(in[2].double), dx, in[0].single, in[1].single, 1)
		}), nil
	},
}

// additionKernel computes an element-wise sum, in place where the plan put the result
// on one of its terms.
var additionKernel = kernel{
	bind: func(m *machine, step plan.Step) (func() error, error) {
		sum, in := m.result(step), m.inputs(step)
		a, b := in[0], in[1]
		if len(sum.single) > 0 && &sum.single[0] == &b.single[0] {
			a, b = b, a
		}
		return always(func() {
			if len(sum.single) > 0 {
				if &sum.single[0] != &a.single[0] {
					copy(sum.single, a.single)
				}
				kernels.AddTo(m.device.workers, sum.single, b.single)
			}
			for i := range sum.double {
				sum.double[i] = a.double[i] + b.double[i]
			}
		}), nil
	},
}

var wideningKernel = kernel{
	able: plan.Ability{Float16Inputs: []int{0}},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		wide, half := m.result(step).single, m.inputs(step)[0].half
		return always(func() { kernels.Widen(m.device.workers, wide, half) }), nil
	},
}

// mapBlock is how many values of a map a part takes.
const mapBlock = 1 << 14

// scaleTo computes y = alpha·x.
func scaleTo(w *kernels.Workers, y, x []float32, alpha float32) {
	w.Run((len(y)+mapBlock-1)/mapBlock, func(part int) {
		first, end := part*mapBlock, min(len(y), (part+1)*mapBlock)
		for i, v := range x[first:end] {
			y[first+i] = alpha * v
		}
	})
}
