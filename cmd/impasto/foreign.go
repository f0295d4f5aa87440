package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// foreignFlags are flags that other style-transfer programs have (neural-style and
// its descendants, style-transfer-pytorch, fast-neural-style), and what to type here.
var foreignFlags = []struct {
	names []string
	hint  string
}{
	{[]string{"style-weight", "style-strength", "sw"},
		"style counts 1 here, and --content-weight is what content counts beside it: give half of that for twice the style; one style counts more than another by STYLE:WEIGHT"},
	{[]string{"style-blend-weights", "style-weights", "style-multiplier"},
		"the weight of a style stands behind its name, as in wave.jpg:2 scream.jpg:1"},
	{[]string{"style-layer-weights", "style-layer-weight-exp"},
		"weights stand behind the layers: --style-layers relu1_1=4,relu2_1=2"},
	{[]string{"iters", "iter", "num-iterations", "niter", "n-iter", "num-iter", "max-iter", "max-iterations", "epochs", "steps", "num-steps"},
		"--iterations N counts them at each scale, --first-iterations N at the first, and --quality draft, good or best chooses both"},
	{[]string{"gpu", "use-gpu", "use-cuda", "cuda"},
		"--device cuda takes the first NVIDIA GPU, --device cuda:N another, and --device cpu none"},
	{[]string{"cpu", "no-cuda"}, "--device cpu uses the processor"},
	{[]string{"devices", "multidevice-strategy", "backend", "cudnn-autotune"}, "--device chooses where the work is done; impasto devices lists what there is"},
	{[]string{"image-size", "imsize", "img-size", "max-size", "end-scale", "resolution", "width", "height", "output-size"},
		"--size PIXELS is the longer side of the output; its shape is the content's"},
	{[]string{"min-scale", "initial-scale", "start-scale"}, "--min-size PIXELS is the longer side at the first scale"},
	{[]string{"style-scale-fac", "style-image-size"}, "--style-scale FACTOR sizes the styles beside the output, --style-size PIXELS by themselves"},
	{[]string{"lr", "learning-rate", "step"}, "--step-size STEP is Adam's; add --optimizer adam"},
	{[]string{"tv", "tv-loss", "tvw", "total-variation-weight", "smoothness"}, "--tv-weight WEIGHT"},
	{[]string{"init", "init-image", "initial-image", "init-method"}, "--start takes content, style, grey, noise or a FILE"},
	{[]string{"random-seed"}, "--seed SEED"},
	{[]string{"model", "model-file", "vgg", "network"}, "--weights FILE replaces the embedded network"},
	{[]string{"content-dir", "content-folder", "input-dir", "input-folder", "style-dir", "style-folder"},
		"impasto batch takes folders and patterns, as in impasto batch photos"},
	{[]string{"content", "content-image", "style", "style-image", "styles", "input"},
		"pictures are arguments: CONTENT STYLE[:WEIGHT]…"},
	{[]string{"out", "output-image", "output-dir", "dest"}, "--output FILE, or -o FILE"},
	{[]string{"save-iter", "save-interval", "checkpoint-interval"}, "--save-every N"},
	{[]string{"print-iter", "log-interval"}, "every iteration is told: --json prints each as an object, --log FILE.csv writes them"},
	{[]string{"num-threads", "workers", "jobs"}, "--threads N"},
	{[]string{"fp16", "half", "amp", "dtype"}, "--precision f16 computes in half precision on a GPU"},
	{[]string{"preserve-colors", "preserve-colours", "original-colors", "original-colours", "keep-colours", "color-control", "luminance-only"},
		"--keep-colors 1 keeps the content's colours"},
	{[]string{"style-mask", "style-masks", "style-mask-imgs", "content-seg", "style-seg", "semantic-ext"},
		"--mask REGION.png=STYLE.jpg takes a style where REGION.png is white, once for each region; REGION.png=STYLE.jpg=PART.png takes a part of it"},
	{[]string{"content-mask"}, "--protect MASK.png keeps what is white in it as it is"},
	{[]string{"optimiser"}, "--optimizer lbfgs or adam"},
	{[]string{"verbosity", "debug"}, "--verbose"},
	{[]string{"silent"}, "--quiet"},
}

// mentioned finds the flags that a hint mentions.
var mentioned = regexp.MustCompile(`--[a-z-]+`)

// foreignHint is what to type instead of another program's flag, or "" where it isn't
// known, or where the command doesn't have what the hint mentions, or has one of the names
// itself.
func foreignHint(cmd *cobra.Command, name string) string {
	name = flagSpelling(name)
	for _, f := range foreignFlags {
		if !slices.Contains(f.names, name) {
			continue
		}
		if slices.ContainsFunc(f.names, func(name string) bool { return cmd.Flags().Lookup(name) != nil }) {
			return ""
		}
		for _, flag := range mentioned.FindAllString(f.hint, -1) {
			if cmd.Flags().Lookup(flag[2:]) == nil {
				return ""
			}
		}
		return f.hint
	}
	return ""
}

// flagSpelling is a flag's name as this program spells names: with hyphens and in
// small letters.
func flagSpelling(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), "_", "-")
}
