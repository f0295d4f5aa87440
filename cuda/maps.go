//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// geometry is a map's channels and positions.
func geometry(x *plan.Buffer) (channels, positions int) {
	return x.Shape[0], x.Shape[1] * x.Shape[2]
}

// overPieces is the shape of kernels whose threads share a map, so many pieces of 16 bytes each.
func (b *binder) overPieces(of *plan.Buffer, each int) kernels.Shape {
	return over(blocks(of.Len()*b.elementOf(of).Bytes(), 16*each))
}

var rectificationKernel = kernel{bind: func(b *binder, step plan.Step) {
	y, x := step.Results[0], step.Inputs[0]
	b.add(b.elementOf(y).Rectify(b.overPieces(y, 1), b.elements(y), b.elements(x), y.Len()))
}}

var rectificationGradientKernel = kernel{bind: func(b *binder, step plan.Step) {
	dx, dy, y := step.Results[0], step.Inputs[0], step.Inputs[1]
	b.add(b.elementOf(dx).RectifyGradient(b.overPieces(dx, 1), b.elements(dx), b.elements(dy), b.elements(y), dx.Len()))
}}

// additionKernel is that of an element-wise sum, in place where the plan put the result on
// one of its terms.
var additionKernel = kernel{
	able: plan.Ability{Masks: plan.MasksByAny},
	bind: func(b *binder, step plan.Step) {
		to, one, other, n := step.Results[0], step.Inputs[0], step.Inputs[1], step.Results[0].Len()
		if b.device.formatOf(to) == doubles {
			b.add(kernels.AddF64(over(n), b.doubles(to), b.doubles(one), b.doubles(other), n))
			return
		}
		sum, x, y := b.elements(to), b.elements(one), b.elements(other)
		if step.Mask != nil {
			b.add(b.elementOf(to).AddMasked(b.overPieces(to, 1), sum, x, y, b.elements(step.Mask), n))
			return
		}
		b.add(b.elementOf(to).Add(b.overPieces(to, 1), sum, x, y, n))
	},
}

// pools are the launches of a pooling and its gradient.
var pools = map[pure.PoolMode]struct {
	pool     func(of kernels.Element, shape kernels.Shape, y, x elements, scale float64, channels, height, width int) launch
	gradient func(of kernels.Element, shape kernels.Shape, dx, dy, x, addend elements, masked int, scale float64, channels, height, width int) launch
}{
	pure.MaxPool:  {kernels.Element.PoolMax, kernels.Element.PoolMaxGradient},
	pure.MeanPool: {kernels.Element.PoolMean, kernels.Element.PoolMeanGradient},
	pure.L2Pool:   {kernels.Element.PoolL2, kernels.Element.PoolL2Gradient},
}

var poolKernel = kernel{
	refuses: narrowInput,
	bind: func(b *binder, step plan.Step) {
		y, x := step.Results[0], step.Inputs[0]
		g := step.Op.(*ops.Pool).Geometry(x.Shape)
		b.add(pools[g.Mode].pool(b.device.maps(), b.overPieces(y, 1), b.elements(y), b.elements(x), g.Scale, g.Channels, g.Height, g.Width))
	},
}

var poolGradientKernel = kernel{
	able: plan.Ability{Adds: plan.AddsAny, Masks: plan.MasksByInput},
	refuses: func(d *Device, step plan.Step) string {
		if step.Mask != nil && step.Mask != step.Inputs[1] {
			return "its kernel masks by the map that was pooled only"
		}
		return narrowInput(d, step)
	},
	bind: func(b *binder, step plan.Step) {
		dx, dy, x := step.Results[0], step.Inputs[0], step.Inputs[1]
		g := step.Op.(*ops.PoolGradient).Geometry(x.Shape)
		b.add(pools[g.Mode].gradient(b.device.maps(), b.overPieces(dx, 4), b.elements(dx), b.elements(dy), b.elements(x), b.elements(step.AddTo),
			flag(step.Mask != nil), g.Scale, g.Channels, g.Height, g.Width))
	},
}

var differenceKernel = kernel{bind: func(b *binder, step plan.Step) {
	x, target, n := step.Inputs[0], step.Inputs[1], step.Inputs[0].Len()
	partials := workspace[float64](b, 3*sumBlocks)
	shape, parts := overParts(n)
	b.add(
		b.elementOf(x).DifferencePartials(shape, partials, b.elements(x), b.elements(target), n),
		addParts(b.doubles(step.Results[0]), partials, 3, parts, 1))
}}

var differenceGradientKernel = kernel{
	able: plan.Ability{Adds: plan.AddsAny},
	bind: func(b *binder, step plan.Step) {
		dx, x, target := step.Results[0], step.Inputs[0], step.Inputs[1]
		b.add(b.elementOf(dx).DifferenceGradient(b.overPieces(dx, 1), b.elements(dx), b.elements(x), b.elements(target),
			b.doubles(step.Inputs[2]), b.elements(step.AddTo), dx.Len()))
	},
}

// variationKernel makes the total variation of a picture or its gradient, but not both at
// once, of which a gradient made early would only take memory.
var variationKernel = kernel{
	able: plan.Ability{Adds: plan.AddsAny},
	refuses: func(d *Device, step plan.Step) string {
		if _, both := step.Op.(*ops.ValueAndGradient); both {
			return "its kernel makes one or the other"
		}
		if d.formatOf(step.Inputs[0]) != planes {
			return "total variation of so many channels has no kernel on the GPU; use the device cpu"
		}
		return addsToValue(d, step)
	},
	bind: func(b *binder, step plan.Step) {
		x := step.Inputs[0]
		channels, height, width := x.Shape[0], x.Shape[1], x.Shape[2]
		straight, diagonal := pure.VariationWeights(channels, height, width)
		if _, gradient := step.Op.(*ops.LossGradient); gradient {
			b.add(kernels.VariationGradient(over(x.Len()), b.floats(step.Results[0]), b.floats(x), b.doubles(step.Inputs[1]),
				b.floats(step.AddTo), straight, diagonal, channels, height, width))
			return
		}
		partials := workspace[float64](b, sumBlocks)
		shape, parts := overParts(x.Len())
		b.add(
			kernels.VariationPartials(shape, partials, b.floats(x), straight, diagonal, channels, height, width),
			addParts(b.doubles(step.Results[0]), partials, 1, parts, 1))
	},
}
