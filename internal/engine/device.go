package engine

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"impasto/cuda"
	"impasto/device"
	"impasto/internal/cpu"
	"impasto/internal/plan"
)

// Options are what a device is opened with. The zero value is good.
type Options struct {
	Device    device.Name      // auto where empty
	Precision device.Precision // f32 where empty
	Threads   int              // of the processor; 0 takes all cores
	// Exact has the processor compute convolutions directly and in float32: slower,
	// and more exact. GPUs know no such thing. With it AutoPrecision is f32 everywhere.
	Exact bool
}

// Supports reports a GPU asked of a program that was built without support for them. It
// doesn't look for the device.
func Supports(name device.Name) error {
	if _, gpu := name.Index(); !gpu || cuda.Built {
		return nil
	}
	_, err := cuda.NewDevice(cuda.Options{})
	return fmt.Errorf("%s needs what this build does not support: %s; or use the device auto or cpu",
		name, strings.TrimPrefix(err.Error(), "cuda: "))
}

// Open opens one device. Auto is the first GPU that can be used, or else the processor.
func Open(o Options) (plan.Device, error) {
	name, precision := cmp.Or(o.Device, device.Auto), cmp.Or(o.Precision, device.Float32)
	if err := name.Check(); err != nil {
		return nil, err
	}
	if o.Exact && precision == device.AutoPrecision {
		precision = device.Float32
	}
	if len(name.Each()) > 1 {
		return nil, fmt.Errorf("%s are several devices, want one", name)
	}
	index, gpu := name.Index()
	if name == device.Auto {
		var err error
		if index, gpu, err = firstGPU(); err != nil {
			return nil, err
		}
	}
	if gpu {
		return cuda.NewDevice(cuda.Options{Index: index, Precision: precision})
	}
	if err := precision.CheckOn(device.CPU); err != nil && name == device.Auto {
		return nil, fmt.Errorf("there is no GPU that can be used for this, and %w", err)
	}
	return cpu.NewDevice(cpu.Options{Threads: o.Threads, Exact: o.Exact, Precision: precision})
}

// firstGPU is the index of the first GPU that can be used; found is false where there
// is none.
func firstGPU() (index int, found bool, err error) {
	gpus, err := cuda.Devices()
	for _, gpu := range gpus {
		if gpu.Problem == "" {
			return gpu.Index, true, nil
		}
	}
	var unavailable *cuda.UnavailableError
	if errors.As(err, &unavailable) {
		err = nil
	}
	return 0, false, err
}

// Devices lists the processor and the GPUs of the machine.
func Devices() ([]device.Info, error) {
	processor, err := cpu.NewDevice(cpu.Options{})
	if err != nil {
		return nil, err
	}
	defer processor.Close()
	devices := []device.Info{{Device: device.CPU, Name: processor.Name(), Usable: true}}
	gpus, err := cuda.Devices()
	var unavailable *cuda.UnavailableError
	if errors.As(err, &unavailable) {
		return append(devices, device.Info{Device: device.CUDA, Problem: unavailable.Reason}), nil
	}
	if err != nil {
		return nil, err
	}
	for _, gpu := range gpus {
		devices = append(devices, device.Info{
			Device: device.GPU(gpu.Index), Name: strings.TrimSpace(gpu.Name), Memory: gpu.Memory,
			Capability: gpu.Capability, Driver: gpu.Driver, Usable: gpu.Problem == "", Problem: gpu.Problem,
		})
	}
	return devices, nil
}
