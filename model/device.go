package model

import (
	"regexp"

	"impasto/internal/cpu"
	"impasto/internal/plan"
)

var cudaDevice = regexp.MustCompile(`^cuda(:[0-9]+)?$`)

func checkDevice(name string) error {
	switch {
	case name == "auto", name == "cpu":
		return nil
	case cudaDevice.MatchString(name):
		return &OptionError{"Device", name + " needs CUDA, which this build does not support; use auto or cpu"}
	}
	return checkName("Device", "device", name, []string{"auto", "cpu", "cuda", "cuda:0"})
}

// openDevice opens the device that a checked name means: so far, the processor
// with these options.
func openDevice(_ string, o cpu.Options) (plan.Device, error) {
	return cpu.NewDevice(o)
}
