//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

func bindGram(c *comparison, loss pure.Gram) {
	n := loss.Channels
	shape, parts := overParts(n * n)
	partials := workspace[float64](c.binder, 3*sumBlocks)
	c.add(kernels.GramPartials(shape, partials, c.summary, c.target, n))
	if p, there := c.pull(); there {
		c.add(p.precision.GramMatrix(over(n*n), c.value.at(), p.matrix, p.factor, c.summary, c.target,
			partials, parts, c.grad, flag(loss.Scaled), n, p.positions, flag(p.asFilters)))
		return
	}
	c.add(kernels.GramComparison(over(n), c.value.at(), c.cotangent, c.summary, c.target,
		partials, parts, c.grad, flag(loss.Scaled), n))
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
