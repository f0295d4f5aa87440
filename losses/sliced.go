package losses

import "impasto/internal/pure"

// slicedDirections is how many directions an evaluation of sliced takes at
// most.
const slicedDirections = 64

// slicedStrength multiplies the normalised form. A difference of means counts in
// full along the directions on average, but one of covariances of rank r, and so of
// what makes strokes, only by some 2/(r+2). Of the factors 1, 4 and 10 the last
// two paint the default pictures about as strongly as gaussian does, the first
// much weaker.
const slicedStrength = 8

// sliced is the squared sliced Wasserstein-2 distance (Rabin et al. 2011; for
// style transfer, Heitz et al. 2021, "A Sliced Wasserstein Loss for Neural
// Texture Synthesis"). Along a line, optimal transport is a matter of sorting,
// and features that agree along every line are the same up to their places in
// the picture: unlike gram and gaussian, sliced in the mean over all directions
// compares whole distributions.
//
//	mean over θ of ∫₀¹ (qₓ(u) − qᵧ(u))² du    with quantile functions of θᵀX, θᵀY
//
// It is exact whatever the numbers of positions. The plain form is that
// along the C coordinate axes, which needs no key but sees only each channel
// by itself. The normalised form takes orthonormal directions, 64 or C if those are
// fewer, drawn anew from iteration to iteration, and divides by the target's
// mean square activation (see slicedStrength for the rest). It costs O(K·C·(N+M))
// and sorts of K·(N+M) values, and needs the target's feature map, as there is no
// shorter summary.
//
// The gradient is 2/(K·N)·Σ θ·(θᵀx − matched), where equal values are matched
// alike. Pitfalls: the directions of one key say little about features in many
// channels, so values of different keys differ; and a picture of a single colour,
// all whose features are one, gets the same gradient everywhere and needs noise to
// take up a style.
type sliced struct{}

// Description implements Loss.
func (sliced) Description() Description {
	return Description{
		Name:      "sliced",
		Help:      "whole distribution, along random directions",
		Formula:   "mean over θ of ∫₀¹ (qₓ(u) − qᵧ(u))² du, quantile functions q of θᵀX, θᵀY; in the plain form θ are the C axes",
		Reference: "Rabin et al. 2011; Heitz et al. 2021, “A Sliced Wasserstein Loss for Neural Texture Synthesis”",
		Sees:      "the whole distribution, along random directions that change from iteration to iteration",
		Blind:     "nothing in the mean over all directions; in one iteration, what its 64 directions miss",
		Growth:    Sorting,
		Cost:      "64·C·N, and sorting of 64·N values",
	}
}

// Plain implements Loss.
func (sliced) Plain() Form {
	return compareSliced(false, func(channels int) (pure.Sliced, float64) {
		return pure.Sliced{Channels: channels}, 1
	})
}

// Normalised implements Loss.
func (sliced) Normalised() Form {
	return compareSliced(true, func(channels int) (pure.Sliced, float64) {
		return pure.Sliced{Channels: channels, Directions: min(slicedDirections, channels), Scaled: true}, slicedStrength
	})
}
