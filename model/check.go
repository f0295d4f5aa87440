package model

import (
	"fmt"
	"image"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"impasto/losses"
	"impasto/vgg19"
)

// The limits that tell an intended value from a slip. A picture of the largest
// size would take some 200 GB.
const (
	maxSize       = 16384
	maxIterations = 1_000_000
	maxWeight     = 1e6
	maxStyleScale = 64
	maxThreads    = 4096
	minSamples    = 16
	maxSamples    = 1 << 20
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
		o.checkLayers, o.checkLosses, o.checkWeights, o.checkNames, o.checkNumbers, o.checkSizes, o.checkStart,
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

func (o Options) checkLayers() error {
	for _, list := range []struct {
		option string
		layers []LayerWeight
	}{{"StyleLayers", o.StyleLayers}, {"ContentLayers", o.ContentLayers}} {
		seen := map[string]bool{}
		for _, l := range list.layers {
			if err := checkName(list.option, "layer", l.Layer, vgg19.Layers()); err != nil {
				return err
			}
			if seen[l.Layer] {
				return &OptionError{list.option, fmt.Sprintf("layer %s stands twice; give it once", l.Layer)}
			}
			seen[l.Layer] = true
			if err := checkRange(list.option, "weight of "+l.Layer, l.Weight, 0, math.MaxFloat64); err != nil {
				return err
			}
		}
	}
	if sum := sumOf(o.StyleLayers); !(sum > 0) || math.IsInf(sum, 0) {
		return &OptionError{"StyleLayers", fmt.Sprintf("weights of the style layers sum to %v, want a finite sum above 0", sum)}
	}
	if sum := sumOf(o.ContentLayers); o.ContentWeight > 0 && !(sum > 0) || math.IsInf(sum, 0) {
		return &OptionError{"ContentLayers", fmt.Sprintf(
			"weights of the content layers sum to %v, want a finite sum above 0, or a content weight of 0", sum)}
	}
	return nil
}

func (o Options) checkLosses() error {
	if err := checkName("Loss", "loss", o.Loss, losses.Names()); err != nil {
		return err
	}
	layers := make([]string, len(o.StyleLayers))
	for i, l := range o.StyleLayers {
		layers[i] = l.Layer
	}
	// In a fixed order, so that of several slips the same one is reported.
	for _, layer := range slices.Sorted(maps.Keys(o.LayerLoss)) {
		if err := checkName("LayerLoss", "style layer", layer, layers); err != nil {
			return err
		}
		if err := checkName("LayerLoss", "loss", o.LayerLoss[layer], losses.Names()); err != nil {
			return err
		}
	}
	return checkName("ContentLoss", "content loss", o.ContentLoss, losses.ContentForms)
}

func (o Options) checkWeights() error {
	if err := checkRange("ContentWeight", "content weight", o.ContentWeight, 0, maxWeight); err != nil {
		return err
	}
	return checkRange("TotalVariationWeight", "total variation weight", o.TotalVariationWeight, 0, maxWeight)
}

func (o Options) checkNames() error {
	if err := checkName("Pooling", "pooling", o.Pooling, vgg19.Poolings); err != nil {
		return err
	}
	if err := checkName("Padding", "padding", o.Padding, vgg19.Paddings); err != nil {
		return err
	}
	return checkName("Optimizer", "optimizer", o.Optimizer, []string{"adam", "lbfgs"})
}

func (o Options) checkNumbers() error {
	for _, n := range []struct {
		option, what     string
		value, low, high float64
	}{
		{"FirstIterations", "number of iterations at the first scale", float64(o.FirstIterations), 1, maxIterations},
		{"Iterations", "number of iterations", float64(o.Iterations), 1, maxIterations},
		{"Threads", "number of threads", float64(o.Threads), 0, maxThreads},
		{"StyleScale", "style scale", o.StyleScale, 1. / maxStyleScale, maxStyleScale},
	} {
		if err := checkRange(n.option, n.what, n.value, n.low, n.high); err != nil {
			return err
		}
	}
	if o.TimeLimit < 0 {
		return &OptionError{"TimeLimit", fmt.Sprintf("time limit is %v, want more than 0, or 0 for none", o.TimeLimit)}
	}
	if o.Samples != 0 && (o.Samples < minSamples || o.Samples > maxSamples) {
		return &OptionError{"Samples", fmt.Sprintf("number of sampled positions is %d, want %d to %d, or 0 to leave it to the loss",
			o.Samples, minSamples, maxSamples)}
	}
	if !(o.StepSize > 0 && o.StepSize <= 1) {
		return &OptionError{"StepSize", fmt.Sprintf("step size is %v, want above 0 and at most 1", o.StepSize)}
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
		if s.side < least || s.side > maxSize {
			return &OptionError{s.option, fmt.Sprintf("%s is %d pixels, want %d to %d; the layers asked for see nothing smaller",
				s.what, s.side, least, maxSize)}
		}
	}
	if o.StyleSize != 0 && (o.StyleSize < least || o.StyleSize > maxSize) {
		return &OptionError{"StyleSize", fmt.Sprintf("size of the styles is %d pixels, want %d to %d, or 0 for that of the scale",
			o.StyleSize, least, maxSize)}
	}
	return nil
}

func (o Options) checkStart() error {
	if err := checkName("Start", "start", o.Start, starts); err != nil {
		return err
	}
	switch given := o.StartImage != nil && !o.StartImage.Bounds().Empty(); {
	case o.Start == startImage && !given:
		return &OptionError{"StartImage", "start is image but there is no picture to start from; give one"}
	case o.Start != startImage && o.StartImage != nil:
		return &OptionError{"StartImage", fmt.Sprintf("there is a picture to start from but start is %s, want image", o.Start)}
	}
	return nil
}

// minimumSize is the least side of a picture that every layer sees something of.
func (o Options) minimumSize() int {
	var layers []string
	for _, l := range append(slices.Clone(o.StyleLayers), o.ContentLayers...) {
		layers = append(layers, l.Layer)
	}
	return vgg19.MinimumSize(layers...)
}

// checkPictures reports pictures that are missing, too small for the network at
// the first scale, or have weights that make no sense. The options have been
// checked.
func checkPictures(content image.Image, styles []Style, o Options) error {
	first := scales(o.MinSize, o.Size)[0]
	if err := o.checkPicture("Content", "content picture", content, first, true); err != nil {
		return err
	}
	if len(styles) == 0 {
		return &OptionError{"Styles", "there is no style picture, want at least one"}
	}
	var sum float64
	for i, s := range styles {
		what := fmt.Sprintf("style picture %d", i+1)
		if err := o.checkPicture("Styles", what, s.Image, o.styleSide(first), false); err != nil {
			return err
		}
		if err := checkRange("Styles", "weight of "+what, s.Weight, 0, math.MaxFloat64); err != nil {
			return err
		}
		sum += s.Weight
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return &OptionError{"Styles", fmt.Sprintf("weights of the style pictures sum to %v, want a finite sum above 0", sum)}
	}
	return nil
}

func (o Options) checkPicture(option, what string, img image.Image, longest int, scaleUp bool) error {
	if img == nil || img.Bounds().Empty() {
		return &OptionError{option, what + " is missing or empty"}
	}
	least := o.minimumSize()
	width, height := img.Bounds().Dx(), img.Bounds().Dy()
	if min(width, height) < least {
		return &OptionError{option, fmt.Sprintf("%s is %d×%d pixels, want at least %d×%d for the layers asked for",
			what, width, height, least, least)}
	}
	if w, h := fit(width, height, longest, scaleUp); min(w, h) < least {
		return &OptionError{option, fmt.Sprintf(
			"%s is %d×%d pixels and so %d×%d at the first scale, want at least %d×%d; crop it or make the first scale larger",
			what, width, height, w, h, least, least)}
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

// checkName reports a name that isn't among those there are, with the nearest
// that is.
func checkName(option, what, name string, names []string) error {
	if slices.Contains(names, name) {
		return nil
	}
	problem := fmt.Sprintf("unknown %s %q, want one of %s", what, name, strings.Join(names, ", "))
	if near := nearest(name, names); near != "" {
		problem = fmt.Sprintf("unknown %s %q, did you mean %s? There are %s", what, name, near, strings.Join(names, ", "))
	}
	return &OptionError{option, problem}
}

// nearest returns the name with the fewest edits from the given one, or nothing
// where more than half of it would have to change.
func nearest(name string, names []string) string {
	best, least := "", len(name)/2+1
	for _, candidate := range names {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}
