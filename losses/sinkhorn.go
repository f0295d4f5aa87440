package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

const (
	// pairSample is how many positions of a layer losses that compare points pair by
	// pair look at in one evaluation of the objective.
	pairSample = 2048
	// measureSample is that of the plain distance, from one draw.
	measureSample = 4096
)

// sinkhorn is the debiased entropic transport cost (Cuturi 2013; Feydy et al.
// 2019, "Interpolating between Optimal Transport and MMD using Sinkhorn
// Divergences") between the features as clouds of points,
//
//	OT(x,y) − ½OT(x,x) − ½OT(y,y)
//	OT(x,y) = min over plans P of Σ P_ij |x_i−y_j|² + ε·KL(P | 1/NM)
//
// It compares whole distributions, and its gradient moves each point towards
// where an optimal plan sends it. ε is 5 % of the mean squared distance between
// two of the target's points, which stands for the squared diameter of its cloud:
// the plan is blurred by less than a quarter of the typical distance, and
// converges. For ε → 0 the loss is the squared Wasserstein-2 distance; GeomLoss,
// whose cost is |x−y|²/2, gives half of it at blur² = ε/2.
//
// Time is 2·N·M·C operations a pass over all pairs, memory that of the points:
// costs are worked out tile by tile and never kept. The objective looks at 2048
// positions of either side, drawn anew from iteration to iteration, one from each
// of as many equal runs of the map; sinkhorn-whole looks at all, which at
// relu1_1 of 256×256 is a thousand times the work. The plain distance takes
// 4096. A sample's loss is greater than the whole's in the mean, for two samples
// of one cloud differ, if less so with this ε.
//
// Potentials are improved until the sums of the plan's rows are right to 2 %, in
// the mean, but not more than 12 times, and kept; those of the plain distance to
// 0.1 %, or 200 times. The evaluations that follow go on from them, carried over to
// the positions of a new draw, and improve them once: a draft of a photograph in Van
// Gogh's Starry Night at 256 pixels comes to the same distance so, to 4 % by layer,
// as with up to 12 times. With 1024 positions a side it is 1–13 % greater. So a value
// depends on those before within what that leaves open, and a run that is made again
// in one piece gives the same values. The objective is
// divided by the target's mean square activation, summed over channels, and counts
// for three quarters: at a half some pictures are pale, and whole it would leave
// less of the content than other losses do with equal weights.
type sinkhorn struct {
	whole  bool
	sample int // positions; 0 for pairSample
}

func (s sinkhorn) Name() string {
	if s.whole {
		return "sinkhorn-whole"
	}
	return "sinkhorn"
}

func (sinkhorn) Blends() bool { return false }

// Summarise returns the features themselves.
func (sinkhorn) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) { return features, nil }

func (s sinkhorn) Distance(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	loss := sinkhornLoss(features.Shape()[0])
	loss.Tolerance, loss.Iterations = 1e-3, 200
	return compareClouds(loss, s.of(pure.Sample{Most: measureSample}), features, target, nil)
}

func (s sinkhorn) Objective(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	pairs := s.Pairs(features.Shape()[0])
	return compareClouds(pairs.Loss, pairs.Sample, features, target, drawInput(features.Graph()))
}

// Pairs implements Iterative.
func (s sinkhorn) Pairs(channels int) pure.CloudComparison {
	loss := sinkhornLoss(channels)
	loss.Scaled = true
	return pure.CloudComparison{Loss: loss, Channels: channels, Sample: s.of(sampleOf(s.sample))}
}

// PassOperations counts the products of one pass, half an iteration.
func (s sinkhorn) PassOperations(channels, positions, targetPositions int) float64 {
	sample := s.of(sampleOf(s.sample))
	return 2 * float64(sample.Of(positions)) * float64(sample.Of(targetPositions)) * float64(channels)
}

// WithSample implements Sampled; sinkhorn-whole takes all positions all the same.
func (s sinkhorn) WithSample(positions int) Loss {
	s.sample = positions
	return s
}

// of is what the loss looks at where others look at a sample.
func (s sinkhorn) of(sample pure.Sample) pure.Sample {
	if s.whole {
		return pure.Sample{}
	}
	return sample
}

// sampleOf is the sample of an objective that looks at so many positions, or, of 0,
// at as many as losses do unless they are told.
func sampleOf(positions int) pure.Sample {
	if positions == 0 {
		return pure.Sample{Most: pairSample}
	}
	return pure.Sample{Most: positions}
}

func sinkhornLoss(channels int) pure.Sinkhorn {
	return pure.Sinkhorn{Channels: channels, Epsilon: 0.05, Tolerance: 2e-2, Iterations: 12, Refinements: 1}
}

// compareClouds adds a loss between two maps' features to their graph. A draw is
// left out where nothing is drawn.
func compareClouds(loss pure.CloudLoss, sample pure.Sample, features, target, draw *gorgonia.Node) (*gorgonia.Node, error) {
	n, m := positions(features), positions(target)
	if sample.Of(n) == n && sample.Of(m) == m {
		sample, draw = pure.Sample{}, nil
	}
	comparison := pure.CloudComparison{Loss: loss, Channels: features.Shape()[0], Sample: sample}
	return ops.CompareClouds(comparison, features, target, draw)
}

func positions(features *gorgonia.Node) int {
	shape := features.Shape()
	return shape.TotalSize() / shape[0]
}
