package losses

import "impasto/internal/pure"

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
// gradient. The normalised form looks at 2048 positions of either side, drawn anew
// from iteration to iteration, and the plain one at 4096; it costs six products
// of 2·N·M·C operations and five exponentials' worth of kernels a pair. It is
// multiplied by 6h, which makes it one of second degree in the features and as
// strong as a transport cost, and divided by the target's mean square activation,
// summed over channels.
type mmd struct{ sample sample }

// Description implements Loss. Operations counts three products over the pairs of
// the sample with itself and three over those with the target's. What a new key
// adds, the target's with itself, is left out.
func (k mmd) Description() Description {
	return Description{
		Name:      "mmd",
		Help:      "whole distribution, through Gaussian kernels",
		Formula:   "mean k(x,x′) + mean k(y,y′) − 2 mean k(x,y), k = ⅕ Σ exp(−|x−y|²/2σ²), σ² of ¼, ½, 1, 2 and 4 times the median |y−y′|²",
		Reference: "Gretton et al. 2012; Li et al. 2017, “Demystifying Neural Style Transfer”",
		Sees:      "the whole distribution, through Gaussian kernels of several widths, among 2048 sampled positions",
		Blind:     "differences far wider or finer than its kernels",
		Growth:    SampledPairs,
		Cost:      "2·C·2048², three times",
		Operations: func(channels, positions, targetPositions int) float64 {
			return 6 * (k.sample.pairs(positions, positions) + k.sample.pairs(positions, targetPositions)) * float64(channels)
		},
	}
}

// Plain implements Loss.
func (mmd) Plain() Form {
	return compareClouds(fixedSample, func(channels int) pure.MMD {
		return pure.MMD{Channels: channels}
	})
}

// Normalised implements Loss.
func (k mmd) Normalised() Form {
	return compareClouds(k.sample.points(), func(channels int) pure.MMD {
		return pure.MMD{Channels: channels, Scaled: true}
	})
}

// WithSample implements Sampled.
func (mmd) WithSample(positions int) Loss { return mmd{sample(positions)} }
