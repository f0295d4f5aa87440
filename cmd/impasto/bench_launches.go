package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"impasto/cuda/kernels"
	"impasto/internal/bench"
	"impasto/internal/settings"
)

func newBenchLaunchesCommand(global *globalOptions) *cobra.Command {
	o := newBenchOptions()
	cmd := &cobra.Command{
		Use:   "launches",
		Short: "Time every kernel that an iteration launches on a GPU",
		Long: `Launches runs iterations on a GPU kernel by kernel, each between two events of the
device, and prints the median time of each launch, what it has to do at least, and
which share of its time that would take by the figures of the GPU's maker, whether
arithmetic or memory is what limits it. A share above 100 % means that operands
were still in a cache. In an iteration that isn't watched many launches go on
beside each other, so the times here add up to more.

With --json it prints an object for the device, with the keys iterations, empty
(seconds of a launch that has nothing to do, which all others have in them), and
peak (operations a second by unit, f32, f64, tf32 and f16, and bytes a second), and
one for each launch, with the keys kernel, grid, block, shared (bytes), seconds
(the median), counted (whether the work is known), operations, unit, bytes and
bound (the least time in seconds).`,
		Example: `  impasto bench launches --device cuda --size 512 --precision f16 --loss gram
  impasto bench launches --device cuda --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runBenchLaunches(cmd.Context(), o.settled(), *global, cmd.OutOrStdout())
		},
	}
	f := flagsOf(cmd, "Flags")
	f.add(settings.Loss(&o.Loss), "loss", "l", "style loss")
	o.addOptimizer(f)
	o.addFlags(f)
	return cmd
}

// launchHeader is what bench launches prints before the launches.
type launchHeader struct {
	Iterations int                `json:"iterations"`
	Empty      float64            `json:"empty"`
	Peak       map[string]float64 `json:"peak"`
}

func runBenchLaunches(ctx context.Context, o bench.Options, global globalOptions, out io.Writer) error {
	report, err := bench.Launches(ctx, o)
	if err != nil {
		return err
	}
	if !global.JSON {
		return printLaunches(out, report)
	}
	peak := map[string]float64{"bytes": report.Peak.Bytes}
	for unit, operations := range report.Peak.Operations {
		peak[kernels.Unit(unit).String()] = operations
	}
	if err := printJSON(out, launchHeader{report.Iterations, report.Empty, peak}); err != nil {
		return err
	}
	for _, l := range report.Launches {
		if err := printJSON(out, l); err != nil {
			return err
		}
	}
	return nil
}

const launchRow = "%-32s %12s %5s %7s %9s %9s %9s %5s %6s\n"

// printLaunches prints the launches in their order, and then the sums by kernel, with the
// one first that takes the most time.
func printLaunches(out io.Writer, report bench.LaunchReport) error {
	fmt.Fprintf(out, "%d launches, medians of %d iterations; a launch with nothing to do takes %.1f µs\n",
		len(report.Launches), report.Iterations, 1e6*report.Empty)
	fmt.Fprintf(out, "by its maker's figures the GPU does %.4g TB/s", report.Peak.Bytes/1e12)
	for unit, operations := range report.Peak.Operations {
		fmt.Fprintf(out, ", %.4g TFLOP/s in %v", operations/1e12, kernels.Unit(unit))
	}
	fmt.Fprintf(out, "\n\n"+launchRow, "kernel", "grid", "block", "shared", "µs", "GFLOP", "MB", "unit", "share")
	for _, l := range report.Launches {
		writeLaunch(out, gridText(l.Grid), gridText(l.Block), fmt.Sprint(l.Shared), l)
	}
	sums, total := sumLaunches(report.Launches)
	fmt.Fprintf(out, "\n"+launchRow, "all launches of a kernel", "launches", "", "", "µs", "GFLOP", "MB", "unit", "share")
	for _, sum := range sums {
		writeLaunch(out, fmt.Sprint(sum.launches), "", "", sum.LaunchTiming)
	}
	_, err := fmt.Fprintf(out, "%-32s %12d %5s %7s %9.1f\n", "together", len(report.Launches), "", "", 1e6*total)
	return err
}

func writeLaunch(out io.Writer, grid, block, shared string, l bench.LaunchTiming) {
	operations, bytes, share := "–", "–", "–"
	if l.Counted {
		operations, bytes = fmt.Sprintf("%.3f", l.Operations/1e9), fmt.Sprintf("%.2f", l.Bytes/1e6)
		if l.Bound > 0 {
			share = fmt.Sprintf("%.0f %%", 100*l.Bound/l.Seconds)
		}
	}
	fmt.Fprintf(out, launchRow, l.Kernel, grid, block, shared, fmt.Sprintf("%.1f", 1e6*l.Seconds), operations, bytes, l.Unit, share)
}

// gridText writes the sizes of a grid or a block, without ones at the end.
func gridText(d [3]int) string {
	text := fmt.Sprint(d[0])
	if d[1] > 1 || d[2] > 1 {
		text += fmt.Sprintf("×%d", d[1])
	}
	if d[2] > 1 {
		text += fmt.Sprintf("×%d", d[2])
	}
	return text
}

// launchSum is all launches of one kernel.
type launchSum struct {
	bench.LaunchTiming
	launches int
}

// sumLaunches adds up the launches of each kernel, and the times of all.
func sumLaunches(launches []bench.LaunchTiming) (sums []launchSum, total float64) {
	at := map[string]int{}
	for _, l := range launches {
		i, there := at[l.Kernel]
		if !there {
			i = len(sums)
			at[l.Kernel] = i
			sums = append(sums, launchSum{LaunchTiming: bench.LaunchTiming{Kernel: l.Kernel, Unit: l.Unit, Counted: l.Counted}})
		}
		sum := &sums[i]
		sum.launches++
		sum.Seconds += l.Seconds
		sum.Operations += l.Operations
		sum.Bytes += l.Bytes
		sum.Bound += l.Bound
		total += l.Seconds
	}
	slices.SortStableFunc(sums, func(a, b launchSum) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return sums, total
}
