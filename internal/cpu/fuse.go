package cpu

import (
	"slices"

	"gorgonia.org/tensor"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
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

// pooledConvolution is a Convolution that also makes the maximum pooling of its
// result, in its step's scratch memory.
type pooledConvolution struct{ *ops.Convolution }

// pooledConvolutionGradient is a rectified ConvolutionGradient whose cotangent is the
// gradient of a maximum pooling, from the cotangent of that: dy, y, filters → dx.
type pooledConvolutionGradient struct{ *ops.ConvolutionGradient }

// fuseMaxPools returns the steps with maximum poolings made by the convolutions
// before them and, where gradients is set, their gradients by the convolutions'
// gradients, if those can, which spares passes through the largest maps.
func fuseMaxPools(steps []plan.Step, method kernels.Method, gradients bool) []plan.Step {
	made := map[*plan.Buffer]int{}
	for i, step := range steps {
		made[step.Result] = i
	}
	steps = slices.Clone(steps)
	fused := make([]bool, len(steps))
	for i, step := range steps {
		switch op := step.Op.(type) {
		case *ops.Pool:
			at, ok := made[step.Inputs[0]]
			if !ok || op.Mode != pure.MaxPool || op.Scale != 1 {
				continue
			}
			convolution, ok := steps[at].Op.(*ops.Convolution)
			if ok && fusesMaxPool(method, steps[at].Inputs[1], step.Inputs[0]) {
				steps[at].Op = pooledConvolution{convolution}
				steps[at].Scratch = []*plan.Buffer{step.Result}
				fused[i] = true
			}
		case *ops.ConvolutionGradient:
			at, ok := made[step.Inputs[0]]
			if !ok {
				continue
			}
			pool, ok := steps[at].Op.(rectifiedPoolGradient)
			if !ok || pool.Pool.Mode != pure.MaxPool || pool.Pool.Scale != 1 {
				continue
			}
			dy, y := steps[at].Inputs[0], steps[at].Inputs[1]
			if gradients && !op.Border.Replicate && fusesMaxPool(method, step.Inputs[2], y) {
				steps[i].Op = pooledConvolutionGradient{op}
				steps[i].Inputs = []*plan.Buffer{dy, y, step.Inputs[2]}
				fused[at] = true
			}
		}
	}
	var left []plan.Step
	for i, step := range steps {
		if !fused[i] {
			left = append(left, step)
		}
	}
	return left
}

func fusesMaxPool(method kernels.Method, filters, x *plan.Buffer) bool {
	return x.Dtype == tensor.Float32 &&
		kernels.FusesMaxPool(method, filters.Shape[0], filters.Shape[1], x.Shape[1], x.Shape[2])
}
