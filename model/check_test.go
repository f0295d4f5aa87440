package model

import (
	"errors"
	"image"
	"math"
	"strings"
	"testing"

	"impasto/internal/optim"

	"impasto/cuda"
	"impasto/losses"
	"impasto/vgg19"
)

func TestDefaultOptionsAreInOrder(t *testing.T) {
	if err := DefaultOptions().Check(); err != nil {
		t.Error(err)
	}
}

func TestEveryNameInATableIsDescribed(t *testing.T) {
	for _, name := range OptimizerNames() {
		if Optimizer(name).Help() == "" || len(Optimizer(name).row().variants(optim.Host{})) == 0 {
			t.Errorf("the optimizer %s isn't described", name)
		}
	}
	for _, name := range StartNames() {
		if Start(name).Help() == "" {
			t.Errorf("the start %s isn't described", name)
		}
	}
	for _, q := range Qualities {
		o := DefaultOptions()
		if err := o.SetQuality(q.Name); err != nil || o.Check() != nil || q.Help == "" {
			t.Errorf("the quality %s isn't described or isn't in order: %v", q.Name, err)
		}
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name   string
		change func(*Options)
		option string
		want   string // part of the message
	}{
		{"no loss", func(o *Options) { o.StyleTerms[1].Loss = nil }, "StyleTerms", "style term 2, at relu2_1, has no loss"},
		{"loss without a name", func(o *Options) { o.StyleTerms[2].Loss = nameless{} }, "StyleTerms", "style term 3, at relu3_1, has no loss or one without a name"},
		{"unknown style layer", func(o *Options) { o.StyleTerms[0].Layer = "relu6_1" }, "StyleTerms", `unknown layer "relu6_1"`},
		{"unknown content layer", func(o *Options) { o.ContentLayers = []LayerWeight{{"relu4-2", 1}} }, "ContentLayers", "did you mean relu4_2?"},
		{"content layer twice", func(o *Options) { o.ContentLayers = append(o.ContentLayers, LayerWeight{"relu4_2", 1}) }, "ContentLayers", "relu4_2 stands twice"},
		{"one loss twice at a layer", func(o *Options) { o.StyleTerms = append(o.StyleTerms, o.StyleTerms[0]) }, "StyleTerms", "two style terms at relu1_1 have losses named gaussian"},
		{"no style terms", func(o *Options) { o.StyleTerms = nil }, "StyleTerms", "sum to 0"},
		{"no content layers", func(o *Options) { o.ContentLayers = nil }, "ContentLayers", "or a content weight of 0"},
		{"negative layer weight", func(o *Options) { o.StyleTerms[1].Weight = -1 }, "StyleTerms", "weight of relu2_1 is -1"},
		{"NaN layer weight", func(o *Options) { o.ContentLayers[0].Weight = nan }, "ContentLayers", "weight of relu4_2 is NaN"},
		{"infinite layer weight", func(o *Options) { o.StyleTerms[0].Weight = inf }, "StyleTerms", "weight of relu1_1 is +Inf"},
		{"layer weights that overflow", func(o *Options) {
			o.StyleTerms[0].Weight, o.StyleTerms[1].Weight = math.MaxFloat64, math.MaxFloat64
		}, "StyleTerms", "sum to +Inf"},
		{"negative content weight", func(o *Options) { o.ContentWeight = -0.1 }, "ContentWeight", "content weight is -0.1"},
		{"NaN content weight", func(o *Options) { o.ContentWeight = nan }, "ContentWeight", "content weight is NaN"},
		{"absurd content weight", func(o *Options) { o.ContentWeight = 1e30 }, "ContentWeight", "want 0 to 1e+06"},
		{"unknown content loss", func(o *Options) { o.ContentLoss = "mae" }, "ContentLoss", "did you mean mse?"},
		{"negative total variation", func(o *Options) { o.TotalVariationWeight = -1 }, "TotalVariationWeight", "total variation weight is -1"},
		{"unknown pooling", func(o *Options) { o.Pooling = "maxx" }, "Pooling", "did you mean max?"},
		{"unknown padding", func(o *Options) { o.Padding = "zeros" }, "Padding", "did you mean zero?"},
		{"no size", func(o *Options) { o.Size = 0 }, "Size", "size is 0 pixels, want 16 to 16384"},
		{"negative size", func(o *Options) { o.Size = -512 }, "Size", "size is -512"},
		{"absurd size", func(o *Options) { o.Size = 1 << 40 }, "Size", "want 16 to 16384"},
		{"size below the network's", func(o *Options) { o.Size = 15 }, "Size", "want 16"},
		{"first scale below the network's", func(o *Options) { o.MinSize = 15 }, "MinSize", "first scale is 15"},
		{"style size below the network's", func(o *Options) { o.StyleSize = 8 }, "StyleSize", "want 16"},
		{"negative style size", func(o *Options) { o.StyleSize = -1 }, "StyleSize", "is -1 pixels"},
		{"no style scale", func(o *Options) { o.StyleScale = 0 }, "StyleScale", "style scale is 0"},
		{"NaN style scale", func(o *Options) { o.StyleScale = nan }, "StyleScale", "style scale is NaN"},
		{"no iterations", func(o *Options) { o.Iterations = 0 }, "Iterations", "number of iterations is 0"},
		{"no first iterations", func(o *Options) { o.FirstIterations = -1 }, "FirstIterations", "at the first scale is -1"},
		{"no least iterations", func(o *Options) { o.LeastIterations = 0 }, "LeastIterations", "least number of iterations at a large scale is 0"},
		{"unknown optimizer", func(o *Options) { o.Optimizer = "adamw" }, "Optimizer", "did you mean adam?"},
		{"no step", func(o *Options) { o.StepSize = 0 }, "StepSize", "step size is 0"},
		{"NaN step", func(o *Options) { o.StepSize = nan }, "StepSize", "step size is NaN"},
		{"step above 1", func(o *Options) { o.StepSize = 2 }, "StepSize", "at most 1"},
		{"decay of 1", func(o *Options) { o.AverageDecay = 1 }, "AverageDecay", "below 1"},
		{"negative decay", func(o *Options) { o.AverageDecay = -0.5 }, "AverageDecay", "average decay is -0.5"},
		{"unknown start", func(o *Options) { o.Start = "gray" }, "Start", "did you mean grey?"},
		{"start from a picture that isn't there", func(o *Options) { o.Start = "image" }, "StartImage", "no picture to start from"},
		{"result to go on from that isn't there", func(o *Options) { o.Start = "result" }, "StartImage", "start is result but there is no picture"},
		{"result as large as the output", func(o *Options) { o.Start, o.StartImage = "result", waves(64, 512, 1) }, "StartImage", "64×512 pixels and the output's size is 512; want a larger size"},
		{"picture to start from unused", func(o *Options) { o.StartImage = waves(20, 20, 1) }, "StartImage", "start is content"},
		{"unknown device", func(o *Options) { o.Device = "cpuu" }, "Device", "did you mean cpu?"},
		{"a precision that there isn't", func(o *Options) { o.Precision = "f8" }, "Precision", `unknown precision "f8"`},
		{"a precision that the processor doesn't know", func(o *Options) { o.Device, o.Precision = "cpu", "tf32" }, "Precision", "f32, f16 and bf16, not tf32"},
		{"negative threads", func(o *Options) { o.Threads = -2 }, "Threads", "number of threads is -2"},
		{"network without filters", func(o *Options) { o.Parameters = new(vgg19.Parameters) }, "Parameters", "conv1_1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := DefaultOptions()
			test.change(&o)
			expectOptionError(t, o.Check(), test.option, test.want)
		})
	}
}

