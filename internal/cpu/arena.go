package cpu

import (
	"runtime/debug"
	"unsafe"

	"impasto/internal/memory"
	"impasto/internal/optim"
)

const alignment = 64

// arena returns n bytes that start on a cache line, for a machine to use until
// it hands them back. The last machine's memory is used again where it is large
// enough, and not much larger; where it isn't, it goes back to the system first, so that
// the two never stand side by side.
func (d *Device) arena(n int) ([]byte, error) {
	block := d.spare
	d.spare = nil
	if len(block) >= n && len(block)-n <= n/4 {
		return block, nil
	}
	if err := memory.Free(block); err != nil {
		return nil, err
	}
	return d.allocate(n)
}

// takeBack keeps a machine's memory for the next one, the larger of two.
func (d *Device) takeBack(block []byte) error {
	if len(block) > len(d.spare) && !d.closed {
		block, d.spare = d.spare, block
	}
	return memory.Free(block)
}

// allocate returns n bytes that start on a page, all zero. Where there are no more, the
// error is a *plan.MemoryError.
func (d *Device) allocate(n int) ([]byte, error) {
	block, err := memory.Allocate(n)
	if err != nil {
		debug.FreeOSMemory()
		block, err = memory.Allocate(n)
	}
	if err != nil {
		available, _ := d.Available()
		return nil, shortage(int64(n), min(available, int64(n)))
	}
	return block, nil
}

// NewVector implements optim.Vectors.
func (d *Device) NewVector(n int) (optim.Vector, error) {
	if n <= 0 {
		return d.Host.NewVector(n)
	}
	block, err := d.allocate(4 * n)
	if err != nil {
		return nil, err
	}
	return optim.HostVector(unsafe.Slice((*float32)(unsafe.Pointer(&block[0])), n)), nil
}

// NewCompact implements optim.CompactVectors.
func (d *Device) NewCompact(n int) (*optim.Compact, error) {
	if n <= 0 {
		return d.Host.NewCompact(n)
	}
	block, err := d.allocate(2 * n)
	if err != nil {
		return nil, err
	}
	return &optim.Compact{Unit: 1, Bits: unsafe.Slice((*uint16)(unsafe.Pointer(&block[0])), n)}, nil
}

// Free implements optim.Vectors.
func (d *Device) Free(v optim.Vector) {
	if c, ok := v.(*optim.Compact); ok {
		if bits := c.Bits; len(bits) > 0 {
			_ = memory.Free(unsafe.Slice((*byte)(unsafe.Pointer(&bits[0])), 2*len(bits)))
		}
		return
	}
	if values := v.(optim.HostVector); len(values) > 0 {
		// A mapping that was given out whole can be given back.
		_ = memory.Free(unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values)))
	}
}
