package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"impasto/internal/bench"
	"impasto/losses"
	"impasto/model"
)

func newBenchCommand(global *globalOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Time iterations, losses and convolutions on this machine",
		Long: `Bench shows how fast this machine is: whole iterations of a stylisation, the
losses by themselves, or the convolutions of the network one by one. Rates count the operations of
convolutions computed directly, so a rate above the machine's own rate of matrix
products, which is measured beside it, comes from Winograd's method.`,
	}
	cmd.AddCommand(newBenchIterationCommand(global), newBenchLossesCommand(global), newBenchKernelsCommand(global))
	return cmd
}

func newBenchOptions() *bench.Options {
	return &bench.Options{
		Size: 256, Loss: model.DefaultOptions().Loss, Runs: 15, Warmup: 3, Device: "auto", Precision: "f32",
	}
}

func addBenchFlags(o *bench.Options, f flagSet) {
	f.SortFlags = false
	f.add(wholeNumber{&o.Size, 16, maxSide, "PIXELS"}, "size", "s", "side of the square picture, 16 or more")
	f.add(wholeNumber{&o.Runs, 1, 100000, "N"}, "runs", "", "runs to time")
	f.add(wholeNumber{&o.Warmup, 0, 1000, "N"}, "warmup", "", "runs before those, which don't count")
	f.machine(&o.Device, &o.Threads)
	f.precision(&o.Precision)
}

func newBenchIterationCommand(global *globalOptions) *cobra.Command {
	o := newBenchOptions()
	cmd := &cobra.Command{
		Use:   "iteration",
		Short: "Time whole iterations of a stylisation",
		Long: `Iteration times all that one iteration takes: the network forward to relu5_1, a
style loss on five layers, content and total variation, the gradient to the
picture, Adam's step and the average.

With --json it prints one object with the keys size, loss, seconds (the median),
least, most, rate and matrix_rate (operations a second), share (the one in units
of the other) and peak_memory (bytes; 0 where the system doesn't tell).`,
		Example: `  impasto bench iteration
  impasto bench iteration --size 512 --loss gram --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runBenchIteration(cmd.Context(), *o, *global, cmd.OutOrStdout())
		},
	}
	f := flagSet{cmd.Flags(), "Flags"}
	f.add(choice{&o.Loss, "loss", losses.Names()}, "loss", "l", "style loss")
	addBenchFlags(o, f)
	return cmd
}

// iterationReport is what bench iteration prints.
type iterationReport struct {
	Size       int     `json:"size"`
	Loss       string  `json:"loss"`
	Seconds    float64 `json:"seconds"`
	Least      float64 `json:"least"`
	Most       float64 `json:"most"`
	Rate       float64 `json:"rate"`
	MatrixRate float64 `json:"matrix_rate"`
	Share      float64 `json:"share"`
	PeakMemory int64   `json:"peak_memory"`
}

func runBenchIteration(ctx context.Context, o bench.Options, global globalOptions, out io.Writer) error {
	timing, err := bench.Iteration(ctx, o)
	if err != nil {
		return err
	}
	peak := peakMemory()
	rate, err := bench.MatrixRate(o)
	if err != nil {
		return err
	}
	if global.JSON {
		return printJSON(out, iterationReport{o.Size, o.Loss, timing.Seconds, timing.Least, timing.Most,
			timing.Rate(), rate, timing.Rate() / rate, peak})
	}
	_, err = fmt.Fprintf(out, `iteration at %d×%d, %s loss
  median       %.4f s of %d (%.4f to %.4f)
  convolutions %.0f GFLOP/s, counted as computed directly
  matrices     %.0f GFLOP/s, measured
  peak memory  %s
`, o.Size, o.Size, o.Loss, timing.Seconds, o.Runs, timing.Least, timing.Most, timing.Rate()/1e9, rate/1e9, mebibytes(peak))
	return err
}

func mebibytes(bytes int64) string {
	if bytes == 0 {
		return "not known on this system"
	}
	return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
}

func newBenchKernelsCommand(global *globalOptions) *cobra.Command {
	o := newBenchOptions()
	cmd := &cobra.Command{
		Use:   "kernels",
		Short: "Time the convolutions of the network one by one",
		Long: `Kernels times every convolution of VGG-19, forward and the gradient to its
input, at the size that it has for a picture of the size given.

With --json it prints an object for each, with the keys name, seconds (the
median), least, most and operations.`,
		Example: `  impasto bench kernels --size 512`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runBenchKernels(cmd.Context(), *o, *global, cmd.OutOrStdout())
		},
	}
	addBenchFlags(o, flagSet{cmd.Flags(), "Flags"})
	return cmd
}

func runBenchKernels(ctx context.Context, o bench.Options, global globalOptions, out io.Writer) error {
	if global.JSON {
		var failed error
		err := bench.Kernels(ctx, o, func(t bench.Timing) {
			if err := printJSON(out, t); err != nil && failed == nil {
				failed = err
			}
		})
		if err != nil {
			return err
		}
		return failed
	}
	rate, err := bench.MatrixRate(o)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "matrices %.0f GFLOP/s\n\n%-18s %12s %9s %7s\n", rate/1e9, "convolution", "milliseconds", "GFLOP/s", "share")
	return bench.Kernels(ctx, o, func(t bench.Timing) {
		fmt.Fprintf(out, "%-18s %12.3f %9.0f %6.0f%%\n", t.Name, 1e3*t.Seconds, t.Rate()/1e9, 100*t.Rate()/rate)
	})
}
