package model

import (
	"image"
	"slices"
	"time"

	"impasto/device"
	"impasto/losses"
	"impasto/vgg19"
)

// Style is one style picture and how much it counts beside the others.
type Style struct {
	Image  image.Image
	Weight float64 // relative to the other styles, 0 or more; they are scaled to sum to 1
}

// Region is a part of the output that takes a style picture of its own. Its masks are white
// in the region, black elsewhere, and grey where something belongs to it in part; of one that
// is transparent in part, its opacity is the mask. They are resized to the picture that they
// are of.
//
// Where regions overlap, each has its share, by its mask times its style's weight. What they
// leave over takes the style pictures that are in no region; if there are none, it stays the
// content's. Losses of moments know shares of a position of a layer; for others, and on a
// GPU, a position belongs to the region that has the most of it.
type Region struct {
	// Style is the place of the style picture among the styles, from 0. It is of no other
	// region, and its weight is above 0.
	Style int
	Mask  image.Image // of the output
	// StyleMask, unless nil, is which part of the style picture counts.
	StyleMask image.Image
}

// LayerWeight is one feature map of VGG-19 and how much it counts.
type LayerWeight struct {
	Layer  string // as in vgg19.Layers
	Weight float64
}

// StyleTerm compares the features of one layer with the styles' by one loss.
type StyleTerm struct {
	Layer string // as in vgg19.Layers
	// Loss is one of package losses or from outside, as losses.Custom makes them. The
	// terms of one layer have losses of different names.
	Loss   losses.Loss
	Weight float64 // relative to the other terms, 0 or more; they are scaled to sum to 1
}

