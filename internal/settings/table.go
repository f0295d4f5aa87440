package settings

import (
	"fmt"
	"strings"

	"impasto/device"
	"impasto/internal/regions"
	"impasto/losses"
	"impasto/model"
	"impasto/vgg19"
)

// Bounds that the library doesn't set: it knows weights of 0, steps that are nearly 0,
// decays that are nearly 1 and samples of any number.
const (
	minWeight = 1 / model.MaxWeight
	minStep   = 1e-6
	// A sample of fewer positions says nothing of a distribution in hundreds of
	// dimensions, and one of more takes hours.
	minSamples, maxSamples = 16, 1 << 20
	maxDecay               = 0.9999
)

// Setting is one that has a name.
type Setting struct {
	Name      string
	Shorthand string // a letter, or nothing
	Usage     string // what it does, its unit and its range
	Heading   string // that a help lists it under; may be empty
	Value     Value  // its default until it is set
}

// Table lists the settings, with values that read and write s, in the order in
// which a help explains them.
func (s *Stylization) Table() []Setting {
	var all []Setting
	for _, group := range []struct {
		heading  string
		settings []Setting
	}{
		{"Look", s.look()},
		{"Size", s.size()},
		{"Style and content", s.objective()},
		{"Optimisation", s.optimisation()},
		{"Network and machine", s.machinery()},
	} {
		for _, setting := range group.settings {
			setting.Heading = group.heading
			all = append(all, setting)
		}
	}
	return all
}

// look is what to try first.
func (s *Stylization) look() []Setting {
	return []Setting{
		{Name: "strength", Value: optionalNumber{realNumber{&s.Strength, 0, model.MaxStrength, "STRENGTH"}},
			Usage: strengthUsage()},
	}
}

func (s *Stylization) size() []Setting {
	o := &s.Options
	return []Setting{
		{Name: "size", Shorthand: "s", Value: Whole(&o.Size, 1, model.MaxSize, "PIXELS"),
			Usage: fmt.Sprintf("longer side of the output, 1 to %d; time and memory grow with its square", model.MaxSize)},
		{Name: "min-size", Value: Whole(&o.MinSize, 1, model.MaxSize, "PIXELS"),
			Usage: "longer side at the first scale; scales grow by √2 from there to --size"},
		{Name: "style-size", Value: Whole(&o.StyleSize, 0, model.MaxSize, "PIXELS"),
			Usage: "longer side of the styles at every scale; 0 leaves it to --style-scale"},
		{Name: "style-scale", Value: Real(&o.StyleScale, 1./model.MaxStyleScale, model.MaxStyleScale, "FACTOR"),
			Usage: fmt.Sprintf("size of the styles beside the output's at each scale, 1/%d to %[1]d; larger gives larger brush strokes", model.MaxStyleScale)},
	}
}

func (s *Stylization) objective() []Setting {
	o := &s.Options
	return []Setting{
		{Name: "loss", Shorthand: "l", Value: lossName{&s.Loss, s.known()},
			Usage: "how features are compared with the styles': " + strings.Join(losses.NamesOf(s.known()), ", ")},
		{Name: "layer-loss", Value: layerLosses{&s.LayerLoss, s.known()},
			Usage: "another loss for single style layers, as in relu1_1=gram,relu2_1=cmd; may be repeated"},
		{Name: "samples", Value: Whole(&s.Samples, 0, maxSamples, "N"),
			Usage: fmt.Sprintf("positions of a layer that sinkhorn, relaxed and mmd look at in one evaluation, %d or more; time goes with the square; 0 leaves it to the loss", minSamples)},
		{Name: "style-layers", Value: layerWeights{&s.StyleLayers},
			Usage: "layers whose features carry style, each with its weight; only their proportions count"},
		{Name: "content-layers", Value: layerWeights{&o.ContentLayers},
			Usage: "layers whose features carry content, likewise"},
		{Name: "content-weight", Value: Real(&o.ContentWeight, 0, model.MaxWeight, "WEIGHT"),
			Usage: "what content counts beside style, which counts 1, under either content loss, instead of --strength; 0 makes a texture of the styles"},
		{Name: "content-loss", Value: choice[string]{&o.ContentLoss, "content loss", losses.ContentNames(), contentLossHelp},
			Usage: contentLossUsage()},
		{Name: "tv-weight", Value: Real(&o.TotalVariationWeight, 0, model.MaxWeight, "WEIGHT"),
			Usage: "what smoothness counts; 0 leaves grain, 40 blurs"},
		{Name: "mask", Value: maskValue{&s.Masks},
			Usage: fmt.Sprintf("REGION=STYLE: where the picture REGION is white, take the style of STYLE; REGION=STYLE=STYLEREGION of its white part only; %sK finds K regions, 2 to %d, by colours; may be repeated", autoMask, regions.MostClusters)},
		{Name: "protect", Value: protectValue{freeText{&s.Protect, "FILE"}},
			Usage: "keep the content exactly as it is where this picture is white; grey blends"},
		{Name: "keep-colors", Value: Real(&o.KeepColours, 0, 1, "STRENGTH"),
			Usage: "how much of the content's colours is kept, from 0, nothing, to 1"},
		{Name: "color-method", Value: choice[string]{&o.ColourMethod, "color method", model.ColourMethods(), model.ColourMethodHelp},
			Usage: "how --keep-colors does that: " + ColourMethodUsage()},
	}
}

