package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// centralSmoothing is where roots of central moments become linear in the
// objective, in units of the target's deviation by channel. Without it, the
// gradient is unbounded where a moment passes zero, as the odd ones of a
// symmetric distribution do.
const centralSmoothing = 0.5

// centralMoments is the central moment discrepancy (Zellinger et al. 2017; for
// style transfer, Kalischek, Wegner and Schindler 2021, "In the Light of Feature
// Distributions") in a form that takes no range: each channel's mean and central
// moments of orders 2 to 5, compared by their roots,
//
//	|μ−μₜ|² + Σₖ |ρₖ(c)−ρₖ(cₜ)|²    with ρₖ(c) = sign(c)·|c|^1/k
//
// The papers scale the features of both sides to a common range of width b−a,
// Kalischek et al. by a sigmoid, so that Σₖ|cₖ−cₖₜ|/(b−a)ᵏ has terms of one
// size. Activations of a rectified network have no bound to take for it, and
// their fifth powers would leave nothing of all but the strongest channels, nor
// would a sigmoid's moments blend between styles whose ranges differ. With the
// roots, whatever b−a is, it comes out of every order alike, as (cₖ/(b−a)ᵏ)^1/k
// is ρₖ/(b−a). So picture and target are scaled alike, by the target's root mean
// square, which the objective divides by; and the first two orders are those of
// moments. The objective's roots are smooth at zero, the plain distance's are
// not.
//
// The root of the distance is a metric between the moments of channels. It is
// as blind as moments and histogram to how channels go together. High orders
// are ruled by the few strongest responses, and where an odd moment is zero, the
// root makes much of a sample's noise: an error of N^−½ in a fifth moment is one of
// N^−⅒ in its root. It costs O(C·N) and keeps five numbers a channel.
type centralMoments struct{}

func (centralMoments) Name() string { return "cmd" }

func (centralMoments) Blends() bool { return true }

func (centralMoments) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.SummarisePowers(features)
}

func (centralMoments) Distance(summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Compare(pure.CentralMoments{Channels: summary.Shape().TotalSize() / pure.Orders}, summary, target)
}

func (centralMoments) Objective(summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Compare(pure.CentralMoments{
		Channels: summary.Shape().TotalSize() / pure.Orders, Smoothing: centralSmoothing, Scaled: true,
	}, summary, target)
}
