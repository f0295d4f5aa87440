package cpu

import (
	"reflect"

	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// kernel is how the processor computes one kind of operation on float32 maps.
type kernel struct {
	// able is what it does beside the operation.
	able plan.Ability
	// when, unless nil, tells which steps it computes, of those that it is able to.
	when func(*Device, plan.Step) bool
	// bind makes a step's run, with its buffers bound.
	bind func(*machine, plan.Step) (func() error, error)
	// evaluate has the place of bind where the operation is a loss, given its inputs:
	// the run writes the gradient by the first of them and returns the loss.
	evaluate func(*machine, ops.Loss, []*plan.Buffer) func(gradient value) (float64, error)
	// keeps, unless nil, is what a step's run holds beside the arena, in bytes: in memory
	// of its own, and in such as all steps of a device share.
	keeps func(*Device, plan.Step) (own, shared int64)
}

// kernelTable has the kernels by the type of their operation. Those of losses compute
// their gradients too, and both at once. What isn't in it is computed by its
// definition.
func kernelTable() map[reflect.Type]kernel {
	return map[reflect.Type]kernel{
		reflect.TypeFor[*ops.Convolution]():               convolutionKernel,
		reflect.TypeFor[*ops.ConvolutionGradient]():       convolutionGradientKernel,
		reflect.TypeFor[*ops.PooledConvolution]():         pooledConvolutionKernel,
		reflect.TypeFor[*ops.PooledConvolutionGradient](): pooledConvolutionGradientKernel,
		reflect.TypeFor[*ops.Pool]():                      poolKernel,
		reflect.TypeFor[*ops.PoolGradient]():              poolGradientKernel,
		reflect.TypeFor[*ops.Selection]():                 selectionKernel,
		reflect.TypeFor[*ops.SelectionGradient]():         selectionGradientKernel,
		reflect.TypeFor[*ops.Moments]():                   momentsKernel,
		reflect.TypeFor[*ops.MomentsGradient]():           momentsGradientKernel,
		reflect.TypeFor[*ops.WeightedMoments]():           weightedMomentsKernel,
		reflect.TypeFor[*ops.WeightedMomentsGradient]():   weightedMomentsGradientKernel,
		reflect.TypeFor[*ops.PowerMoments]():              powerMomentsKernel,
		reflect.TypeFor[*ops.PowerMomentsGradient]():      powerMomentsGradientKernel,
		reflect.TypeFor[*ops.DifferenceSums]():            differenceKernel,
		reflect.TypeFor[*ops.DifferenceSumsGradient]():    differenceGradientKernel,
		reflect.TypeFor[*ops.Variation]():                 variationKernel,
		reflect.TypeFor[*ops.Comparison[pure.Gram]]():     gramKernel,
		reflect.TypeFor[*ops.Comparison[pure.Gaussian]](): gaussianKernel,
		reflect.TypeFor[*ops.Sliced]():                    slicedKernel,
		reflect.TypeFor[*ops.Clouds[pure.Sinkhorn]]():     sinkhornKernel,
		reflect.TypeFor[*ops.SoftminPass]():               softminKernel,
		reflect.TypeFor[*ops.Clouds[pure.Relaxed]]():      relaxedKernel,
		reflect.TypeFor[*ops.Clouds[pure.MMD]]():          mmdKernel,
		reflect.TypeFor[ops.Addition]():                   additionKernel,
		reflect.TypeFor[ops.Widening]():                   wideningKernel,
		reflect.TypeFor[*plan.Group]():                    groupKernel,
	}
}

// kernelOf finds the kernel of a step's operation; that of a loss serves its gradient.
func (d *Device) kernelOf(step plan.Step) (kernel, bool) {
	k, ok := d.kernels[kernelType(step)]
	return k, ok
}

// kernelType is the type by which a step's kernel is found.
func kernelType(step plan.Step) reflect.Type {
	if loss, _, ok := step.Loss(); ok {
		return reflect.TypeOf(loss)
	}
	return reflect.TypeOf(step.Op)
}

// Supports implements plan.Descriptor.
func (d *Device) Supports(step plan.Step) plan.Support {
	k, ok := d.kernelOf(step)
	if ok && (k.when == nil || k.when(d, step)) {
		if support := k.able.Support(step); support.How != plan.Unsupported {
			if _, alone := step.Op.(ops.Loss); alone && k.evaluate != nil {
				support.Scratch = append(support.Scratch, step.Inputs[0].Bytes()) // its gradient
			}
			return support
		}
	}
	switch step.Op.(type) {
	case *ops.ValueAndGradient:
		if ok && k.evaluate == nil {
			return plan.Support{Why: "its kernel computes one or the other"}
		}
		return plan.ByDefinitionOf(step)
	case ops.Operation:
		return plan.ByDefinitionOf(step)
	}
	return plan.Support{Why: "the processor has no kernel for it"}
}

// onSingles tells steps on float32.
func onSingles(_ *Device, step plan.Step) bool { return step.Inputs[0].Dtype == tensor.Float32 }

// Bytes implements plan.Descriptor.
func (d *Device) Bytes(b *plan.Buffer) int { return b.Bytes() }

// Alignment implements plan.Descriptor.
func (d *Device) Alignment() int { return alignment }