// Options are the settings of a stylisation. Start from DefaultOptions.
type Options struct {
	// StyleTerms make up the style's part of the loss; see SetLoss.
	StyleTerms []StyleTerm
	// ContentLayers have weights of 0 or more, which are scaled to sum to
	// ContentWeight, 0 to MaxWeight. With a ContentWeight of 0 there need be none.
	ContentLayers []LayerWeight
	ContentWeight float64
	ContentLoss   string // as in losses.ContentNames
	// TotalVariationWeight, 0 to MaxWeight, smooths the output.
	TotalVariationWeight float64

	// KeepColours is how much of the content's colours is kept, from 0, nothing, to 1, and
	// ColourMethod in which way, as in ColourMethods.
	KeepColours  float64
	ColourMethod string

	Pooling string // max, avg, l2 or none
	Padding string // replicate or zero, at conv1_1
	// PlainPooling leaves average and L2 pooling unscaled, as Gatys et al. do.
	PlainPooling bool

	// Size is the longer side of the output in pixels, from what the layers need
	// (16 for relu5_1) to MaxSize. The levels of the pyramid grow to it from the
	// smallest that is at least MinSize; with a MinSize of Size or more there is but one, and
	// with StartFromResult they are those that are larger than that.
	Size, MinSize int
	// LevelsPerOctave, 1 to MaxLevelsPerOctave, is in how many levels the size doubles.
	LevelsPerOctave int
	// StyleSize is the longest that a side of a style picture is at every level; 0
	// makes it StyleScale, 1/MaxStyleScale to MaxStyleScale, times the level's own.
	// Styles are never scaled up beyond their own size; the content is.
	StyleSize  int
	StyleScale float64

	// FirstIterations are made at the first level, Iterations at the last, MiddleIterations
	// at each between, 1 to MaxIterations. With StartFromResult the first level is one of
	// those between or the last.
	FirstIterations, MiddleIterations, Iterations int
	// LeastIterations is down to how many L-BFGS goes at the last level where its longer
	// side is above 512 pixels, 1 to MaxIterations: it makes 512/side of Iterations where
	// that is more, and levels between that are above make fewer in the same proportion. A
	// number of Iterations or above makes all sizes equal. Adam, whose average needs its
	// time, makes as many at all.
	LeastIterations int
	// Noise, 0 to 1, is the standard deviation, in units of the picture's range, of what is
	// added to the picture that a level begins with: to that of the level before, which
	// lacks the finest detail, to the content and to a smaller result. Where nothing is to
	// begin with, strokes grow along what edges there are, in rows. Another start of one's own
	// stays as it is.
	Noise float64
	// TimeLimit, unless 0, ends the run after that time instead of after so many
	// iterations. Each level has a share of it in proportion to its iterations
	// times its pixels and makes as many as that allows, one at least; so results
	// depend on the machine's speed.
	TimeLimit time.Duration
	Optimizer Optimizer
	StepSize  float64 // Adam's, above 0 and at most MaxStepSize, in units of the picture's range
	// AverageDecay, from 0 to below 1, is the decay of the exponential average of
	// Adam's iterates, which is the result; 0 makes the result the last iterate.
	AverageDecay float64

	// Regions, unless empty, take style pictures of their own.
	Regions []Region
	// Protect, unless nil, is a mask, as regions have: what is white in it stays as the
	// content has it, and what is grey is blended.
	Protect image.Image

	Start      Start       // what the first level starts from
	StartImage image.Image // for StartFromImage, and for StartFromResult, where its longer side is below Size
	Seed       uint64      // of whatever is random

	Device    device.Name
	Precision device.Precision // of those that the device knows
	Threads   int              // of the processor, up to MaxThreads; 0 uses every core
	// Memory is how many bytes of memory the program may take at most, with all that it
	// takes besides; 0 stands for 4 GiB or, where that won't do, for as much as it takes, but
	// never for more than three quarters of what there is. A picture for which there isn't
	// enough is looked at in tiles, which takes more time and comes to the same up to
	// rounding. Losses that keep points then look at a sample of each layer.
	Memory int64

	// Prior, unless nil, is what the result should agree with.
	Prior *Prior

	// Planned, unless nil, is called once, before the first level, with what the run is
	// expected to take, as MakePlan has it, for which a few evaluations are timed.
	Planned func(Plan)

	// Begin, unless nil, is called before the first iteration of each level, on the
	// goroutine that runs Stylize.
	Begin func(Level)

	// Parameters are the network's; nil uses the embedded ones.
	Parameters *vgg19.Parameters

	// Progress, unless nil, is called after every iteration on the goroutine
	// that runs Stylize.
	Progress func(Progress)

	// AsksForPictures tells that Progress will ask for pictures, so that memory is left for
	// one of the output's size.
	AsksForPictures bool

	// Checkpoint, unless nil, is called after every iteration, after Progress, and once
	// more where the end of ctx stops the run. It may write a checkpoint to go on from.
	Checkpoint func(Moment)
	// Resume, unless nil, is where to go on from. Pictures and options have to be those of
	// the run that it is of, but for Device, Threads and callbacks. On the same kind of
	// processor the result is the same bit by bit as that of a run that wasn't stopped,
	// unless there was a TimeLimit; on another, the result's Remarks say that it may differ.
	Resume *Checkpoint
}

// DefaultOptions are those that make good pictures without further thought.
// Iterations and optimiser are those of the quality "good"; levels, and with Adam
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
	gaussian := losses.Must(losses.Named("gaussian"))
	return Options{
		StyleTerms: []StyleTerm{
			{"relu1_1", gaussian, 4}, {"relu2_1", gaussian, 4}, {"relu3_1", gaussian, 4}, {"relu4_1", gaussian, 2}, {"relu5_1", gaussian, 1},
		},
		ContentLayers:        []LayerWeight{{"relu4_2", 1}},
		ContentWeight:        0.06,
		ContentLoss:          "scaled",
		TotalVariationWeight: 0.2,
		ColourMethod:         ColourMethods()[0],
		Pooling:              "max",
		Padding:              "replicate",
		Size:                 512,
		MinSize:              128,
		LevelsPerOctave:      2,
		StyleScale:           1,
		FirstIterations:      60,
		MiddleIterations:     15,
		Iterations:           30,
		LeastIterations:      20,
		Noise:                0.1,
		Optimizer:            LBFGS,
		StepSize:             0.02,
		AverageDecay:         0.99,
		Start:                StartFromContent,
		Device:               device.Auto,
		Precision:            device.AutoPrecision,
	}
}

// SetLoss makes one loss that of all style terms, whose layers and weights stay. Copies
// of the options are left alone.
func (o *Options) SetLoss(loss losses.Loss) {
	o.StyleTerms = slices.Clone(o.StyleTerms)
	for i := range o.StyleTerms {
		o.StyleTerms[i].Loss = loss
	}
}
