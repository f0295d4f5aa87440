//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"reflect"
	"slices"

	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// kernel is how the GPU computes one kind of operation.
type kernel struct {
	// able is what it does beside the operation.
	able plan.Ability
	// refuses, unless nil, says why it doesn't compute a step that it is able to, or
	// nothing where it does.
	refuses func(*Device, plan.Step) string
	// bind adds the launches of a step.
	bind func(*binder, plan.Step)
}

// kernelTable has the kernels by the type of their operation. Those of losses compute
// their gradients too, and both at once.
func kernelTable() map[reflect.Type]kernel {
	return map[reflect.Type]kernel{
		reflect.TypeFor[*ops.Convolution]():                        convolutionKernel,
		reflect.TypeFor[*ops.PooledConvolution]():                  pooledConvolutionKernel,
		reflect.TypeFor[*ops.ConvolutionGradient]():                convolutionGradientKernel,
		reflect.TypeFor[*ops.Rectification]():                      rectificationKernel,
		reflect.TypeFor[*ops.RectificationGradient]():              rectificationGradientKernel,
		reflect.TypeFor[*ops.Pool]():                               poolKernel,
		reflect.TypeFor[*ops.PoolGradient]():                       poolGradientKernel,
		reflect.TypeFor[*ops.Selection]():                          selectionKernel,
		reflect.TypeFor[*ops.SelectionGradient]():                  selectionGradientKernel,
		reflect.TypeFor[*ops.Moments]():                            besideWhatever(momentsKernel),
		reflect.TypeFor[*ops.MomentsGradient]():                    momentsGradientKernel,
		reflect.TypeFor[*ops.PowerMoments]():                       besideWhatever(powerMomentsKernel),
		reflect.TypeFor[*ops.PowerMomentsGradient]():               powerMomentsGradientKernel,
		reflect.TypeFor[*ops.DifferenceSums]():                     besideWhatever(differenceKernel),
		reflect.TypeFor[*ops.DifferenceSumsGradient]():             differenceGradientKernel,
		reflect.TypeFor[*ops.Variation]():                          variationKernel,
		reflect.TypeFor[*ops.Comparison[pure.Gram]]():              besideWhatever(comparisonKernel(bindGram)),
		reflect.TypeFor[*ops.Comparison[pure.Gaussian]]():          besideWhatever(comparisonKernel(bindGaussian)),
		reflect.TypeFor[*ops.Comparison[pure.ChannelStatistics]](): besideWhatever(comparisonKernel(bindStatistics)),
		reflect.TypeFor[*ops.Comparison[pure.CentralMoments]]():    besideWhatever(comparisonKernel(bindCentralMoments)),
		reflect.TypeFor[*ops.Comparison[pure.Difference]]():        besideWhatever(comparisonKernel(bindDifference)),
		reflect.TypeFor[*ops.Sliced]():                             mapLossKernel(bindSliced),
		reflect.TypeFor[*ops.Clouds[pure.Sinkhorn]]():              cloudKernel(bindSinkhorn),
		reflect.TypeFor[*ops.Clouds[pure.Relaxed]]():               cloudKernel(bindRelaxed),
		reflect.TypeFor[*ops.Clouds[pure.MMD]]():                   cloudKernel(bindMMD),
		reflect.TypeFor[*ops.Sum]():                                sumKernel,
		reflect.TypeFor[ops.Addition]():                            additionKernel,
	}
}

// kernelOf finds the kernel of a step's operation; that of a loss serves its gradient.
func (d *Device) kernelOf(step plan.Step) (kernel, bool) {
	var op any = step.Op
	if loss, _, ok := step.Loss(); ok {
		op = loss
	}
	k, ok := d.table[reflect.TypeOf(op)]
	return k, ok
}

// noKernel is why a step can't be computed. There is no falling back to the host, where
// each run would have to wait for copies in the middle of it.
const noKernel = "there is no kernel for it on the GPU; use the device cpu"

// Supports implements plan.Descriptor.
func (d *Device) Supports(step plan.Step) plan.Support {
	for _, b := range slices.Concat(step.Reads(), step.Results) {
		if b.Dtype == tensor.Float64 && b.Shape.Dims() > 1 {
			return plan.Support{Why: "maps of float64 have no kernels on the GPU; use the device cpu"}
		}
	}
	k, ok := d.kernelOf(step)
	if !ok {
		return plan.Support{Why: noKernel}
	}
	if k.refuses != nil {
		if why := k.refuses(d, step); why != "" {
			return plan.Support{Why: why}
		}
	}
	return k.able.Support(step)
}

// isNarrow is why steps on maps of few channels, which lie in planes, can't be computed.
const isNarrow = "maps of so few channels have no kernel for it on the GPU; use the device cpu"

// narrowInput refuses steps whose first input isn't a map of channels that lie last, and
// narrowResult those whose result isn't.
func narrowInput(d *Device, step plan.Step) string  { return refusesPlanes(d, step.Inputs[0]) }
func narrowResult(d *Device, step plan.Step) string { return refusesPlanes(d, step.Results[0]) }

func refusesPlanes(d *Device, b *plan.Buffer) string {
	if d.formatOf(b) == channelsLast {
		return ""
	}
	return isNarrow
}

// besideWhatever is a kernel on a branch: those of a loss between summaries, from the summary
// on, are small kernels in a row, up to some hundred, that leave most of a GPU idle. They go on
// beside the network from where the layer is there to where its gradient is needed.
func besideWhatever(k kernel) kernel {
	k.able.Beside = plan.Whatever
	return k
}

// Bytes implements plan.Descriptor. Scalars that steps make lie among the results.
func (d *Device) Bytes(b *plan.Buffer) int {
	if isScalarResult(b) {
		return 0
	}
	return d.size(b)
}

// isScalarResult tells whether a buffer is a float64 that a step makes.
func isScalarResult(b *plan.Buffer) bool {
	return b.Dtype == tensor.Float64 && b.Len() == 1 && b.Constant == nil && !b.Input
}

// Alignment implements plan.Descriptor.
func (d *Device) Alignment() int { return alignment }
