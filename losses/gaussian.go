package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// ridge is added to the diagonals of both covariances in the objective, in
// units of the target's mean variance. Deep layers of small pictures have fewer
// positions than channels, so their covariance is singular and the gradient
// unbounded without it. At 1e-4 the standard deviation that a direction without
// any variance is taken to have is one hundredth of the target's mean one.
const ridge = 1e-4

// gaussian is the squared Wasserstein-2 distance between the normal
// distributions with the features' means and covariances (Dowson and Landau
// 1982; for style transfer, Marron's essay "Style Transfer as Optimal
// Transport"):
//
//	|μ−μₜ|² + tr(Σ + Σₜ − 2(Σₜ^½ Σ Σₜ^½)^½)
//
// Its root is a metric between such distributions: zero only where means and
// covariances agree. The objective divides it by the trace of the target's
// second raw moment, and so is the share of the target's energy that is amiss;
// its covariances have a ridge, the plain distance's have none. It costs what
// gram does and, for the transport map, about eight inverses of C×C matrices.
type gaussian struct{}

func (gaussian) Name() string { return "gaussian" }

func (gaussian) Blends() bool { return true }

func (gaussian) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.SummariseMoments(features, false)
}

func (gaussian) Distance(summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Compare(pure.Gaussian{Channels: channels(summary)}, summary, target)
}

func (gaussian) Objective(summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Compare(pure.Gaussian{Channels: channels(summary), Ridge: ridge, Scaled: true}, summary, target)
}
