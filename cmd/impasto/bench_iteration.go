package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"impasto/internal/bench"
	"impasto/internal/settings"
)

func newBenchIterationCommand(global *globalOptions) *cobra.Command {
	o := newBenchOptions()
	cmd := &cobra.Command{
		Use:   "iteration",
		Short: "Time whole iterations of a stylisation",
		Long: `Iteration times all that one iteration takes: the network forward to relu5_1, a
style loss on five layers, content and total variation, the gradient to the
picture, Adam's step and the average. With --optimizer lbfgs an iteration has at
least one such evaluation, and more where its line search wants them.

With --json it prints one object with the keys size, loss, optimizer, seconds (the median),
least, most, rate and matrix_rate (operations a second), share (the one in units
of the other) and peak_memory (bytes; 0 where the system doesn't tell).`,
		Example: `  impasto bench iteration
  impasto bench iteration --size 512 --loss gram --json
  impasto bench iteration --size 4096 --memory 2GiB --warmup 1 --runs 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runBenchIteration(cmd.Context(), o.settled(), *global, cmd.OutOrStdout())
		},
	}
	f := flagsOf(cmd, "Flags")
	f.add(settings.Loss(&o.Loss), "loss", "l", "style loss")
	o.addOptimizer(f)
	f.add(settings.Memory(&o.Memory), "memory", "", "memory that the program may take, as for stylize; what doesn't fit is looked at in tiles")
	o.addFlags(f)
	return cmd
}

// iterationReport is what bench iteration prints.
type iterationReport struct {
	Size       int     `json:"size"`
	Loss       string  `json:"loss"`
	Optimizer  string  `json:"optimizer"`
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
		return printJSON(out, iterationReport{o.Size, o.Loss.Description().Name, string(o.Optimizer), timing.Seconds, timing.Least, timing.Most,
			timing.Rate(), rate, timing.Rate() / rate, peak})
	}
	_, err = fmt.Fprintf(out, `iteration at %d×%d, %s loss, %s
  median       %.4f s of %d (%.4f to %.4f), %.3f s a megapixel
  convolutions %.0f GFLOP/s, counted as computed directly
  matrices     %.0f GFLOP/s, measured
  peak memory  %s
`, o.Size, o.Size, o.Loss.Description().Name, o.Optimizer, timing.Seconds, o.Runs, timing.Least, timing.Most,
		timing.Seconds*1e6/float64(o.Size*o.Size), timing.Rate()/1e9, rate/1e9, mebibytes(peak))
	return err
}
