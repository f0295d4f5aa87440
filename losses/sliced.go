package losses

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// DrawName is the name of the input, a float64 scalar, that a graph has where a
// loss in it is drawn by lot. The loss depends on nothing else besides features
// and target: one value of it is one function, to be descended on with any
// method, and other values make others that have the same mean. The function of
// max-sliced is that of the features which a draw's first evaluation saw, and
// sinkhorn's is exact to its tolerance only.
const DrawName = "draw"

// drawInput is the input of that name; a graph has but one.
func drawInput(g *gorgonia.ExprGraph) *gorgonia.Node {
	return gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName(DrawName))
}

// slicedDirections is how many directions an evaluation of sliced takes at
// most.
const slicedDirections = 64

// slicedStrength multiplies the objective. A difference of means counts in full
// along the directions on average, but one of covariances of rank r, and so of
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
// It is exact whatever the numbers of positions. The plain distance is that
// along the C coordinate axes, which needs no chance but sees only each channel
// by itself. The objective takes orthonormal directions, 64 or C if those are
// fewer, drawn anew from iteration to iteration, and divides by the target's
// mean square activation (see slicedStrength for the rest). It costs O(K·C·(N+M)) and sorts of K·(N+M) values,
// and needs the target's feature map, as there is no shorter summary.
//
// The gradient is 2/(K·N)·Σ θ·(θᵀx − matched), where equal values are matched
// alike. Pitfalls: a single draw says little about features in many channels,
// so values of different draws differ; and a picture of a single colour, all
// whose features are one, gets the same gradient everywhere and needs noise to
// take up a style.
type sliced struct{}

func (sliced) Name() string { return "sliced" }

func (sliced) Blends() bool { return false }

// Summarise returns the features themselves.
func (sliced) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) { return features, nil }

func (sliced) Distance(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	return ops.CompareSliced(pure.Sliced{Channels: features.Shape()[0]}, features, target, nil)
}

func (sliced) Objective(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	channels := features.Shape()[0]
	loss := pure.Sliced{Channels: channels, Directions: min(slicedDirections, channels), Scaled: true}
	node, err := ops.CompareSliced(loss, features, target, drawInput(features.Graph()))
	if err != nil {
		return nil, err
	}
	return ops.WeightedSum([]float64{slicedStrength}, node)
}
