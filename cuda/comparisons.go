//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// comparison binds a loss between two summaries. Its result is the loss, then its
// cotangent.
func (b *binder) comparison(op *ops.Comparison, t task) {
	result, summary, target := b.doubles(t.result), b.doubles(t.inputs[0]), b.doubles(t.inputs[1])
	switch loss := op.Loss.(type) {
	case pure.Gram:
		n, means := loss.Channels*loss.Channels, loss.Channels
		partials, sums := workspace[float64](b, 3*sumBlocks), workspace[float64](b, 3)
		shape, parts := overParts(n)
		b.add(
			kernels.DifferencePartialsF64(shape, partials, summary.Plus(means), target.Plus(means), n),
			addParts(sums, partials, 3, parts, 1),
			kernels.GramComparison(over(n), result, summary, target, sums, flag(loss.Scaled), loss.Channels))
	case pure.Gaussian:
		b.gaussian(loss, t)
	case pure.ChannelStatistics:
		b.add(kernels.StatisticsComparison(oneBlock, result, summary, target, flag(loss.Scaled), loss.Channels))
	case pure.CentralMoments:
		b.add(kernels.CentralComparison(oneBlock, result, summary, target, loss.Smoothing, flag(loss.Scaled), loss.Channels))
	default:
		b.fail(errNoKernel)
	}
}

func (b *binder) comparisonValue(t task) {
	b.add(kernels.CopyScalar(oneThread, b.doubles(t.result), b.doubles(t.inputs[0])))
}

// comparisonCotangent multiplies what follows the loss in a comparison's result.
func (b *binder) comparisonCotangent(t task) {
	comparison, grad, n := t.inputs[0], t.inputs[1], t.result.Len()
	b.add(kernels.ScaleByF64(over(n), b.doubles(t.result), b.doubles(comparison).Plus(1), b.doubles(grad), n))
}

// lossOf is where the loss lies that an evaluation of maps has beside its gradient.
func (b *binder) lossOf(evaluation *plan.Buffer) pointer[float64] {
	at, there := b.losses[evaluation]
	if !there {
		at = reserve[float64](b, 1)
		b.losses[evaluation] = at
	}
	return at
}

func (b *binder) mapLossValue(t task) {
	b.add(kernels.CopyScalar(oneThread, b.doubles(t.result), b.lossOf(t.inputs[0])))
}

func (b *binder) mapLossGradient(t task) {
	dx, evaluation, grad, n := t.result, t.inputs[0], t.inputs[1], t.result.Len()
	b.add(b.device.maps().ScaleMap(over(n), b.elements(dx), b.floats(evaluation), b.doubles(grad), b.elements(t.addend), b.elements(t.mask), n))
}

func (b *binder) weightedSum(op *ops.Sum, t task) {
	var losses []pointer[float64]
	for _, in := range t.inputs {
		losses = append(losses, b.doubles(in))
	}
	sum := b.doubles(t.result)
	b.add(kernels.WeightedSum(oneThread, sum, b.pointersInTable(losses...), b.inTable(op.Weights...), len(losses)))
}
