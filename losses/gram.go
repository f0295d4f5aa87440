package losses

import "impasto/internal/pure"

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
// The normalised form is Σd²/Σ|d| with d = S − T, divided by the target's mean
// square activation tr(T)/C. It costs one C×C×N product, and one more for the
// gradient.
type gram struct{}

// Description implements Loss.
func (gram) Description() Description {
	return Description{
		Name:       "gram",
		Help:       "second moments, as in the classic papers",
		Formula:    "Σ (S − T)², S = X·Xᵀ/N, T = Y·Yᵀ/M",
		Reference:  "Gatys, Ecker and Bethge 2016, “Image Style Transfer Using Convolutional Neural Networks”",
		Sees:       "second raw moments E[xxᵀ], mean and covariance in one",
		Blind:      "whatever mean and covariance make up for in each other",
		Growth:     Products,
		Cost:       "C²·N",
		Operations: momentOperations,
	}
}

// Plain implements Loss.
func (gram) Plain() Form {
	return compareVectors(secondMoments, func(length int) pure.Gram {
		return pure.Gram{Channels: secondMomentChannels(length)}
	})
}

// Normalised implements Loss.
func (gram) Normalised() Form {
	return compareVectors(secondMoments, func(length int) pure.Gram {
		return pure.Gram{Channels: secondMomentChannels(length), Scaled: true}
	})
}
