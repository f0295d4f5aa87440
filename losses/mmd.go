package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/pure"
)

// mmd is the squared maximum mean discrepancy (Gretton et al. 2012; for style
// transfer, Li et al. 2017, "Demystifying Neural Style Transfer", who show that
// gram is one with the kernel (xᵀy)²) under a mixture of Gaussian kernels,
//
//	mean k(x,x′) + mean k(y,y′) − 2 mean k(x,y)
//	k = 1/5 Σ exp(−|x−y|²/2σ²)    σ² of ¼, ½, 1, 2 and 4 times h
//
// where h is the median squared distance between two of the target's points. It
// is zero only where the distributions are equal. Means are over all pairs, a
// point's with itself included, so the loss is never negative; a sample's is
// greater than the whole's.
//
// Pitfall: a point much farther than √h from all others gets hardly any
// gradient. The objective looks at 2048 positions of either side, drawn anew from
// iteration to iteration, and the plain distance at 4096; it costs six products
// of 2·N·M·C operations and five exponentials' worth of kernels a pair. It is
// multiplied by 6h, which makes it one of second degree in the features and as
// strong as a transport cost, and divided by the target's mean square activation, summed over channels.
type mmd struct {
	sample int // positions; 0 for pairSample
}

func (mmd) Name() string { return "mmd" }

func (mmd) Blends() bool { return false }

// Summarise returns the features themselves.
func (mmd) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) { return features, nil }

func (mmd) Distance(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	return compareClouds(pure.MMD{Channels: features.Shape()[0]}, pure.Sample{Most: measureSample}, features, target, nil)
}

func (k mmd) Objective(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	loss := pure.MMD{Channels: features.Shape()[0], Scaled: true}
	return compareClouds(loss, sampleOf(k.sample), features, target, drawInput(features.Graph()))
}

// WithSample implements Sampled.
func (mmd) WithSample(positions int) Loss { return mmd{positions} }

// Operations counts three products over the pairs of the sample with itself and
// three over those with the target's. What a new draw adds, the target's with
// itself, is left out.
func (k mmd) Operations(channels, positions, targetPositions int) float64 {
	sample := sampleOf(k.sample)
	n, m := float64(sample.Of(positions)), float64(sample.Of(targetPositions))
	return 6 * n * (n + m) * float64(channels)
}
