package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

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
// axes, times C. The objective divides by the sum of the target's mean squares.
// It costs the sorting of C·(N+M) values, and needs the target's feature map.
type histogram struct{}

func (histogram) Name() string { return "histogram" }

func (histogram) Blends() bool { return false }

// Summarise returns the features themselves.
func (histogram) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) { return features, nil }

func (histogram) Distance(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	channels := features.Shape()[0]
	mean, err := ops.CompareSliced(pure.Sliced{Channels: channels}, features, target, nil)
	if err != nil {
		return nil, err
	}
	return ops.WeightedSum([]float64{float64(channels)}, mean)
}

func (histogram) Objective(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.CompareSliced(pure.Sliced{Channels: features.Shape()[0], Scaled: true}, features, target, nil)
}
