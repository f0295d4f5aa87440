package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"impasto/internal/bench"
)

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
			return runBenchKernels(cmd.Context(), o.settled(), *global, cmd.OutOrStdout())
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
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
