package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
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
// costs are worked out tile by tile and never kept. The normalised form looks at
// 2048 positions of either side, drawn anew from iteration to iteration, one from
// each of as many equal runs of the map; sinkhorn-whole looks at all, which at
// relu1_1 of 256×256 is a thousand times the work. The plain form takes
// 4096. A sample's loss is greater than the whole's in the mean, for two samples
// of one cloud differ, if less so with this ε.
//
// Potentials are improved until the sums of the plan's rows are right to 2 %, in
// the mean, but not more than 12 times, and kept; those of the plain form to
// 0.1 %, or 200 times. The evaluations that follow go on from them, carried over to
// the positions of a new key, and improve them once: a draft of a photograph in Van
// Gogh's Starry Night at 256 pixels comes to the same distance so, to 4 % by layer,
// as with up to 12 times. With 1024 positions a side it is 1–13 % greater. So a value
// depends on those before within what that leaves open, and a run that is made again
// in one piece gives the same values. The normalised form is
// divided by the target's mean square activation, summed over channels, and counts
// for three quarters: at a half some pictures are pale, and whole it would leave
// less of the content than other losses do with equal weights.
type sinkhorn struct {
	whole  bool
	sample sample
}

// Description implements Loss.
func (s sinkhorn) Description() Description {
	d := Description{
		Name:      "sinkhorn",
		Help:      "whole distribution, by optimal transport between sampled positions",
		Formula:   "OT(x,y) − ½OT(x,x) − ½OT(y,y), OT(x,y) = min over P of Σ Pᵢⱼ|xᵢ−yⱼ|² + ε·KL(P | 1/NM), ε = 5 % of the mean |y−y′|²",
		Reference: "Cuturi 2013; Feydy et al. 2019, “Interpolating between Optimal Transport and MMD using Sinkhorn Divergences”",
		Sees:      "the whole distribution, by entropic optimal transport between 2048 sampled positions a side, other ones in every iteration",
		Blind:     "what is finer than its blur, 5 % of the mean squared distance",
		Growth:    SampledPairs,
		Cost:      "2·C·2048² a pass, 12 of them after a new key and 7 else",
	}
	if s.whole {
		d.Name = "sinkhorn-whole"
		d.Help = "whole distribution, by optimal transport between all positions: time grows with the square of the size"
		d.Sees = "the whole distribution, by entropic optimal transport between all positions"
		d.Growth = AllPairs
		d.Cost = "2·C·N² a pass, dozens of them at first and 7 else"
	}
	return d
}

// Plain implements Loss.
func (s sinkhorn) Plain() Form {
	return s.compare(fixedSample, func(channels int) pure.Sinkhorn {
		of := transport(channels)
		of.Tolerance, of.Iterations = 1e-3, 200
		return of
	})
}

// Normalised implements Loss.
func (s sinkhorn) Normalised() Form {
	return s.compare(s.sample.points(), func(channels int) pure.Sinkhorn {
		of := transport(channels)
		of.Scaled = true
		return of
	})
}

// transport is what both forms have in common.
func transport(channels int) pure.Sinkhorn {
	return pure.Sinkhorn{Channels: channels, Epsilon: 0.05, Tolerance: 2e-2, Iterations: 12, Refinements: 1}
}

// compare is a form that keeps, beside points, the means of all of the target:
// points of two samples are compared with each other, and so have one centre.
// sinkhorn-whole keeps all points.
func (s sinkhorn) compare(points Summary, of func(channels int) pure.Sinkhorn) Form {
	if s.whole {
		points = Summary{}
	}
	means := channelMoments
	means.TargetOnly = true
	return Form{
		Summaries: []Summary{points, means},
		Compare: func(x, target []Summarised) (*gorgonia.Node, error) {
			operands := cloudsOf(x[0], target[0])
			operands.Centre = target[1].Node
			return ops.CompareClouds(of(x[0].channels()), operands)
		},
	}
}

// Pass implements Iterative.
func (s sinkhorn) Pass(x, target []Summarised) (*gorgonia.Node, error) {
	form := s.Normalised()
	form.Compare = func(x, target []Summarised) (*gorgonia.Node, error) {
		operands := ops.CloudOperands{X: x[0].Node, Target: target[0].Node, Centre: target[1].Node}
		return ops.ApplySoftmin(transport(x[0].channels()), operands)
	}
	return form.Value(x, target)
}

// PassOperations counts the products of one pass, half an iteration.
func (s sinkhorn) PassOperations(channels, positions, targetPositions int) float64 {
	pairs := s.sample.pairs(positions, targetPositions)
	if s.whole {
		pairs = float64(positions) * float64(targetPositions)
	}
	return 2 * pairs * float64(channels)
}

// WithSample implements Sampled; sinkhorn-whole takes all positions all the same.
func (s sinkhorn) WithSample(positions int) Loss {
	s.sample = sample(positions)
	return s
}
