//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"

	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// geometry is a map's channels and positions.
func geometry(x *plan.Buffer) (channels, positions int) {
	return x.Shape[0], x.Shape[1] * x.Shape[2]
}

func (b *binder) rectification(t task) {
	y, x := t.result, t.inputs[0]
	b.add(b.elementOf(y).Rectify(over(y.Len()), b.elements(y), b.elements(x), y.Len()))
}

func (b *binder) rectificationGradient(t task) {
	dx, dy, y := t.result, t.inputs[0], t.inputs[1]
	b.add(b.elementOf(dx).RectifyGradient(over(dx.Len()), b.elements(dx), b.elements(dy), b.elements(y), dx.Len()))
}

// addition is Gorgonia's element-wise sum, in place where the plan put the result
// on one of its terms.
func (b *binder) addition(t task) {
	to, one, other, n := t.result, t.inputs[0], t.inputs[1], t.result.Len()
	if b.device.formatOf(to) == doubles {
		b.add(kernels.AddF64(over(n), b.doubles(to), b.doubles(one), b.doubles(other), n))
		return
	}
	sum, x, y := b.elements(to), b.elements(one), b.elements(other)
	if t.mask != nil {
		b.add(b.elementOf(to).AddMasked(over(n), sum, x, y, b.elements(t.mask), n))
		return
	}
	b.add(b.elementOf(to).Add(over(n), sum, x, y, n))
}

// poolKernels are the launches of a pooling and its gradient.
var poolKernels = map[pure.PoolMode]struct {
	pool     func(of kernels.Element, shape kernels.Shape, y, x elements, scale float64, channels, height, width int) launch
	gradient func(of kernels.Element, shape kernels.Shape, dx, dy, x, addend elements, masked int, scale float64, channels, height, width int) launch
}{
	pure.MaxPool:  {kernels.Element.PoolMax, kernels.Element.PoolMaxGradient},
	pure.MeanPool: {kernels.Element.PoolMean, kernels.Element.PoolMeanGradient},
	pure.L2Pool:   {kernels.Element.PoolL2, kernels.Element.PoolL2Gradient},
}

func (b *binder) pool(op *ops.Pool, t task) {
	y, x := t.result, t.inputs[0]
	if !b.isChannelsLast(y) {
		return
	}
	g := op.Geometry(x.Shape)
	b.add(poolKernels[g.Mode].pool(b.device.maps(), over(y.Len()), b.elements(y), b.elements(x), g.Scale, g.Channels, g.Height, g.Width))
}

func (b *binder) poolGradient(op *ops.PoolGradient, t task) {
	dx, dy, x := t.result, t.inputs[0], t.inputs[1]
	if !b.isChannelsLast(dx) {
		return
	}
	g := op.Pool.Geometry(x.Shape)
	b.add(poolKernels[g.Mode].gradient(b.device.maps(), over(dx.Len()), b.elements(dx), b.elements(dy), b.elements(x), b.elements(t.addend),
		flag(t.mask != nil), g.Scale, g.Channels, g.Height, g.Width))
}

// slopesKey tells differences apart.
type slopesKey struct {
	x, target *plan.Buffer
	form      pure.Difference
}

// differenceSlopes returns where the value of a difference and what its derivative
// is made of lie. A loss and its gradient compute them once.
func (b *binder) differenceSlopes(x, target *plan.Buffer, form pure.Difference) pointer[float64] {
	key := slopesKey{x, target, form}
	if at, done := b.slopes[key]; done {
		return at
	}
	slopes := b.inTable(0, 0, 0)
	b.slopes[key] = slopes
	n := x.Len()
	partials, sums := workspace[float64](b, 3*sumBlocks), workspace[float64](b, 3)
	shape, parts := overParts(n)
	b.add(
		b.elementOf(x).DifferencePartials(shape, partials, b.elements(x), b.elements(target), n),
		addParts(sums, partials, 3, parts, 1),
		kernels.DifferenceSlopes(oneThread, slopes, sums, flag(form.Scaled), n))
	return slopes
}

func (b *binder) difference(op *ops.Difference, t task) {
	slopes := b.differenceSlopes(t.inputs[0], t.inputs[1], op.Form)
	b.add(kernels.CopyScalar(oneThread, b.doubles(t.result), slopes))
}

func (b *binder) differenceGradient(op *ops.DifferenceGradient, t task) {
	dx, x, target, grad := t.result, t.inputs[0], t.inputs[1], t.inputs[2]
	slopes := b.differenceSlopes(x, target, op.Form)
	b.add(b.elementOf(dx).DifferenceGradient(over(dx.Len()), b.elements(dx), b.elements(x), b.elements(target),
		slopes, b.doubles(grad), b.elements(t.addend), dx.Len()))
}

func (b *binder) variation(t task) {
	x := t.inputs[0]
	if b.device.formatOf(x) != planes {
		b.fail(errors.New("total variation of so many channels has no kernel on the GPU; use the device cpu"))
		return
	}
	channels, height, width := x.Shape[0], x.Shape[1], x.Shape[2]
	straight, diagonal := pure.VariationWeights(channels, height, width)
	partials := workspace[float64](b, sumBlocks)
	shape, parts := overParts(x.Len())
	b.add(
		kernels.VariationPartials(shape, partials, b.floats(x), straight, diagonal, channels, height, width),
		addParts(b.doubles(t.result), partials, 1, parts, 1))
}

func (b *binder) variationGradient(t task) {
	dx, x, grad := t.result, t.inputs[0], t.inputs[1]
	channels, height, width := x.Shape[0], x.Shape[1], x.Shape[2]
	straight, diagonal := pure.VariationWeights(channels, height, width)
	b.add(kernels.VariationGradient(over(x.Len()), b.floats(dx), b.floats(x), b.doubles(grad), b.floats(t.addend),
		straight, diagonal, channels, height, width))
}
