package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"impasto/weights"
)

func newWeightsVerifyCommand(global *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Check shapes, values and digest",
		Long: `Verify reads a weight file whole, or without one the embedded weights. It checks
that all sixteen convolutions are there with the right shapes, that every value
is a finite number, and that the SHA-256 is that of the file it claims to be: a
name like vgg19-dcbb9e9d.pth promises the first digits. Other files are compared
with those that are known.

With --json it prints the same object as info does; that it was printed, with
exit status 0, says that all is well.`,
		ValidArgsFunction: weightFile,
		Args:              cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWeightsVerify(cmd.Context(), *global, optional(args), cmd.OutOrStdout())
		},
	}
}

// runWeightsVerify checks the weights of that name, or those in the program.
func runWeightsVerify(ctx context.Context, global globalOptions, name string, stdout io.Writer) error {
	info, err := weights.Verify(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case global.JSON:
		return printJSON(stdout, info)
	case !global.Quiet:
		printWeights(stdout, info, false)
		fmt.Fprintf(stdout, "sound: %d convolutions of the right shapes, every value finite\n", len(info.Layers))
	}
	return nil
}
