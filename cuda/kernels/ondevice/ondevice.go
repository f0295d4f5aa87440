//go:build gpu && cgo && linux

// Package ondevice runs the kernels on a GPU, one by one, for their own tests: in the place of
// package host, whose memory it takes from the driver, so that host and device share it.
package ondevice

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
	"impasto/cuda/kernels"
	"impasto/cuda/kernels/host"
)

// Device is the first GPU, with the kernels. Its methods aren't to be called at the same time.
type Device struct {
	// Architecture is the one of kernels.Architectures that its code is for, empty for PTX.
	Architecture string
	context      cu.CUContext
	module       cu.Module
	functions    map[string]cu.Function
	failed       error // what a kernel did, after which nothing works
}

// Open opens the GPU. From then on host.Allocate and what goes by it return memory that both
// reach, and that stays until the program ends.
func Open() (*Device, error) {
	if err := driver.Load(); err != nil {
		return nil, fmt.Errorf("loading the driver: %w", err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	handle, err := cu.GetDevice(0)
	if err != nil {
		return nil, fmt.Errorf("finding a GPU: %w", err)
	}
	major, minor, err := handle.ComputeCapability()
	if err != nil {
		return nil, fmt.Errorf("asking the GPU for its compute capability: %w", err)
	}
	d := &Device{functions: map[string]cu.Function{}, Architecture: kernels.Architecture(fmt.Sprintf("%d.%d", major, minor))}
	if d.context, err = handle.MakeContext(cu.SchedAuto); err != nil {
		return nil, fmt.Errorf("opening the GPU: %w", err)
	}
	image, err := kernels.PTX()
	if d.Architecture != "" {
		image, err = kernels.Cubin(d.Architecture)
	}
	if err == nil {
		d.module, err = driver.LoadModule(image)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("loading the kernels: %w", err), d.context.Destroy())
	}
	host.AllocateBy(d.allocate)
	return d, nil
}

// allocate returns memory of both. There is nothing to be done without it.
func (d *Device) allocate(bytes int) (p unsafe.Pointer) {
	err := d.do(func() error {
		at, err := cu.MemAllocManaged(int64(max(bytes, 1)), cu.AttachGlobal)
		p = *(*unsafe.Pointer)(unsafe.Pointer(&at))
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("ondevice: %d bytes of memory for host and GPU: %v", bytes, err))
	}
	return p
}

// do runs f with the GPU's context current.
func (d *Device) do(f func() error) error {
	if d.failed != nil {
		return d.failed
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(d.context); err != nil {
		return err
	}
	err := f()
	if driver.StatusOf(err).Stops() {
		d.failed = err
	}
	return err
}

// Launch runs a kernel to its end. Arguments are those of host.Words.
func (d *Device) Launch(name string, grid, block host.Dim, shared int, arguments ...any) error {
	words, err := host.Words(name, arguments...)
	if err != nil {
		return err
	}
	return d.do(func() error {
		f, err := d.function(name, shared)
		if err != nil {
			return err
		}
		pointers := make([]unsafe.Pointer, len(words))
		for i := range words {
			pointers[i] = unsafe.Pointer(&words[i])
		}
		one := func(n int) int { return max(n, 1) }
		if err := f.Launch(one(grid.X), one(grid.Y), one(grid.Z), one(block.X), one(block.Y), one(block.Z), shared, cu.Stream{}, pointers); err != nil {
			return fmt.Errorf("launching %s: %w", name, err)
		}
		if err := cu.Synchronize(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// function finds a kernel, with so many bytes of dynamic shared memory.
func (d *Device) function(name string, shared int) (f cu.Function, err error) {
	f, there := d.functions[name]
	if !there {
		if f, err = d.module.Function(name); err != nil {
			return f, fmt.Errorf("finding the kernel %s: %w", name, err)
		}
		d.functions[name] = f
	}
	if shared > 48<<10 {
		err = driver.AllowShared(f, shared)
	}
	return f, err
}

// TensorMap is as that of a host.Library.
func (d *Device) TensorMap(tensor host.Memory, brain bool, sizes, box []int) (host.Memory, error) {
	m := host.Allocate(len(driver.TensorMap{})) // aligned to more than it has bytes
	described, err := driver.NewTensorMap(cu.DevicePtr(uintptr(tensor.Pointer())), brain, sizes, box)
	copy(host.Of[byte](m), described[:])
	return m, err
}

// SetOrder does nothing: how threads take turns is the GPU's choice.
func (d *Device) SetOrder(host.Order) {}

// Kernels returns none, since the driver doesn't list them.
func (d *Device) Kernels() []string { return nil }