func TestPicturesThatWillNotDoAreNamed(t *testing.T) {
	good := []Style{{waves(40, 40, 1), 1}}
	content := waves(60, 40, 0.1)
	style := func(weights ...float64) []Style {
		var styles []Style
		for _, w := range weights {
			styles = append(styles, Style{good[0].Image, w})
		}
		return styles
	}
	tests := []struct {
		name    string
		content image.Image
		styles  []Style
		option  string
		want    string
	}{
		{"no content", nil, good, "Content", "missing or empty"},
		{"empty content", image.NewRGBA(image.Rectangle{}), good, "Content", "missing or empty"},
		{"content too flat for the size", waves(600, 20, 1), good, "Content", "32×1 at a size of 32; the layers asked for see nothing below 16 pixels a side: choose a size of 465 or more"},
		{"content too narrow for the size", waves(1, 20, 1), good, "Content", "choose a size of 310 or more"},
		{"content too flat for any size", waves(20000, 1, 1), good, "Content", "16 pixels a side: crop it"},
		{"no styles", content, nil, "Styles", "no style picture"},
		{"style without a picture", content, []Style{good[0], {nil, 1}}, "Styles", "style picture 2 is missing"},
		{"style too thin for any size", content, []Style{good[0], {waves(1, 2000, 1), 1}}, "Styles", "style picture 2 is 1×2000 pixels, too thin"},
		{"negative style weight", content, style(1, -1), "Styles", "weight of style picture 2 is -1"},
		{"NaN style weight", content, style(math.NaN()), "Styles", "weight of style picture 1 is NaN"},
		{"no style counts", content, style(0, 0), "Styles", "sum to 0"},
		{"style weights that overflow", content, style(math.MaxFloat64, math.MaxFloat64), "Styles", "sum to +Inf"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			result, err := Stylize(t.Context(), test.content, test.styles, tinyOptions())
			expectOptionError(t, err, test.option, test.want)
			if result != nil {
				t.Errorf("result is %v, want none", result)
			}
		})
	}
}

func expectOptionError(t *testing.T, err error, option, want string) {
	t.Helper()
	var wrong *OptionError
	if !errors.As(err, &wrong) {
		t.Fatalf("error is %v, want an OptionError", err)
	}
	if wrong.Option != option || !strings.Contains(err.Error(), want) {
		t.Errorf("error on %s is %q, want one on %s that says %q", wrong.Option, err, option, want)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has more than one line", err)
	}
}

func TestDevicesThatThisBuildCannotUseAreRefused(t *testing.T) {
	if cuda.Built {
		t.Skip("this build can use GPUs")
	}
	o := DefaultOptions()
	o.Device = "cuda:1"
	err := o.Check()
	var option *OptionError
	if !errors.As(err, &option) || option.Option != "Device" || !strings.Contains(err.Error(), "built without GPU support") {
		t.Errorf("error %v, want one of the option Device that says how the program was built", err)
	}
}

// nameless is a loss whose description is empty.
type nameless struct{ losses.Loss }

func (nameless) Description() losses.Description { return losses.Description{} }

func TestLossesOfAllTermsAreSetWithoutChangingCopies(t *testing.T) {
	o := DefaultOptions()
	before := o
	o.SetLoss(named("gram"))
	for i, term := range o.StyleTerms {
		if old := before.StyleTerms[i]; term.Loss != named("gram") || old.Loss != named("gaussian") || term.Layer != old.Layer || term.Weight != old.Weight {
			t.Errorf("term %d is %v, in the copy %v", i+1, term, old)
		}
	}
}
