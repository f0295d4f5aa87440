package model

import (
	"image"
	"time"

	"impasto/vgg19"
)

// Style is one style picture and how much it counts beside the others.
type Style struct {
	Image  image.Image
	Weight float64 // relative to the other styles, 0 or more; they are scaled to sum to 1
}

// LayerWeight is one feature map of VGG-19 and how much it counts.
type LayerWeight struct {
	Layer  string // as in vgg19.Layers
	Weight float64
}

// Options are the settings of a stylisation. Start from DefaultOptions.
type Options struct {
	// Loss names the style loss, as in losses.Names. LayerLoss overrides it for
	// single layers.
	Loss      string
	LayerLoss map[string]string
	// Samples is how many positions of a layer, 16–1,048,576, the losses that look at
	// a sample take in one evaluation, those of losses.Sampled: time goes with the
	// square. 0 leaves it to the loss.
	Samples int
	// StyleLayers have weights of 0 or more, which are scaled to sum to 1.
	StyleLayers []LayerWeight
	// ContentLayers have weights of 0 or more, which are scaled to sum to
	// ContentWeight, 0–1e6. With a ContentWeight of 0 there need be none.
	ContentLayers []LayerWeight
	ContentWeight float64
	ContentLoss   string // "scaled" (squared difference over its absolute sum) or "mse"
	// TotalVariationWeight, 0–1e6, smooths the output.
	TotalVariationWeight float64

	Pooling string // max, avg, l2 or none
	Padding string // replicate or zero, at conv1_1
	// PlainPooling leaves average and L2 pooling unscaled, as Gatys et al. do.
	PlainPooling bool

	// Size is the longer side of the output in pixels, from what the layers need
	// (16 for relu5_1) to 16384. Scales grow to it by √2 from the smallest that is
	// at least MinSize; with a MinSize of Size or more there is but one.
	Size, MinSize int
	// StyleSize is the longest that a side of a style picture is at every scale; 0
	// makes it StyleScale, 1/64–64, times the scale's own. Styles are never scaled
	// up beyond their own size; the content is.
	StyleSize  int
	StyleScale float64

	// FirstIterations are made at the first scale, Iterations at each other; 1 to
	// 1,000,000.
	FirstIterations, Iterations int
	// TimeLimit, unless 0, ends the run after that time instead of after so many
	// iterations. Each scale has a share of it in proportion to its iterations
	// times its pixels and makes as many as that allows, one at least; so results
	// depend on the machine's speed.
	TimeLimit time.Duration
	Optimizer string  // adam or lbfgs
	StepSize  float64 // Adam's, above 0 and at most 1, in units of the picture's range
	// AverageDecay, from 0 to below 1, is the decay of the exponential average of
	// Adam's iterates, which is the result; 0 makes the result the last iterate.
	AverageDecay float64

	// Start is what the first scale starts from: content, style (noise with the
	// styles' mean and deviation by channel), grey, noise, or image (StartImage,
	// resized to fit whatever its shape).
	Start      string
	StartImage image.Image
	Seed       uint64

	Device    string // auto (the first GPU that can be used, or else the processor), cpu, cuda or cuda:N
	Precision string // of Precisions: what features are made of; on the processor f16 is how they are kept, bf16 how convolutions multiply
	Threads   int    // 0 uses every core

	// Begin, unless nil, is called before the first iteration of each scale, on the
	// goroutine that runs Stylize.
	Begin func(Scale)

	// Parameters are the network's; nil uses the embedded ones.
	Parameters *vgg19.Parameters

	// Progress, unless nil, is called after every iteration on the goroutine
	// that runs Stylize.
	Progress func(Progress)
}

// DefaultOptions are those that make good pictures without further thought.
// Iterations and optimiser are those of the quality "good"; scales, and with Adam
// step and averaging, follow crowsonkb/style-transfer-pytorch.
//
// Its weights don't carry over, because here every term is divided by the size
// of its target, so that a weight counts for what it says (see losses.Loss). Of
// the weights tried so on photographs and paintings, equal ones for all layers
// make the gaussian loss paint what the style picture shows, by way of relu4_1
// and relu5_1, and much larger ones for the first layers leave little but its
// colours. These keep the content recognisable and the strokes large with gram,
// gaussian and moments alike.
func DefaultOptions() Options {
	return Options{
		Loss: "gaussian",
		StyleLayers: []LayerWeight{
			{"relu1_1", 4}, {"relu2_1", 4}, {"relu3_1", 4}, {"relu4_1", 2}, {"relu5_1", 1},
		},
		ContentLayers:        []LayerWeight{{"relu4_2", 1}},
		ContentWeight:        0.06,
		ContentLoss:          "scaled",
		TotalVariationWeight: 5,
		Pooling:              "max",
		Padding:              "replicate",
		Size:                 512,
		MinSize:              128,
		StyleScale:           1,
		FirstIterations:      200,
		Iterations:           100,
		Optimizer:            "lbfgs",
		StepSize:             0.02,
		AverageDecay:         0.99,
		Start:                "content",
		Device:               "auto",
		Precision:            "f32",
	}
}
