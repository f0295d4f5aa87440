package model

import (
	"fmt"
	"image"
	"math"
	"slices"

	"impasto/internal/names"
	"impasto/losses"
	"impasto/vgg19"
)

// OptionError reports a setting or a picture that Stylize cannot work with.
type OptionError struct {
	Option  string // the field of Options, or Content or Styles
	Problem string // what is wrong and what would be right
}

func (e *OptionError) Error() string { return "model: " + e.Problem }

// Check reports the first option that is out of range, names what doesn't exist
// or doesn't fit the others, as an *OptionError. Stylize calls it.
func (o Options) Check() error {
	for _, check := range []func() error{
		o.checkStyle, o.checkContent, o.checkNames, o.checkNumbers, o.checkSizes, o.checkStart, o.Prior.check,
		func() error { return checkDevice(o.Device, o.Precision) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	if o.Parameters != nil {
		if err := o.Parameters.Check(); err != nil {
			return &OptionError{"Parameters", err.Error()}
		}
	}
	return nil
}

func (o Options) checkStyle() error {
	type place struct{ layer, loss string }
	seen := map[place]bool{}
	var sum float64
	for i, t := range o.StyleTerms {
		if err := checkLayerWeight("StyleTerms", t.Layer, t.Weight); err != nil {
			return err
		}
		if t.Loss == nil || t.Loss.Description().Name == "" {
			return &OptionError{"StyleTerms", fmt.Sprintf("style term %d, at %s, has no loss or one without a name", i+1, t.Layer)}
		}
		here := place{t.Layer, t.Loss.Description().Name}
		if seen[here] {
			return &OptionError{"StyleTerms", fmt.Sprintf("two style terms at %s have losses named %s; give one of them", here.layer, here.loss)}
		}
		seen[here] = true
		sum += t.Weight
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return &OptionError{"StyleTerms", fmt.Sprintf("weights of the style terms sum to %v, want a finite sum above 0", sum)}
	}
	return nil
}

func (o Options) checkContent() error {
	seen := map[string]bool{}
	for _, l := range o.ContentLayers {
		if err := checkLayerWeight("ContentLayers", l.Layer, l.Weight); err != nil {
			return err
		}
		if seen[l.Layer] {
			return &OptionError{"ContentLayers", fmt.Sprintf("layer %s stands twice; give it once", l.Layer)}
		}
		seen[l.Layer] = true
	}
	if sum := sumOf(o.ContentLayers); o.ContentWeight > 0 && !(sum > 0) || math.IsInf(sum, 0) {
		return &OptionError{"ContentLayers", fmt.Sprintf(
			"weights of the content layers sum to %v, want a finite sum above 0, or a content weight of 0", sum)}
	}
	if err := checkName("ContentLoss", "content loss", o.ContentLoss, losses.ContentNames()); err != nil {
		return err
	}
	if err := checkRange("ContentWeight", "content weight", o.ContentWeight, 0, MaxWeight); err != nil {
		return err
	}
	if err := checkRange("KeepColours", "strength of kept colours", o.KeepColours, 0, 1); err != nil {
		return err
	}
	if err := checkName("ColourMethod", "way to keep colours", o.ColourMethod, ColourMethods()); err != nil {
		return err
	}
	return checkRange("TotalVariationWeight", "total variation weight", o.TotalVariationWeight, 0, MaxWeight)
}

func checkLayerWeight(option, layer string, weight float64) error {
	if err := checkName(option, "layer", layer, vgg19.Layers()); err != nil {
		return err
	}
	return checkRange(option, "weight of "+layer, weight, 0, math.MaxFloat64)
}

func (o Options) checkNames() error {
	if err := checkName("Pooling", "pooling", o.Pooling, vgg19.Poolings); err != nil {
		return err
	}
	if err := checkName("Padding", "padding", o.Padding, vgg19.Paddings); err != nil {
		return err
	}
	return checkName("Optimizer", "optimizer", string(o.Optimizer), OptimizerNames())
}

func (o Options) checkNumbers() error {
	for _, n := range []struct {
		option, what     string
		value, low, high float64
	}{
		{"FirstIterations", "number of iterations at the first scale", float64(o.FirstIterations), 1, MaxIterations},
		{"MiddleIterations", "number of iterations at the scales between", float64(o.MiddleIterations), 1, MaxIterations},
		{"Iterations", "number of iterations", float64(o.Iterations), 1, MaxIterations},
		{"LeastIterations", "least number of iterations at a large scale", float64(o.LeastIterations), 1, MaxIterations},
		{"Noise", "noise", o.Noise, 0, 1},
		{"LevelsPerOctave", "number of scales to an octave", float64(o.LevelsPerOctave), 1, MaxLevelsPerOctave},
		{"Threads", "number of threads", float64(o.Threads), 0, MaxThreads},
		{"Memory", "memory", float64(o.Memory), 0, 1 << 60},
		{"StyleScale", "style scale", o.StyleScale, 1. / MaxStyleScale, MaxStyleScale},
	} {
		if err := checkRange(n.option, n.what, n.value, n.low, n.high); err != nil {
			return err
		}
	}
	if o.TimeLimit < 0 {
		return &OptionError{"TimeLimit", fmt.Sprintf("time limit is %v, want more than 0, or 0 for none", o.TimeLimit)}
	}
	if !(o.StepSize > 0 && o.StepSize <= MaxStepSize) {
		return &OptionError{"StepSize", fmt.Sprintf("step size is %v, want above 0 and at most %v", o.StepSize, MaxStepSize)}
	}
	if !(o.AverageDecay >= 0 && o.AverageDecay < 1) {
		return &OptionError{"AverageDecay", fmt.Sprintf("average decay is %v, want at least 0 and below 1", o.AverageDecay)}
	}
	return nil
}

func (o Options) checkSizes() error {
	least := o.minimumSize()
	for _, s := range []struct {
		option, what string
		side         int
	}{
		{"Size", "size", o.Size},
		{"MinSize", "size of the first scale", o.MinSize},
	} {
		if s.side < least || s.side > MaxSize {
			return &OptionError{s.option, fmt.Sprintf("%s is %d pixels, want %d to %d; the layers asked for see nothing smaller",
				s.what, s.side, least, MaxSize)}
		}
	}
	if o.StyleSize != 0 && (o.StyleSize < least || o.StyleSize > MaxSize) {
		return &OptionError{"StyleSize", fmt.Sprintf("size of the styles is %d pixels, want %d to %d, or 0 for that of the scale",
			o.StyleSize, least, MaxSize)}
	}
	return nil
}

func (o Options) checkStart() error {
	if err := checkName("Start", "start", string(o.Start), StartNames()); err != nil {
		return err
	}
	switch given := o.StartImage != nil && !o.StartImage.Bounds().Empty(); {
	case o.Start.IsPicture() && !given:
		return &OptionError{"StartImage", fmt.Sprintf("start is %s but there is no picture to start from; give one", o.Start)}
	case !o.Start.IsPicture() && o.StartImage != nil:
		return &OptionError{"StartImage", fmt.Sprintf("there is a picture to start from but start is %s, want image or result", o.Start)}
	case o.Start == StartFromResult && longerSide(o.StartImage) >= o.Size:
		size := o.StartImage.Bounds().Size()
		return &OptionError{"StartImage", fmt.Sprintf("the result to go on from is %d×%d pixels and the output's size is %d; want a larger size, or to start from an image, which may have any",
			size.X, size.Y, o.Size)}
	}
	return nil
}

// minimumSize is the least side of a picture that every layer sees something of.
func (o Options) minimumSize() int { return vgg19.MinimumSize(o.layers()...) }

// layers are those of the style and the content. Some may stand twice.
func (o Options) layers() []string {
	var layers []string
	for _, t := range o.StyleTerms {
		layers = append(layers, t.Layer)
	}
	for _, l := range o.ContentLayers {
		layers = append(layers, l.Layer)
	}
	return layers
}

// checkPictures reports pictures that are missing, too thin for the network at any size
// that there may be, or have weights that make no sense. The options have been checked.
func checkPictures(content image.Image, styles []Style, o Options) error {
	if err := o.checkContentPicture(content); err != nil {
		return err
	}
	if len(styles) == 0 {
		return &OptionError{"Styles", "there is no style picture, want at least one"}
	}
	var sum float64
	others := false // there are some in no region
	for i, s := range styles {
		what := fmt.Sprintf("style picture %d", i+1)
		if s.Image == nil || s.Image.Bounds().Empty() {
			return &OptionError{"Styles", what + " is missing or empty"}
		}
		least, size := o.minimumSize(), s.Image.Bounds().Size()
		if longest := longestFor(size.X, size.Y, least); longest > MaxSize {
			return &OptionError{"Styles", fmt.Sprintf("%s is %d×%d pixels, too thin for the layers asked for, which see nothing below %d pixels a side; crop it",
				what, size.X, size.Y, least)}
		}
		if err := checkRange("Styles", "weight of "+what, s.Weight, 0, math.MaxFloat64); err != nil {
			return err
		}
		if !o.hasRegion(i) {
			sum += s.Weight
			others = true
		}
	}
	if err := checkRegions(o, styles); err != nil {
		return err
	}
	if !others {
		return nil
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return &OptionError{"Styles", fmt.Sprintf("weights of the style pictures sum to %v, want a finite sum above 0", sum)}
	}
	return nil
}

// hasRegion tells whether a style picture is that of a region.
func (o Options) hasRegion(style int) bool {
	return slices.ContainsFunc(o.Regions, func(r Region) bool { return r.Style == style })
}

// checkRegions reports regions without masks, and those of styles that won't do.
func checkRegions(o Options, styles []Style) error {
	seen := map[int]bool{}
	for i, r := range o.Regions {
		what := fmt.Sprintf("region %d", i+1)
		switch {
		case r.Style < 0 || r.Style >= len(styles):
			return &OptionError{"Regions", fmt.Sprintf("%s is of style %d, and there are %d, from 0", what, r.Style, len(styles))}
		case seen[r.Style]:
			return &OptionError{"Regions", fmt.Sprintf("%s is of style %d, which has one; give it the picture once more, as a style of its own", what, r.Style)}
		case r.Mask == nil || r.Mask.Bounds().Empty():
			return &OptionError{"Regions", what + " has no mask"}
		case r.StyleMask != nil && r.StyleMask.Bounds().Empty():
			return &OptionError{"Regions", what + " has an empty mask of its style"}
		case !(styles[r.Style].Weight > 0):
			return &OptionError{"Regions", fmt.Sprintf("the style of %s has a weight of %v, want more than 0", what, styles[r.Style].Weight)}
		}
		seen[r.Style] = true
	}
	if o.Protect != nil && o.Protect.Bounds().Empty() {
		return &OptionError{"Protect", "the mask of what is protected is empty"}
	}
	return nil
}

// checkContentPicture reports a content that is missing, or too thin at the last level.
func (o Options) checkContentPicture(content image.Image) error {
	if content == nil || content.Bounds().Empty() {
		return &OptionError{"Content", "content picture is missing or empty"}
	}
	width, height := content.Bounds().Dx(), content.Bounds().Dy()
	if len(o.sides(width, height)) > 0 {
		return nil
	}
	w, h := fit(width, height, o.Size, true)
	return &OptionError{"Content", tooThin("content picture", width, height, w, h, o.Size, o.minimumSize())}
}

// tooThin says that a picture of width×height, which a size makes w×h, leaves some layer
// nothing to see, and what would do.
func tooThin(what string, width, height, w, h, size, least int) string {
	advice := "crop it"
	if longest := longestFor(width, height, least); longest <= MaxSize {
		advice = fmt.Sprintf("choose a size of %d or more, or crop it", longest)
	}
	at := ""
	if w != width || h != height {
		at = fmt.Sprintf(" and so %d×%d at a size of %d", w, h, size)
	}
	return fmt.Sprintf("%s is %d×%d pixels%s; the layers asked for see nothing below %d pixels a side: %s",
		what, width, height, at, least, advice)
}

// checkName reports a name that isn't among those there are, with the nearest that is.
func checkName(option, what, name string, candidates []string) error {
	if problem := names.Problem(what, name, candidates); problem != "" {
		return &OptionError{option, problem}
	}
	return nil
}

func checkRange(option, what string, value, low, high float64) error {
	if value >= low && value <= high {
		return nil
	}
	want := fmt.Sprintf("%v to %v", low, high)
	if high == math.MaxFloat64 {
		want = fmt.Sprintf("a finite number of at least %v", low)
	}
	return &OptionError{option, fmt.Sprintf("%s is %v, want %s", what, value, want)}
}
