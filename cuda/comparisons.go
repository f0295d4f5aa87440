//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

func bindGram(c *comparison, loss pure.Gram) {
	n, means := loss.Channels*loss.Channels, loss.Channels
	partials, sums := workspace[float64](c.binder, 3*sumBlocks), workspace[float64](c.binder, 3)
	shape, parts := overParts(n)
	c.add(
		kernels.DifferencePartialsF64(shape, partials, c.summary.Plus(means), c.target.Plus(means), n),
		addParts(sums, partials, 3, parts, 1),
		kernels.GramComparison(over(n), c.value.at(), c.cotangent, c.summary, c.target, sums, c.grad, flag(loss.Scaled), loss.Channels))
}

func bindStatistics(c *comparison, loss pure.ChannelStatistics) {
	c.add(kernels.StatisticsComparison(oneBlock, c.value.at(), c.cotangent, c.summary, c.target, c.grad, flag(loss.Scaled), loss.Channels))
}

func bindCentralMoments(c *comparison, loss pure.CentralMoments) {
	c.add(kernels.CentralComparison(oneBlock, c.value.at(), c.cotangent, c.summary, c.target, c.grad,
		loss.Smoothing, flag(loss.Scaled), loss.Channels))
}

func bindDifference(c *comparison, loss pure.Difference) {
	c.add(kernels.DifferenceComparison(oneThread, c.value.at(), c.cotangent, c.summary, c.grad, flag(loss.Scaled), loss.N))
}

var sumKernel = kernel{bind: func(b *binder, step plan.Step) {
	var losses []pointer[float64]
	for _, in := range step.Inputs {
		losses = append(losses, b.doubles(in))
	}
	weights := b.inTable(step.Op.(*ops.Sum).Weights...)
	b.add(kernels.WeightedSum(oneThread, b.doubles(step.Results[0]), b.pointersInTable(losses...), weights, len(losses)))
}}
