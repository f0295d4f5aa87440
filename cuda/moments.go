//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
)

const (
	// partPositions is how many positions one part of a sum takes at most, so that
	// what is summed in float32 within it loses little, and large maps have parts for
	// all multiprocessors.
	partPositions = 1024
	// mostParts bounds the memory of the parts.
	mostParts = 512
)

func partsOf(positions int) int { return min(blocks(positions, partPositions), mostParts) }

// momentParts is into how many parts of the positions second moments are summed, of which one is
// so many blocks: finer ones where there would be few blocks, as at the last layers and in small
// pictures, each of which goes through its part alone.
func momentParts(positions, each int) int {
	const (
		enough = 128 // blocks, about as many as a large GPU has multiprocessors
		least  = partPositions / 4
	)
	return max(partsOf(positions), min(blocks(positions, least), blocks(enough, each)))
}

// channelShape is the shape of kernels that sum up channels over parts of the positions.
func channelShape(channels, parts int) kernels.Shape {
	shape := grid(blocks(channels, 32), parts, 1)
	shape.Block = kernels.Dim{X: 32, Y: 8}
	return shape
}

// channelMeans binds the means of a map's channels.
func (b *binder) channelMeans(means pointer[float64], of kernels.Element, x elements, channels, positions int) {
	parts := partsOf(positions)
	partials := workspace[float64](b, parts*channels)
	b.add(
		of.ChannelSums(channelShape(channels, parts), partials, x, channels, positions),
		kernels.SumRows(overRows(channels), means, partials, 1/float64(positions), parts, channels))
}

var momentsKernel = kernel{
	refuses: narrowInput,
	bind: func(b *binder, step plan.Step) {
		x, result := step.Inputs[0], b.doubles(step.Results[0])
		channels, positions := geometry(x)
		if step.Op.(*ops.Moments).Diagonal {
			parts := partsOf(positions)
			partials := workspace[float64](b, parts*2*channels)
			b.add(
				b.device.maps().ChannelSquares(channelShape(channels, parts), partials, b.elements(x), channels, positions),
				kernels.SumRows(overRows(2*channels), result, partials, 1/float64(positions), parts, 2*channels))
			return
		}
		b.moments(result, x)
	},
}

// moments binds the means and the channels² second moments of a map.
func (b *binder) moments(result pointer[float64], x *plan.Buffer) {
	d := b.device
	channels, positions := geometry(x)
	edge := blocks(channels, 64)
	each := edge * (edge + 1) / 2
	parts := momentParts(positions, each)
	sums, partials := workspace[float64](b, parts*channels), workspace[float64](b, parts*channels*channels)
	shape := grid(each, parts, 1)
	// Not of maps in float32: with elements rounded in the products and not in the
	// sums, a covariance would have eigenvalues below zero.
	if d.maps().Bytes() == 2 && channels%64 == 0 {
		shape.Shared = 27648
		b.add(d.precision.SecondMomentsMatrix(shape, partials, sums, b.elements(x), channels, positions))
	} else {
		b.add(d.maps().SecondMoments(shape, partials, sums, b.elements(x), channels, positions))
	}
	finish := grid(blocks(channels*channels, 32)+blocks(channels, 32), 1, 1)
	b.add(kernels.MomentsFinish(finish, result, result.Plus(channels), sums, partials, parts, channels, positions))
}

// cotangentOfMap is what kernels can do that pull the cotangent of a map's summary back.
var cotangentOfMap = plan.Ability{Adds: plan.AddsAny, Masks: plan.MasksByAny}

// cotangentOfMoments is the same of second moments. They add in place, so that the convolution
// whose gradient they add to can make the sum instead.
var cotangentOfMoments = plan.Ability{Adds: plan.AddsInPlace, Masks: plan.MasksByAny}

var momentsGradientKernel = kernel{
	able:    cotangentOfMoments,
	refuses: narrowInput,
	bind: func(b *binder, step plan.Step) {
		dx, x := step.Results[0], step.Inputs[0]
		channels, positions := geometry(x)
		addend, mask := b.elements(step.AddTo), b.elements(step.Mask)
		if step.Op.(*ops.MomentsGradient).Diagonal {
			b.add(b.device.maps().ChannelGradient(over(x.Len()), b.elements(dx), b.elements(x), b.doubles(step.Inputs[1]), addend, mask, channels, positions))
			return
		}
		p := product{result: b.elements(dx), x: b.elements(x), addend: addend, mask: mask, in: channels, out: channels, rows: positions}
		if b.pulled[b.step] {
			return
		}
		if ready, there := b.pulls[step.Inputs[1]]; there {
			b.multiplyPull(p, ready)
			return
		}
		b.pullMoments(p, b.doubles(step.Inputs[1]))
	},
}

// pullMoments binds the pull back of a cotangent of second moments and means, as a product
// of which the matrix and what goes with it follow.
func (b *binder) pullMoments(p product, cotangent pointer[float64]) {
	ready := momentsPull{
		precision: b.device.pullPrecision(p.in),
		matrix:    elements(workspace[float32](b, p.in*p.in)), factor: workspace[float32](b, 1), bias: workspace[float32](b, p.in),
		channels: p.in, positions: p.rows,
	}
	b.add(ready.launches(b, cotangent)...)
	b.multiplyPull(p, ready)
}

// multiplyPull binds the product that pulls a cotangent back.
func (b *binder) multiplyPull(p product, by momentsPull) {
	p.matrix, p.factor, p.bias = by.matrix, by.factor, by.bias
	b.add(b.device.product(p))
}

var powerMomentsKernel = kernel{
	refuses: narrowInput,
	bind: func(b *binder, step plan.Step) {
		x := step.Inputs[0]
		channels, positions := geometry(x)
		means, central := workspace[float64](b, channels), workspace[float64](b, 4*channels)
		b.channelMeans(means, b.device.maps(), b.elements(x), channels, positions)
		parts := partsOf(positions)
		partials := workspace[float64](b, parts*4*channels)
		b.add(
			b.device.maps().ChannelPowers(channelShape(channels, parts), partials, b.elements(x), means, channels, positions),
			kernels.SumRows(overRows(4*channels), central, partials, 1/float64(positions), parts, 4*channels),
			kernels.RawMoments(over(channels), b.doubles(step.Results[0]), means, central, channels))
	},
}

var powerMomentsGradientKernel = kernel{
	able:    cotangentOfMap,
	refuses: narrowInput,
	bind: func(b *binder, step plan.Step) {
		dx, x, cotangent := step.Results[0], step.Inputs[0], step.Inputs[1]
		channels, positions := geometry(x)
		b.add(b.device.maps().PowersGradient(over(x.Len()), b.elements(dx), b.elements(x), b.doubles(cotangent),
			b.elements(step.AddTo), b.elements(step.Mask), channels, positions))
	},
}
