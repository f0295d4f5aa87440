package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"impasto/device"
	"impasto/model"
)

func newDevicesCommand(global *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "devices",
		Short: "List what pictures can be made on",
		Long: `Devices lists the processor and the NVIDIA GPUs of this machine, by the names
that --device takes, and says why a GPU can't be used where it can't.

With --json it prints an object for each, with the keys device, name, memory
(bytes; not for the processor), capability (the GPU's compute capability), driver
(the version of CUDA that the driver speaks), usable, and problem (why not; where
the driver itself is at fault, there is one object for device "cuda").`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDevices(*global, cmd.OutOrStdout())
		},
	}
}

func runDevices(global globalOptions, stdout io.Writer) error {
	devices, err := model.Devices()
	if err != nil {
		return err
	}
	if !global.JSON {
		return printDevices(stdout, devices)
	}
	for _, d := range devices {
		if err := printJSON(stdout, d); err != nil {
			return err
		}
	}
	return nil
}

func printDevices(out io.Writer, devices []device.Info) error {
	for _, d := range devices {
		line := fmt.Sprintf("%-8s", d.Device)
		if d.Name != "" {
			line += "  " + d.Name
		}
		if d.Memory > 0 {
			line += fmt.Sprintf(", %s, compute capability %s, driver for CUDA %s", mebibytes(d.Memory), d.Capability, d.Driver)
		}
		if d.Problem != "" {
			line += "  not usable: " + d.Problem
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}
