package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"impasto/device"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
	"impasto/vgg19"
	"impasto/weights"
)

// measureOptions are the settings of impasto measure: the library's, and a
// weight file.
type measureOptions struct {
	model.MeasureOptions
	Weights string // a file; empty uses the embedded ones
}

func newMeasureOptions() *measureOptions {
	return &measureOptions{MeasureOptions: model.MeasureOptions{Losses: losses.Usable(), FeatureOptions: usualFeatures()}}
}

// usualFeatures are those that are looked at without being asked for.
func usualFeatures() model.FeatureOptions {
	return model.FeatureOptions{
		Layers:  []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"},
		Pooling: "max",
		Padding: "zero",
		Device:  device.Auto,
	}
}

func (o *measureOptions) addFlags(f flagSet) {
	f.add(settings.Losses(&o.Losses), "loss", "l", "losses to measure, with commas between them; may be repeated")
	f.add(settings.Names(&o.Layers, "layer", vgg19.Layers()), "layers", "", "layers to measure at, likewise: any of conv1_1, relu1_1, … pool5")
	f.add(settings.Whole(&o.Size, 0, model.MaxSize, "PIXELS"), "size", "s", "longer side to resize both pictures to; 0 leaves them as they are")
	f.addNetwork(&o.FeatureOptions, &o.Weights)
}

// addNetwork adds the flags of the network that features are of, and of the machine.
func (f flagSet) addNetwork(o *model.FeatureOptions, weights *string) {
	f.addSettings(settings.Network(&o.Pooling, &o.Padding)...)
	f.add(settings.Switch(&o.ScaledPooling), "scaled-pooling", "", "scale average and L2 pooling as stylize does; otherwise they are plain means")
	f.addSettings(settings.Weights(weights))
	f.addSettings(settings.Machine(&o.Device, &o.Threads)...)
}

func newMeasureCommand(global *globalOptions) *cobra.Command {
	o := newMeasureOptions()
	cmd := &cobra.Command{
		Use:   "measure A B",
		Short: "Measure how far two pictures' features are apart",
		Long: `Measure prints the plain value of each loss at each layer of VGG-19 between two
pictures, as the loss's literature defines it and without any weight. Zero
means that the loss can't tell them apart. Pictures may differ in size, and
neither is resized unless --size says so. One of them may be -, which is standard
input. X are the C×N features of a layer, x
their columns, and μ, σ and Σ the means, deviations and covariances of channels;
Y, of C×M, y, μₜ, σₜ and Σₜ are those of the other picture:

` + describeLosses(func(d losses.Description) string { return d.Formula }) + `
sinkhorn, relaxed, relaxed-euclidean and mmd look at pairs of positions: all of a
layer of up to 4096, else one of each of 4096 equal runs, always the same.
sinkhorn-whole, which has to be asked for, takes all, in time that grows with the
square of their number.

With --json it prints an object for each, with the keys layer, loss and value.`,
		Example: `  impasto measure painted.png painting.jpg
  impasto measure a.png b.png --loss gram,gaussian --layers relu3_1,relu4_1`,
		ValidArgsFunction: pictures,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("want two pictures, got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMeasure(cmd.Context(), *o, *global, args[0], args[1], streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
	return cmd
}

func runMeasure(ctx context.Context, o measureOptions, global globalOptions, pathA, pathB string, std streams) error {
	if err := std.checkInputs([]string{pathA, pathB}); err != nil {
		return err
	}
	a, err := std.open(ctx, pathA, global.Quiet)
	if err != nil {
		return err
	}
	b, err := std.open(ctx, pathB, global.Quiet)
	if err != nil {
		return err
	}
	if o.Weights != "" {
		if o.Parameters, err = weights.Open(ctx, o.Weights); err != nil {
			return err
		}
	}
	measurements, err := model.Measure(ctx, a, b, o.MeasureOptions)
	if err != nil {
		return err
	}
	if global.JSON {
		for _, m := range measurements {
			if err := printJSON(std.out, m); err != nil {
				return err
			}
		}
		return nil
	}
	return writeTable(std.out, measurements, losses.NamesOf(o.Losses))
}

// writeTable writes a row for each layer and a column for each loss.
func writeTable(out io.Writer, measurements []model.Measurement, columns []string) error {
	texts := make([][]string, len(columns))
	for k := range columns {
		var values []float64
		for i := k; i < len(measurements); i += len(columns) {
			values = append(values, measurements[i].Value)
		}
		texts[k] = report.PointColumn(values, 4)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "layer\t%s\t\n", strings.Join(columns, "\t"))
	for row := range len(measurements) / len(columns) {
		fmt.Fprintf(table, "%s\t", measurements[row*len(columns)].Layer)
		for k := range columns {
			fmt.Fprintf(table, "%s\t", texts[k][row])
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}
