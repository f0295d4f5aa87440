// Package cubin reads what the compiler made of kernels: how many registers, how much
// shared memory and how much of a stack each takes, from the ELF files that NVIDIA's
// driver loads. Tests hold the images that are in the repository to it.
package cubin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// Kernel is what one kernel takes of a multiprocessor.
type Kernel struct {
	Registers int // of a thread
	Shared    int // bytes of static shared memory of a block
	Stack     int // bytes of local memory of a thread: arrays, and registers that were spilled
	Threads   int // of a block at most
}

// String is registers/shared/stack.
func (k Kernel) String() string { return fmt.Sprintf("%d/%d/%d", k.Registers, k.Shared, k.Stack) }

// The attributes of a section .nv.info, and how wide their values are.
const (
	mostThreads   = 0x05
	frameSize     = 0x11
	registerCount = 0x2f

	noValue   = 1
	byteValue = 2
	halfValue = 3
	sizeValue = 4
)

// Open opens a file of machine code.
func Open(image []byte) (*elf.File, error) {
	const version = 20 // where the version of the format stands
	if len(image) > version+4 {
		// NVIDIA's compilers have a version of their own there, which package elf doesn't take.
		image = bytes.Clone(image)
		binary.LittleEndian.PutUint32(image[version:], uint32(elf.EV_CURRENT))
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("cubin: %w", err)
	}
	return file, nil
}

// Read returns the kernels of a file of machine code by their names.
func Read(image []byte) (map[string]Kernel, error) {
	file, err := Open(image)
	if err != nil {
		return nil, err
	}
	symbols, err := file.Symbols()
	if err != nil {
		return nil, fmt.Errorf("cubin: %w", err)
	}
	info := file.Section(".nv.info")
	if info == nil {
		return nil, fmt.Errorf("cubin: no section .nv.info, want a file that ptxas made")
	}
	attributes, err := info.Data()
	if err != nil {
		return nil, fmt.Errorf("cubin: %w", err)
	}
	kernels := map[string]Kernel{}
	for _, s := range file.Sections {
		if name, code := strings.CutPrefix(s.Name, ".text."); code {
			if _, there := kernels[name]; !there {
				kernels[name] = Kernel{}
			}
		}
		if name, own := strings.CutPrefix(s.Name, ".nv.info."); own {
			k := kernels[name]
			if k.Threads, err = threads(s); err != nil {
				return nil, err
			}
			kernels[name] = k
		}
		if name, shared := strings.CutPrefix(s.Name, ".nv.shared."); shared && !strings.HasPrefix(name, "reserved.") {
			k := kernels[name]
			k.Shared = int(s.Size)
			kernels[name] = k
		}
	}
	err = each(attributes, func(attribute byte, value []byte) error {
		if attribute != frameSize && attribute != registerCount || len(value) < 8 {
			return nil
		}
		symbol, n := binary.LittleEndian.Uint32(value), int(binary.LittleEndian.Uint32(value[4:]))
		if symbol == 0 || int(symbol) > len(symbols) {
			return fmt.Errorf("cubin: an attribute of symbol %d, of which there are %d", symbol, len(symbols))
		}
		name := symbols[symbol-1].Name // Symbols leaves out number 0
		k, there := kernels[name]
		if !there {
			return nil // of a function that isn't a kernel
		}
		if attribute == frameSize {
			k.Stack = n
		} else {
			k.Registers = n
		}
		kernels[name] = k
		return nil
	})
	return kernels, err
}

// threads is how many threads a block has at most, by the attributes of a kernel's own.
func threads(own *elf.Section) (n int, err error) {
	attributes, err := own.Data()
	if err != nil {
		return 0, fmt.Errorf("cubin: %w", err)
	}
	err = each(attributes, func(attribute byte, value []byte) error {
		if attribute == mostThreads && len(value) == 12 {
			n = int(binary.LittleEndian.Uint32(value) * binary.LittleEndian.Uint32(value[4:]) * binary.LittleEndian.Uint32(value[8:]))
		}
		return nil
	})
	return n, err
}

// each calls f for each attribute of a section .nv.info.
func each(attributes []byte, f func(attribute byte, value []byte) error) error {
	for len(attributes) >= 4 {
		kind, attribute, value := attributes[0], attributes[1], attributes[2:4]
		rest := attributes[4:]
		switch kind {
		case noValue, byteValue, halfValue:
		case sizeValue:
			size := int(binary.LittleEndian.Uint16(value))
			if size > len(rest) {
				return fmt.Errorf("cubin: an attribute %#x of %d bytes, of which there are %d", attribute, size, len(rest))
			}
			value, rest = rest[:size], rest[size:]
		default:
			return fmt.Errorf("cubin: an attribute %#x of the unknown kind %d", attribute, kind)
		}
		if err := f(attribute, value); err != nil {
			return err
		}
		attributes = rest
	}
	return nil
}
