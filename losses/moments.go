package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// moments compares each channel's mean and standard deviation, as adaptive
// instance normalisation does (Huang and Belongie 2017; Li et al. 2017,
// "Demystifying Neural Style Transfer"):
//
//	|μ−μₜ|² + |σ−σₜ|²
//
// It is gaussian for covariances taken to be diagonal: blind to how channels go
// together, and cheap at O(C·N). The objective divides it by the sum of the
// target's mean squares.
type moments struct{}

func (moments) Name() string { return "moments" }

func (moments) Blends() bool { return true }

func (moments) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.SummariseMoments(features, true)
}

func (moments) Distance(summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Compare(pure.ChannelStatistics{Channels: summary.Shape().TotalSize() / 2}, summary, target)
}

func (moments) Objective(summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.Compare(pure.ChannelStatistics{Channels: summary.Shape().TotalSize() / 2, Scaled: true}, summary, target)
}
