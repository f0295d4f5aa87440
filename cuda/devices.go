//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"
	"fmt"
	"runtime"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
)

// Built tells whether the program can use GPUs.
const Built = true

// requiredCapability is that of the Ampere generation, whose asynchronous copies and
// matrix instructions the kernels use.
const requiredCapability = 8

// Devices lists the GPUs of the machine. It fails with an *UnavailableError where
// there is no driver that works.
func Devices() ([]Info, error) {
	if err := start(); err != nil {
		return nil, err
	}
	count, err := cu.NumDevices()
	if err != nil {
		return nil, fmt.Errorf("cuda: count the GPUs: %w", err)
	}
	infos := make([]Info, count)
	for i := range infos {
		if infos[i], err = describe(i); err != nil {
			return nil, err
		}
	}
	return infos, nil
}

// start loads the driver and says in an *UnavailableError why it can't be used.
func start() error {
	err := driver.Load()
	var missing *driver.NotFoundError
	switch status := driver.StatusOf(err); {
	case err == nil:
	case errors.As(err, &missing):
		return &UnavailableError{missing.Error() + "; a GPU needs NVIDIA's driver 525 or newer"}
	case status == driver.NoDevice:
		return &UnavailableError{"the NVIDIA driver finds no GPU; check nvidia-smi, and CUDA_VISIBLE_DEVICES if it is set"}
	default:
		help := "check that nvidia-smi works"
		if runtime.GOOS == "linux" {
			help += " and that you may open /dev/nvidia0 and /dev/nvidiactl"
		}
		return &UnavailableError{fmt.Sprintf("the NVIDIA driver doesn't start (%v, status %d); %s", err, int(status), help)}
	}
	if version := cu.Version(); version < driver.Required {
		return &UnavailableError{fmt.Sprintf("the NVIDIA driver is too old: it speaks CUDA %s, want %s or newer; install driver 525 or newer",
			versionText(version), versionText(driver.Required))}
	}
	return nil
}

func versionText(version int) string { return fmt.Sprintf("%d.%d", version/1000, version%1000/10) }

// describe looks at the GPU of that index.
func describe(index int) (Info, error) {
	info := Info{Index: index, Driver: versionText(cu.Version())}
	device, err := cu.GetDevice(index)
	if err != nil {
		return info, fmt.Errorf("cuda: look at GPU %d: %w", index, err)
	}
	if info.Name, err = device.Name(); err != nil {
		return info, fmt.Errorf("cuda: name of GPU %d: %w", index, err)
	}
	if info.Memory, err = device.TotalMem(); err != nil {
		return info, fmt.Errorf("cuda: memory of GPU %d: %w", index, err)
	}
	var capability [2]int
	for i, attribute := range []cu.DeviceAttribute{cu.ComputeCapabilityMajor, cu.ComputeCapabilityMinor} {
		if capability[i], err = device.Attribute(attribute); err != nil {
			return info, fmt.Errorf("cuda: compute capability of GPU %d: %w", index, err)
		}
	}
	info.Capability = fmt.Sprintf("%d.%d", capability[0], capability[1])
	if capability[0] < requiredCapability {
		info.Problem = fmt.Sprintf("too old: its compute capability is %s, want %d.0 or higher (Ampere or newer)",
			info.Capability, requiredCapability)
	}
	return info, nil
}

// usable returns the GPU of that index if the kernels run on it.
func usable(index int) (cu.Device, Info, error) {
	if err := start(); err != nil {
		return 0, Info{}, err
	}
	count, err := cu.NumDevices()
	if err != nil {
		return 0, Info{}, fmt.Errorf("cuda: count the GPUs: %w", err)
	}
	if index < 0 || index >= count {
		return 0, Info{}, &UnavailableError{fmt.Sprintf("there is no GPU %d; this machine has %d, counted from 0", index, count)}
	}
	info, err := describe(index)
	if err == nil && info.Problem != "" {
		err = &UnavailableError{fmt.Sprintf("GPU %d (%s) is %s", index, info.Name, info.Problem)}
	}
	if err != nil {
		return 0, info, err
	}
	device, err := cu.GetDevice(index)
	return device, info, err
}
