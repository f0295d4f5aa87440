package model

import (
	"fmt"

	"impasto/device"
	"impasto/internal/engine"
	"impasto/internal/plan"
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

// openNetwork opens the devices of the options and loads the network down to the deepest
// of layers. It has to be closed.
func openNetwork(o Options, exact bool, layers ...string) (engine.Network, error) {
	var opened []plan.Device
	closed := func(err error) (engine.Network, error) {
		for _, d := range opened {
			d.Close()
		}
		return engine.Network{}, err
	}
	for _, name := range o.Device.Each() {
		d, err := engine.Open(engine.Options{Device: name, Precision: o.Precision, Threads: o.Threads, Exact: exact})
		if err != nil {
			return closed(fmt.Errorf("open device: %w", err))
		}
		opened = append(opened, d)
	}
	parameters, err := engine.ParametersOn(opened[0], o.Parameters, layers...)
	if err != nil {
		return closed(err)
	}
	return engine.Network{Device: opened[0], Beside: opened[1:], Parameters: parameters, Options: o.network()}, nil
}
