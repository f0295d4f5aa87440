package losses

import "impasto/internal/pure"

// histogram compares each channel's distribution of activations (Risser, Wilmot
// and Barnes 2017, "Stable and Controllable Neural Texture Synthesis and Style
// Transfer Using Histogram Losses"):
//
//	Σ over channels of ∫₀¹ (qₓ(u) − qᵧ(u))² du    with quantile functions of the channel
//
// Risser et al. move a layer's activations to ones with the target's histogram,
// in 256 bins, and take the squared difference to these, held constant. Here
// they are moved exactly, by sorting, as in optimal transport along the channel,
// whatever the numbers of positions: bins lose the tails, where the strongest
// responses are, and nothing is gained by them. To hold the moved activations
// constant then is no approximation but gives the gradient of the distance.
//
// It has moments as a lower bound, sees what that misses of a channel's
// distribution, and is as blind to how channels go together: Risser et al. use
// it beside gram, for which a mixture by layers will do. It is sliced along the
// axes, times C. The normalised form divides by the sum of the target's mean
// squares. It costs the sorting of C·(N+M) values, and needs the target's feature
// map.
type histogram struct{}

// Description implements Loss.
func (histogram) Description() Description {
	return Description{
		Name:      "histogram",
		Help:      "distribution of each channel",
		Formula:   "Σ over channels of ∫₀¹ (qₓ(u) − qᵧ(u))² du, quantile functions q",
		Reference: "Risser, Wilmot and Barnes 2017, “Stable and Controllable Neural Texture Synthesis and Style Transfer Using Histogram Losses”",
		Sees:      "the whole distribution of each channel",
		Blind:     "how channels go together",
		Growth:    Sorting,
		Cost:      "sorting of C·N values",
	}
}

// Plain implements Loss.
func (histogram) Plain() Form {
	return compareSliced(false, func(channels int) (pure.Sliced, float64) {
		return pure.Sliced{Channels: channels}, float64(channels)
	})
}

// Normalised implements Loss.
func (histogram) Normalised() Form {
	return compareSliced(false, func(channels int) (pure.Sliced, float64) {
		return pure.Sliced{Channels: channels, Scaled: true}, 1
	})
}
