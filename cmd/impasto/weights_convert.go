package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"impasto/internal/atomicfile"
	"impasto/internal/quote"
	"impasto/internal/settings"
	"impasto/weights"
)

// weightsConvertOptions are the settings of impasto weights convert.
type weightsConvertOptions struct {
	Precision     string
	Preprocessing string
}

func newWeightsConvertOptions() *weightsConvertOptions {
	return &weightsConvertOptions{Precision: "keep"}
}

func (o *weightsConvertOptions) addFlags(f flagSet) {
	f.add(settings.Choice(&o.Precision, "precision", weights.Precisions[:]), "precision", "",
		"keep (palettes as they are, all else as f32), f32, f16 or bf16")
	f.add(settings.Text(&o.Preprocessing, "TEXT"), "preprocessing", "",
		"what the network expects of its input, if it is not what the file or its names tell: caffe, torchvision, or as info prints it")
}

func newWeightsConvertCommand(global *globalOptions) *cobra.Command {
	o := newWeightsConvertOptions()
	cmd := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Write weights as safetensors",
		Long: `Convert reads a weight file of any format and writes its convolutions as
safetensors, with source, licence and pre-processing as metadata. The same input
gives the same output, byte for byte, and OUT appears whole or not at all.`,
		Example: `  impasto weights convert vgg_conv.npy vgg_conv.safetensors
  impasto weights convert vgg19-dcbb9e9d vgg19-half.safetensors --precision f16`,
		ValidArgsFunction: weightFile,
		Args:              cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWeightsConvert(cmd.Context(), *o, *global, args[0], args[1], cmd.OutOrStdout())
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
	return cmd
}

func runWeightsConvert(ctx context.Context, o weightsConvertOptions, global globalOptions, in, out string, stdout io.Writer) error {
	if err := checkFile(out); err != nil {
		return err
	}
	f, err := weights.OpenFile(ctx, in)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, replaces := atomicfile.Replaces(out, []string{f.Path()}); replaces {
		return usagef("output %s is the input %s; name another file", quote.Name(out), quote.Name(in))
	}
	if err := atomicfile.Check(out); err != nil {
		return fmt.Errorf("weights: writing %s: %w", out, err)
	}
	if o.Preprocessing != "" {
		p, err := weights.ParsePreprocessing(o.Preprocessing)
		if err != nil {
			return usagef("--preprocessing: %s", err)
		}
		if err := f.SetPreprocessing(p); err != nil {
			return err
		}
	}
	if err := f.Convert(out, o.Precision); err != nil {
		return err
	}
	info, err := weights.Inspect(ctx, out)
	if err != nil {
		return err
	}
	switch {
	case global.JSON:
		return printJSON(stdout, info)
	case !global.Quiet:
		printWeights(stdout, info, false)
	}
	return nil
}
