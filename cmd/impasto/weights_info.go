package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"impasto/weights"
)

func newWeightsInfoCommand(global *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "info [FILE]",
		Short: "Show layers, shapes, precision, source and digest",
		Long: `Info describes a weight file, or without one the embedded weights: its layers,
their shapes and precision, where it comes from and under which licence, the
pre-processing that belongs to it, and its SHA-256.

With --json it prints one object with the keys path, format, bytes, sha256,
published (which known file it is; may be missing), source and licence (may be
missing), preprocessing, remarks (a list: what to know of how the network was
found; may be missing) and layers: a list of objects with the keys name, tensor
(the name in the file), shape (as in the file) and precision (F64, F32, F16, BF16
or palette).`,
		ValidArgsFunction: weightFile,
		Args:              cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWeightsInfo(cmd.Context(), *global, optional(args), cmd.OutOrStdout())
		},
	}
}

// runWeightsInfo describes the weights of that name, or those in the program.
func runWeightsInfo(ctx context.Context, global globalOptions, name string, stdout io.Writer) error {
	info, err := weights.Inspect(ctx, name)
	if err != nil {
		return err
	}
	if global.JSON {
		return printJSON(stdout, info)
	}
	printWeights(stdout, info, true)
	return nil
}
