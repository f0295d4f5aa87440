//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
)

// hopper tells whether a convolution can run by the matrix units and the background
// copies of compute capability 9.0.
func (d *Device) hopper(s shape3) bool {
	return d.info.Capability == "9.0" && !d.ampere && d.elementSize() == 2 && s.in%64 == 0
}

// onHopper completes a launch of such a convolution: as onMatrixUnits does.
func (d *Device) onHopper(s shape3) (l launch, parts int) {
	columns, bytes := 128, 197696
	if s.out%128 != 0 {
		columns, bytes = 64, 164928
	}
	l = launch{
		kernel: fmt.Sprintf("convolution_hopper%d_%s", columns, d.precision), shared: bytes, block: dim{x: 384},
		grid: dim{x: (s.width + 15) / 16 * ((s.height + 15) / 16), y: s.out / columns},
	}
	// One block fits on each of some 130 multiprocessors. A slice is 64 deep, and a
	// part is worth its memory from some 16 slices on.
	const blocks = 128
	parts = min(max(blocks/(l.grid.x*l.grid.y), 1), max(9*s.in/64/16, 1), 8)
	l.grid.z = parts
	return l, parts
}

// tensorMap returns where the description of a tensor will lie that is on the
// device.
func (m *machine) tensorMap(tensor cu.DevicePtr, sizes, box []int) cu.DevicePtr {
	at := m.reserve(len(driver.TensorMap{}))
	m.initial = append(m.initial, func() error {
		described, err := driver.NewTensorMap(tensor, m.device.precision == "bf16", sizes, box)
		if err != nil {
			return fmt.Errorf("describe a tensor of %v: %w", sizes, err)
		}
		return m.device.upload(at, unsafe.Pointer(&described), len(described))
	})
	return at
}
