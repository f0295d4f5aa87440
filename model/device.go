package model

import (
	"fmt"

	"impasto/device"
	"impasto/internal/engine"
)

// Devices lists the processor and the GPUs of the machine.
func Devices() ([]device.Info, error) {
	devices, err := engine.Devices()
	if err != nil {
		return nil, fmt.Errorf("model: devices: %w", err)
	}
	return devices, nil
}

// checkDevice reports a name or a precision that isn't one, or that doesn't fit the
// other or this program. It doesn't look for the device.
func checkDevice(name device.Name, precision device.Precision) error {
	if err := checkName("Precision", "precision", string(precision), device.PrecisionNames()); err != nil {
		return err
	}
	if name.Check() != nil {
		var names []string
		for _, row := range device.Names {
			names = append(names, string(row.Name))
		}
		return checkName("Device", "device", string(name), names)
	}
	if err := precision.CheckOn(name); err != nil {
		return &OptionError{"Precision", err.Error()}
	}
	if err := engine.Supports(name); err != nil {
		return &OptionError{"Device", err.Error()}
	}
	return nil
}

// openNetwork opens the device of the options and loads the network down to the deepest
// of layers. The device has to be closed.
func openNetwork(o Options, exact bool, layers ...string) (engine.Network, error) {
	opened, err := engine.Open(engine.Options{Device: o.Device, Precision: o.Precision, Threads: o.Threads, Exact: exact})
	if err != nil {
		return engine.Network{}, fmt.Errorf("open device: %w", err)
	}
	parameters, err := engine.ParametersOn(opened, o.Parameters, layers...)
	if err != nil {
		opened.Close()
		return engine.Network{}, err
	}
	return engine.Network{Device: opened, Parameters: parameters, Options: o.network()}, nil
}
