//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
)

// memory is an allocation on the device.
type memory struct {
	at    cu.DevicePtr
	bytes int
}

// allocate returns memory of the device; what it is for is told in the error.
func (d *Device) allocate(what string, bytes int) (memory, error) {
	if bytes == 0 {
		return memory{}, nil
	}
	at, err := cu.MemAlloc(int64(bytes))
	if driver.StatusOf(err) != driver.OutOfMemory {
		return memory{at, bytes}, err
	}
	free, total, unknown := cu.MemInfo()
	if unknown != nil {
		return memory{}, err
	}
	return memory{}, &MemoryError{What: what, Need: int64(bytes), Free: free, Total: total}
}

func (m *memory) free() error {
	if m.at == 0 {
		return nil
	}
	err := cu.MemFree(m.at)
	*m = memory{}
	return err
}

// arena returns memory for a machine until it hands it back: the last machine's
// where that is large enough, else new memory once the last one's is free.
func (d *Device) arena(bytes int) (memory, error) {
	if m := d.spare; m.bytes >= bytes {
		d.spare = memory{}
		return m, nil
	}
	if err := d.spare.free(); err != nil {
		return memory{}, err
	}
	m, err := d.allocate("the network at this size of picture", bytes)
	var tooLarge *MemoryError
	if errors.As(err, &tooLarge) {
		tooLarge.Shrinks = true
	}
	return m, err
}

// takeBack keeps a machine's memory for the next one, the larger of two.
func (d *Device) takeBack(m memory) error {
	if m.bytes <= d.spare.bytes {
		return m.free()
	}
	m, d.spare = d.spare, m
	return m.free()
}

// staged runs f with memory on the device that is there for it alone.
func (d *Device) staged(bytes int, f func(stage memory) error) error {
	stage, err := d.allocate("a map on its way between host and GPU", bytes)
	if err != nil {
		return err
	}
	err = f(stage)
	if synchronized := d.stream.Synchronize(); err == nil {
		err = synchronized
	}
	if freed := stage.free(); err == nil {
		err = freed
	}
	return err
}

// upload copies values to the device and waits for it.
func upload[T any](d *Device, to pointer[T], values []T) error {
	if len(values) == 0 {
		return nil
	}
	if err := cu.MemcpyHtoDAsync(cu.DevicePtr(to), unsafe.Pointer(&values[0]), size(values), d.stream); err != nil {
		return err
	}
	return d.stream.Synchronize()
}

// download copies values from the device, after all work that was issued.
func download[T any](d *Device, values []T, from pointer[T]) error {
	if len(values) == 0 {
		return nil
	}
	if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&values[0]), cu.DevicePtr(from), size(values), d.stream); err != nil {
		return err
	}
	return d.stream.Synchronize()
}

// size is that of values in bytes.
func size[T any](values []T) int64 { return int64(len(values)) * int64(unsafe.Sizeof(values[0])) }

// region is part of a machine's memory that is given out piece by piece.
type region struct {
	at   cu.DevicePtr
	used int // bytes
}

// take returns so many bytes more.
func (r *region) take(bytes int) cu.DevicePtr {
	at := r.at + cu.DevicePtr(r.used)
	r.used += bytes
	return at
}

// alignment of what is in a machine's memory.
const alignment = 256

func align(bytes int) int { return (bytes + alignment - 1) &^ (alignment - 1) }
