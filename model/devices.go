package model

import (
	"errors"
	"fmt"
	"strings"

	"impasto/cuda"
	"impasto/internal/cpu"
)

// DeviceInfo is what Options.Device can name, or why it can't.
type DeviceInfo struct {
	Device string `json:"device"` // cpu, cuda:N; cuda where there is no telling which there are
	Name   string `json:"name,omitempty"`
	Memory int64  `json:"memory,omitempty"` // bytes, of a GPU
	// Capability and Driver are a GPU's compute capability and the version of CUDA
	// that its driver speaks.
	Capability string `json:"capability,omitempty"`
	Driver     string `json:"driver,omitempty"`
	Usable     bool   `json:"usable"`
	Problem    string `json:"problem,omitempty"`
}

// Devices lists the processor and the GPUs of the machine.
func Devices() ([]DeviceInfo, error) {
	processor, err := cpu.NewDevice(cpu.Options{})
	if err != nil {
		return nil, fmt.Errorf("model: devices: %w", err)
	}
	defer processor.Close()
	devices := []DeviceInfo{{Device: "cpu", Name: processor.Name(), Usable: true}}
	infos, err := cuda.Devices()
	var unavailable *cuda.UnavailableError
	if errors.As(err, &unavailable) {
		return append(devices, DeviceInfo{Device: "cuda", Problem: unavailable.Reason}), nil
	}
	if err != nil {
		return nil, fmt.Errorf("model: devices: %w", err)
	}
	for _, info := range infos {
		devices = append(devices, DeviceInfo{
			Device: fmt.Sprintf("cuda:%d", info.Index), Name: strings.TrimSpace(info.Name), Memory: info.Memory,
			Capability: info.Capability, Driver: info.Driver, Usable: info.Problem == "", Problem: info.Problem,
		})
	}
	return devices, nil
}
