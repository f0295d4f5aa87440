package losses

import (
	"math"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// gram compares second raw moments, the Gram matrices of Gatys, Ecker and
// Bethge ("Image Style Transfer Using Convolutional Neural Networks", 2016):
//
//	Σ (S − T)²    with S = X·Xᵀ/N, T = Y·Yᵀ/M
//
// Conventions differ. With N = M, and per layer, Gatys et al. have Gram
// matrices X·Xᵀ and a factor 1/(4C²N²), so theirs is 1/(4C²) of ours; Johnson et
// al. (2016) divide X·Xᵀ by C·N: 1/C² of ours; neural-style-pt takes the mean
// over the C² entries of X·Xᵀ/(C·N): 1/C⁴ of ours.
//
// It is no metric between distributions of features: X and Y can differ and
// have equal Gram matrices.
//
// The objective is Σd²/Σ|d| with d = S − T, divided by the target's mean square
// activation tr(T)/C. It costs one C×C×N product, and one more for the gradient.
type gram struct{}

func (gram) Name() string { return "gram" }

func (gram) Blends() bool { return true }

func (gram) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.SummariseMoments(features, false)
}

func (gram) Distance(summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Compare(pure.Gram{Channels: channels(summary)}, summary, target)
}

func (gram) Objective(summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Compare(pure.Gram{Channels: channels(summary), Scaled: true}, summary, target)
}

// channels is C of a summary of C means and C×C second moments.
func channels(summary *gorgonia.Node) int {
	n := summary.Shape().TotalSize()
	return int(math.Round((math.Sqrt(float64(4*n+1)) - 1) / 2))
}
