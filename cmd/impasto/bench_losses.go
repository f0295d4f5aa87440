package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"impasto/device"
	"impasto/internal/bench"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
	"impasto/vgg19"
)

// benchLossesOptions are the settings of impasto bench losses.
type benchLossesOptions struct {
	bench.LossOptions
	Budget float64 // seconds
	Plot   string  // a file; empty draws none
}

func newBenchLossesOptions() *benchLossesOptions {
	return &benchLossesOptions{
		LossOptions: bench.LossOptions{
			Losses: losses.Usable(),
			Layers: []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"},
			Sizes:  []int{64, 128, 256, 512},
			Runs:   5,
			Device: device.Auto,
		},
		Budget: 5,
	}
}

func (o *benchLossesOptions) addFlags(f flagSet) {
	f.add(settings.Losses(&o.Losses), "losses", "l", "losses to time, with commas between them; may be repeated")
	f.add(settings.Names(&o.Layers, "layer", timedLayers()), "layers", "", "layers to time them at, likewise")
	f.add(wholeNumbers{&o.Sizes, 16, model.MaxSize, "PIXELS"}, "sizes", "s", "sides of square pictures, in pixels, with commas between them")
	f.add(settings.Whole(&o.Runs, 1, 100000, "N"), "runs", "", "runs to time, after one that isn't")
	f.add(settings.Real(&o.Budget, 0, 1e6, "SECONDS"), "budget", "", "the most that one loss may take at one layer and size; what would take longer is skipped; 0 sets no limit")
	f.add(settings.Switch(&o.OnePass), "one-pass", "", "of sinkhorn and sinkhorn-whole, which go through the same pairs of positions many times, time one pass: half an iteration")
	f.add(settings.Text(&o.Plot, "FILE"), "plot", "", "draw how time and memory grow with the picture: .png or .svg")
	f.addSettings(settings.Machine(&o.Device, &o.Threads)...)
}

// check reports a plot that can't be drawn.
func (o *benchLossesOptions) check() error { return checkPlotName(o.Plot) }

// checkPlotName reports a --plot of a format that isn't drawn; empty draws none.
func checkPlotName(path string) error {
	if path == "" {
		return nil
	}
	if _, err := report.FormatOf(path); err != nil {
		return usagef("--plot %s: want a name that ends in .%s", path, strings.Join(report.Formats, " or ."))
	}
	return nil
}

// timedLayers are those whose features a loss can be timed on.
func timedLayers() []string {
	return slices.DeleteFunc(vgg19.Layers(), func(layer string) bool { return strings.HasPrefix(layer, "pool") })
}

func newBenchLossesCommand(global *globalOptions) *cobra.Command {
	o := newBenchLossesOptions()
	cmd := &cobra.Command{
		Use:   "losses",
		Short: "Time the losses by themselves, by layer and size",
		Long: `Losses times the value and the gradient of each loss at each layer, on noise of
the shape that the layer's features have for pictures of each size: C channels
by N positions, and as many of the target. Memory is what the loss holds beyond
both features and the gradient. Losses with chance in them draw anew in each run,
as an iteration does at its first evaluation. GFLOP/s stand where a loss is mostly arithmetic
that can be counted; what it counts is in the loss's description.

With --json it prints an object for each, as soon as it is timed, with the keys
loss, layer, size (pixels), channels, positions, part ("one pass" under
--one-pass; missing where all of the loss was timed), skipped (why there is no
timing; missing where there is one), runs, seconds (the median), least, most,
memory (bytes), operations (of one run; 0 where they aren't counted) and rate
(operations a second).`,
		Example: `  impasto bench losses --layers relu1_1 --plot losses.svg
  impasto bench losses --losses gram,gaussian --sizes 256,512,1024 --budget 20
  impasto bench losses --losses sinkhorn-whole --layers relu1_1 --one-pass --budget 60`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return runBenchLosses(cmd.Context(), *o, *global, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
	return cmd
}

// lossTimingReport is what bench losses prints for each case.
type lossTimingReport struct {
	bench.LossTiming
	Rate float64 `json:"rate"`
}

func runBenchLosses(ctx context.Context, o benchLossesOptions, global globalOptions, stdout, stderr io.Writer) error {
	if o.Plot != "" {
		if err := picture.CheckFile(o.Plot); err != nil {
			return err
		}
	}
	o.LossOptions.Budget = time.Duration(o.Budget * float64(time.Second))
	var timings []bench.LossTiming
	heading := ""
	err := bench.Losses(ctx, o.LossOptions, func(t bench.LossTiming) error {
		timings = append(timings, t)
		if global.JSON {
			return printJSON(stdout, lossTimingReport{t, t.Rate()})
		}
		if h := fmt.Sprintf("%s of %d×%d: C = %d, N = %d", t.Layer, t.Size, t.Size, t.Channels, t.Positions); h != heading {
			if heading != "" {
				fmt.Fprintln(stdout)
			}
			heading = h
			fmt.Fprintf(stdout, "%s\n  %-25s %10s %12s %9s\n", h, "loss", "time, ms", "memory, MiB", "GFLOP/s")
		}
		_, err := io.WriteString(stdout, lossRow(t))
		return err
	})
	if err != nil || o.Plot == "" {
		return err
	}
	if err := plotLosses(o.Plot, timings); err != nil {
		return err
	}
	if !global.Quiet {
		fmt.Fprintf(stderr, "wrote %s\n", quote.Name(o.Plot))
	}
	return nil
}

// timedName is what a row or a line is called.
func timedName(t bench.LossTiming) string {
	if t.Part != "" {
		return t.Loss + ", " + t.Part
	}
	return t.Loss
}

func lossRow(t bench.LossTiming) string {
	if t.Skipped != "" {
		return fmt.Sprintf("  %-25s skipped: %s\n", timedName(t), t.Skipped)
	}
	rate := "–"
	if t.Operations > 0 {
		rate = fmt.Sprintf("%.1f", t.Rate()/1e9)
	}
	return fmt.Sprintf("  %-25s %10.3f %12.3f %9s\n", timedName(t), 1e3*t.Seconds, float64(t.Memory)/(1<<20), rate)
}

// plotLosses draws time and memory over the size of the picture, a column of
// panels for each layer.
func plotLosses(path string, timings []bench.LossTiming) error {
	const side = "side of the picture, pixels"
	var seconds, memory []report.Panel
	column := map[string]int{}
	for _, t := range timings {
		k, known := column[t.Layer]
		if !known {
			k = len(seconds)
			column[t.Layer] = k
			title := fmt.Sprintf("%s (C = %d)", t.Layer, t.Channels)
			seconds = append(seconds, report.Panel{Title: title, XLabel: side, YLabel: "seconds, value and gradient"})
			memory = append(memory, report.Panel{Title: title, XLabel: side, YLabel: "memory beyond the features, MiB"})
		}
		if t.Skipped == "" {
			seconds[k].Add(timedName(t), float64(t.Size), t.Seconds)
			memory[k].Add(timedName(t), float64(t.Size), float64(t.Memory)/(1<<20))
		}
	}
	figure := report.Scaling{Title: "How the losses scale", Rows: [][]report.Panel{seconds, memory}}
	format, err := report.FormatOf(path)
	if err != nil {
		return err
	}
	return picture.SaveWith(path, func(w io.Writer) error { return figure.Draw(w, format) })
}
