package cpu

import (
	"runtime/debug"
	"unsafe"
)

const alignment = 64

// arena returns n bytes that start on a cache line, for a machine to use until
// it hands them back. The last machine's memory is used again where it is large
// enough; where it isn't, it goes back to the system first, so that the two
// never stand side by side.
func (d *Device) arena(n int) []byte {
	memory := d.spare
	d.spare = nil
	if len(memory) < n {
		if memory != nil {
			memory = nil
			debug.FreeOSMemory()
		}
		memory = alignedBytes(n)
	}
	return memory[:len(memory):len(memory)]
}

// takeBack keeps a machine's memory for the next one, the larger of two.
func (d *Device) takeBack(memory []byte) {
	if len(memory) > len(d.spare) {
		d.spare = memory
	}
}

// alignedBytes returns n bytes that start on a cache line.
func alignedBytes(n int) []byte {
	raw := make([]byte, n+alignment)
	skip := -int(uintptr(unsafe.Pointer(&raw[0]))) & (alignment - 1)
	return raw[skip : skip+n]
}
