//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"

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
