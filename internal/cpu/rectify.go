package cpu

import (
	"slices"

	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// rectifiedPoolGradient is a PoolGradient that is zero wherever the pooling's input
// isn't positive.
type rectifiedPoolGradient struct{ *ops.PoolGradient }

// rectifyInPools returns the steps with the gradients of rectified convolutions
// rectified by the gradients of the poolings after them, which look at the same
// features anyway. The convolutions' then don't, and the features, the largest
// there are, needn't wait for them. A cotangent to which others are added is left
// as it is.
func rectifyInPools(steps []plan.Step) []plan.Step {
	steps = slices.Clone(steps)
	made, uses := map[*plan.Buffer]int{}, map[*plan.Buffer]int{}
	for i, step := range steps {
		made[step.Result] = i
		for _, b := range step.Inputs {
			uses[b]++
		}
	}
	for i, step := range steps {
		convolution, ok := step.Op.(*ops.ConvolutionGradient)
		if !ok || !convolution.Rectified {
			continue
		}
		dy, y := step.Inputs[0], step.Inputs[1]
		at, ok := made[dy]
		if !ok || uses[dy] > 1 || dy.Kept() || dy.Dtype != tensor.Float32 {
			continue
		}
		pool, ok := steps[at].Op.(*ops.PoolGradient)
		if !ok || steps[at].Inputs[1] != y {
			continue
		}
		plain := *convolution
		plain.Rectified = false
		steps[at].Op = rectifiedPoolGradient{pool}
		// Its second input is not looked at.
		steps[i].Op, steps[i].Inputs = &plain, []*plan.Buffer{dy, dy, step.Inputs[2]}
	}
	return steps
}
