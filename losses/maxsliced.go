package losses

import "impasto/internal/pure"

const (
	// maxSlicedDirections is how many directions an evaluation of max-sliced takes
	// at most, and maxSlicedAscent how many steps it turns them.
	maxSlicedDirections = 16
	maxSlicedAscent     = 3
	// lineAscent is how many steps the plain form turns its one direction. On
	// a photograph and a painting 20 come to what 160 do in six digits, 10 in four.
	lineAscent = 20
	// maxSlicedStrength multiplies the normalised form: a few directions don't have
	// all of the difference, and pull less strongly than gaussian does.
	maxSlicedStrength = 4
)

// maxSliced takes the squared Wasserstein-2 distance along the directions where
// it is greatest (Deshpande et al. 2019, "Max-Sliced Wasserstein Distance and its
// use for GANs"; Dai and Seljak 2021, for several orthonormal directions):
//
//	max over θ of ∫₀¹ (qₓ(u) − qᵧ(u))² du    with quantile functions of θᵀX, θᵀY
//
// Most random directions in hundreds of channels show hardly a difference, which
// these few do. The plain form is along one direction, found in 20 steps of
// an ascent, so it is a local maximum: a lower bound. The normalised form is the sum
// along 16 orthonormal ones, turned by 3 steps from where they are drawn anew in
// each iteration, and held in its line search; divided by the sum of the target's
// mean squares (see maxSlicedStrength for the rest). Each step costs as much as an
// evaluation of sliced with as many directions, and the sorting twice.
//
// Pitfalls: the value within an iteration depends on the picture that it began
// with, though a run that is made again gives the same values. And it works on
// the largest differences first, and so is slow to finish with the small ones.
type maxSliced struct{}

// Description implements Loss.
func (maxSliced) Description() Description {
	return Description{
		Name:      "max-sliced",
		Help:      "whole distribution, along the directions of largest difference",
		Formula:   "max over θ of ∫₀¹ (qₓ(u) − qᵧ(u))² du, quantile functions q of θᵀX, θᵀY, as near as an ascent comes to it",
		Reference: "Deshpande et al. 2019, “Max-Sliced Wasserstein Distance and its use for GANs”; Dai and Seljak 2021",
		Sees:      "the whole distribution, along the few directions where it differs most",
		Blind:     "small differences, until the large ones are gone",
		Growth:    Sorting,
		Cost:      "as `sliced`, twice",
	}
}

// Plain implements Loss.
func (maxSliced) Plain() Form {
	return compareSliced(false, func(channels int) (pure.Sliced, float64) {
		return pure.Sliced{Channels: channels, Directions: 1, Ascent: lineAscent}, 1
	})
}

// Normalised implements Loss. A mean over the directions to the mean square of a
// channel becomes a sum to a sum.
func (maxSliced) Normalised() Form {
	return compareSliced(true, func(channels int) (pure.Sliced, float64) {
		count := min(maxSlicedDirections, channels)
		of := pure.Sliced{Channels: channels, Directions: count, Ascent: maxSlicedAscent, Held: true, Scaled: true}
		return of, maxSlicedStrength * float64(count) / float64(channels)
	})
}
