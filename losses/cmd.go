package losses

import (
	"impasto/internal/ops"
	"impasto/internal/pure"
)

// centralSmoothing is where roots of central moments become linear in the
// normalised form, in units of the target's deviation by channel. Without it, the
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
// square, which the normalised form divides by; and the first two orders are those
// of moments. The normalised form's roots are smooth at zero, the plain one's are
// not.
//
// The root of the loss is a metric between the moments of channels. It is
// as blind as moments and histogram to how channels go together. High orders
// are ruled by the few strongest responses, and where an odd moment is zero, the
// root makes much of a sample's noise: an error of N^−½ in a fifth moment is one of
// N^−⅒ in its root. It costs O(C·N) and keeps five numbers a channel.
type centralMoments struct{}

// powerMoments summarises points by each channel's raw moments up to the fifth.
var powerMoments = Summary{Reduce: ops.SummarisePowers}

// Description implements Loss.
func (centralMoments) Description() Description {
	return Description{
		Name:      "cmd",
		Help:      "mean and central moments up to the fifth of each channel",
		Formula:   "|μ−μₜ|² + Σₖ |ρₖ(c)−ρₖ(cₜ)|², ρₖ(c) = sign(c)·|c|^1/k, central moments c of orders k = 2 … 5",
		Reference: "Zellinger et al. 2017; Kalischek, Wegner and Schindler 2021, “In the Light of Feature Distributions”",
		Sees:      "mean and central moments up to the fifth of each channel",
		Blind:     "how channels go together",
		Growth:    Linear,
		Cost:      "C·N",
	}
}

// Plain implements Loss.
func (centralMoments) Plain() Form {
	return compareVectors(powerMoments, func(length int) pure.CentralMoments {
		return pure.CentralMoments{Channels: length / pure.Orders}
	})
}

// Normalised implements Loss.
func (centralMoments) Normalised() Form {
	return compareVectors(powerMoments, func(length int) pure.CentralMoments {
		return pure.CentralMoments{Channels: length / pure.Orders, Smoothing: centralSmoothing, Scaled: true}
	})
}
