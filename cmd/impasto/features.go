package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/atomicfile"
	"impasto/internal/npz"
	"impasto/internal/quote"
	"impasto/internal/settings"
	"impasto/model"
	"impasto/vgg19"
	"impasto/weights"
)

// featuresOptions are the settings of impasto features: the library's, a weight file, and
// where features go.
type featuresOptions struct {
	model.FeatureOptions
	Weights string // a file; empty uses the embedded ones
	Output  string
}

func (o *featuresOptions) addFlags(f flagSet) {
	f.add(settings.Text(&o.Output, "FILE"), "output", "o", "where to write the features: .npz")
	f.add(settings.Names(&o.Layers, "layer", vgg19.Layers()), "layers", "", "layers whose features to write, with commas between them; may be repeated: any of conv1_1, relu1_1, … pool5")
	f.add(settings.Whole(&o.Size, 0, model.MaxSize, "PIXELS"), "size", "s", "longer side to resize the picture to; 0 leaves it as it is")
	f.addNetwork(&o.FeatureOptions, &o.Weights)
}

func newFeaturesCommand(global *globalOptions) *cobra.Command {
	o := &featuresOptions{FeatureOptions: usualFeatures()}
	cmd := &cobra.Command{
		Use:   "features PICTURE -o FILE.npz",
		Short: "Write what the network makes of a picture, for NumPy",
		Long: `Features runs VGG-19 on PICTURE and writes the features of the layers to FILE, an
archive of NumPy's: numpy.load("FILE.npz")["relu1_1"] is an array of float32 of shape
(channels, height, width), in units of the network's activations. A layer of block n
has a 2ⁿ⁻¹-th of the picture's width and height, rounded down, and pooln a 2ⁿ-th;
channels are 64, 128, 256, 512 and 512 in blocks 1 to 5. The picture isn't resized
unless --size says so, and may be -, which is standard input. The network's input is
sRGB as it was trained on, so that features are those of torchvision's or Caffe's VGG-19
for the same pixels.

With --json it prints an object for each layer, with the keys layer, shape (channels,
height and width), mean, largest and active (the share of values above 0).`,
		Example: `  impasto features photo.jpg -o photo.npz
  impasto features photo.jpg -o deep.npz --layers relu4_1,relu4_2 --size 512`,
		ValidArgsFunction: pictures,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("want one picture, got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runFeatures(cmd.Context(), *o, *global, args[0], streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
	return cmd
}

// check reports, before any work, where nothing can be written.
func (o featuresOptions) check(input string) error {
	if o.Output == "" {
		return usagef("features: nowhere to write; name a file with -o, as in -o features.npz")
	}
	if err := checkFile(o.Output); err != nil {
		return err
	}
	if extension := filepath.Ext(o.Output); !strings.EqualFold(extension, ".npz") {
		return usagef("features: %s: can't write %q; want .npz", quote.Name(o.Output), extension)
	}
	if err := checkNotInput(o.Output, []string{input}); err != nil {
		return err
	}
	return saveFeaturesError(o.Output, atomicfile.Check(o.Output))
}

func saveFeaturesError(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("features: save %s: %w", quote.Name(path), err)
}

// layerFeatures is what is said of a layer's features.
type layerFeatures struct {
	Layer   string  `json:"layer"`
	Shape   []int   `json:"shape"`
	Mean    float64 `json:"mean"`
	Largest float64 `json:"largest"`
	Active  float64 `json:"active"`
}

func runFeatures(ctx context.Context, o featuresOptions, global globalOptions, path string, std streams) error {
	if err := std.checkInputs([]string{path}); err != nil {
		return err
	}
	if err := o.check(path); err != nil {
		return err
	}
	if len(o.Layers) == 0 {
		return usage(errors.New("features: no layers; name some with --layers"))
	}
	source, err := std.open(ctx, path, global.Quiet)
	if err != nil {
		return err
	}
	if o.Weights != "" {
		if o.Parameters, err = weights.Open(ctx, o.Weights); err != nil {
			return err
		}
	}
	maps, err := model.FeatureMaps(ctx, source, o.FeatureOptions)
	if err != nil {
		return err
	}
	var arrays []npz.Array
	var all []layerFeatures
	for _, layer := range o.Layers {
		m := maps[layer]
		array := npz.Array{Name: layer, Shape: []int{m.Channels, m.Height, m.Width}, Values: m.Values}
		arrays, all = append(arrays, array), append(all, describeFeatures(array))
	}
	if err := atomicfile.Write(o.Output, func(w io.Writer) error { return npz.Write(w, arrays) }); err != nil {
		return saveFeaturesError(o.Output, err)
	}
	if global.JSON {
		for _, layer := range all {
			if err := printJSON(std.out, layer); err != nil {
				return err
			}
		}
		return nil
	}
	if !global.Quiet {
		for _, l := range all {
			fmt.Fprintf(std.err, "%s: %d×%d×%d, mean %.4g, largest %.4g, %.0f %% above 0\n", l.Layer, l.Shape[0], l.Shape[1], l.Shape[2], l.Mean, l.Largest, 100*l.Active)
		}
		fmt.Fprintf(std.err, "wrote %s\n", quote.Name(o.Output))
	}
	return nil
}

func describeFeatures(a npz.Array) layerFeatures {
	l := layerFeatures{Layer: a.Name, Shape: a.Shape, Largest: float64(a.Values[0])}
	for _, v := range a.Values {
		l.Mean += float64(v)
		l.Largest = max(l.Largest, float64(v))
		if v > 0 {
			l.Active++
		}
	}
	l.Mean /= float64(len(a.Values))
	l.Active /= float64(len(a.Values))
	return l
}
