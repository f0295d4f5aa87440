package main

import (
	"time"

	"github.com/spf13/cobra"

	"impasto/device"
	"impasto/internal/bench"
	"impasto/internal/settings"
	"impasto/model"
)

func newBenchCommand(global *globalOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Time pictures, iterations, losses and convolutions on this machine",
		Long: `Bench shows how fast this machine is: whole pictures, with the quality that their
time buys, iterations of a stylisation, the losses by themselves, the convolutions
of the network one by one, or every kernel that an iteration launches on a GPU.
Rates count the operations of convolutions computed directly, so a rate above the
machine's own rate of matrix products, which is measured beside it, comes from
Winograd's method.`,
	}
	cmd.AddCommand(newBenchPictureCommand(global), newBenchIterationCommand(global), newBenchLossesCommand(global),
		newBenchKernelsCommand(global), newBenchLaunchesCommand(global))
	return cmd
}

// benchOptions are the settings of impasto bench iteration, bench kernels and bench
// launches.
type benchOptions struct {
	bench.Options
	WarmSeconds float64
}

func newBenchOptions() *benchOptions {
	return &benchOptions{Options: bench.Options{
		Size: 256, Loss: settings.Default().Loss, Runs: 15, Warmup: 3, Optimizer: model.Adam, Device: device.Auto, Precision: device.AutoPrecision,
	}}
}

// settled are the options with what the flags say in other units.
func (o *benchOptions) settled() bench.Options {
	settled := o.Options
	settled.WarmupTime = time.Duration(o.WarmSeconds * float64(time.Second))
	return settled
}

func (o *benchOptions) addOptimizer(f flagSet) {
	f.add(settings.Choice(&o.Optimizer, "optimizer", model.OptimizerNames()), "optimizer", "", "what makes the iterations: adam, with one evaluation in each, or lbfgs")
}

func (o *benchOptions) addFlags(f flagSet) {
	f.add(settings.Whole(&o.Size, 16, model.MaxSize, "PIXELS"), "size", "s", "side of the square picture, 16 or more")
	f.add(settings.Whole(&o.Runs, 1, 100000, "N"), "runs", "", "runs to time")
	f.add(settings.Whole(&o.Warmup, 0, 1000, "N"), "warmup", "", "runs before those, which don't count")
	f.add(settings.Real(&o.WarmSeconds, 0, 600, "SECONDS"), "warm-seconds", "", "go on with these for so long, as a GPU's clocks need to rise")
	f.addSettings(settings.Machine(&o.Device, &o.Threads)...)
	f.addSettings(settings.Precision(&o.Precision))
}