func (s *Stylization) optimisation() []Setting {
	o := &s.Options
	return []Setting{
		{Name: "quality", Value: choice[string]{&s.Quality, "quality", model.QualityNames(), qualityHelp},
			Usage: qualityUsage()},
		{Name: "optimizer", Value: Choice(&o.Optimizer, "optimizer", model.OptimizerNames()),
			Usage: alternatives(" or ", model.OptimizerNames(), noHelp)},
		{Name: "first-iterations", Value: Whole(&o.FirstIterations, 1, model.MaxIterations, "N"),
			Usage: "iterations at the first scale"},
		{Name: "iterations", Shorthand: "n", Value: Whole(&o.Iterations, 1, model.MaxIterations, "N"),
			Usage: "iterations at each other scale; unless it is given, there are fewer between the first and the last, and L-BFGS makes fewer above 512 pixels: 512/size of them"},
		{Name: "middle-iterations", Value: Whole(&o.MiddleIterations, 1, model.MaxIterations, "N"),
			Usage: "iterations at each scale between the first and the last, where those are others"},
		{Name: "least-iterations", Value: Whole(&o.LeastIterations, 1, model.MaxIterations, "N"),
			Usage: "fewest iterations that L-BFGS makes so at a last scale above 512 pixels; as many as --iterations, or more, make all sizes equal"},
		{Name: "noise", Value: Real(&o.Noise, 0, 1, "DEVIATION"),
			Usage: "noise that each scale begins with, in units of the range from black to white, which strokes grow from where there is nothing"},
		{Name: "start", Value: startValue{freeText{&s.Start, "START"}},
			Usage: startUsage()},
		{Name: "step-size", Value: Real(&o.StepSize, minStep, model.MaxStepSize, "STEP"),
			Usage: "Adam's step, in units of the range from black to white"},
		{Name: "average-decay", Value: Real(&o.AverageDecay, 0, maxDecay, "DECAY"),
			Usage: "decay of the average of Adam's iterates, which is the result; 0 takes the last"},
		Seed(&o.Seed),
	}
}

func (s *Stylization) machinery() []Setting {
	o := &s.Options
	all := Network(&o.Pooling, &o.Padding)
	all = append(all, Setting{Name: "plain-pooling", Value: Switch(&o.PlainPooling),
		Usage: "leave average and L2 pooling unscaled, as Gatys et al. do"})
	all = append(all, Weights(&s.Weights))
	all = append(all, Machine(&o.Device, &o.Threads)...)
	return append(all, Precision(&o.Precision), Setting{Name: "memory", Value: Memory(&o.Memory),
		Usage: "memory that the program may take, such as 2GiB; what doesn't fit is looked at in tiles, which takes longer; auto takes 4GiB, or more if it has to and three quarters of what there is allow it"})
}

// Seed is the setting that everything with chance in it has.
func Seed(target *uint64) Setting {
	return Setting{Name: "seed", Value: unsigned{target, "SEED"},
		Usage: "seed of whatever is random; the same SEED, device and version give the same picture (default 0)"}
}

// Network are the settings that shape VGG-19.
func Network(pooling, padding *string) []Setting {
	return []Setting{
		{Name: "pooling", Value: Choice(pooling, "pooling", vgg19.Poolings),
			Usage: "between the network's blocks: " + alternatives(" or ", vgg19.Poolings, noHelp)},
		{Name: "padding", Value: Choice(padding, "padding", vgg19.Paddings),
			Usage: "at the border of the picture: replicate (the edge) or zero (as the network was trained)"},
	}
}

// Weights is the setting that replaces the embedded network.
func Weights(target *string) Setting {
	return Setting{Name: "weights", Value: weightsValue{freeText{target, "FILE"}},
		Usage: "weights of VGG-19 to use instead of the embedded ones; see impasto weights --help"}
}

// Machine are the settings that choose where the work is done.
func Machine(name *device.Name, threads *int) []Setting {
	return []Setting{
		{Name: "device", Value: deviceName{name},
			Usage: deviceUsage()},
		{Name: "threads", Value: Whole(threads, 0, model.MaxThreads, "N"),
			Usage: fmt.Sprintf("processor threads to use, up to %d; 0 uses every core", model.MaxThreads)},
	}
}

// Precision is the setting that chooses what features are made of.
func Precision(target *device.Precision) Setting {
	return Setting{Name: "precision", Value: Choice(target, "precision", device.PrecisionNames()),
		Usage: precisionUsage()}
}
