//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"fmt"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
	"impasto/cuda/kernels"
)

// hopper tells whether a convolution can run by the matrix units and the background
// copies of compute capability 9.0.
func (d *Device) hopper(s shape3) bool {
	return d.code == "90a" && !d.ampere && d.maps().Bytes() == 2 && s.in%64 == 0
}

// convolveOnHopper does what convolveOnMatrixUnits does.
func (b *binder) convolveOnHopper(c convolved) (parts int, sums pointer[float32]) {
	s, p := c.shape, b.device.precision
	convolution, columns, bytes := p.ConvolutionHopper128, 128, 197696
	if s.out%128 != 0 {
		convolution, columns, bytes = p.ConvolutionHopper64, 64, 164928
	}
	shape := grid(blocks(s.width, 16)*blocks(s.height, 16), s.out/columns, 1)
	shape.Shared = bytes
	// One block fits on each of some 130 multiprocessors. A slice is 64 deep, and a
	// part is worth its memory from some 16 slices on.
	const together = 128
	parts = min(max(together/(shape.Grid.X*shape.Grid.Y), 1), max(9*s.in/64/16, 1), 8)
	shape.Grid.Z = parts
	x := b.tensorMap(c.x, []int{s.in, s.width, s.height}, []int{64, 16, 16})
	filters := b.tensorMap(b.matrixFilters(c.filters, c.transposed), []int{9 * s.in, s.out}, []int{64, columns})
	sums = b.partSums(s, parts)
	b.add(convolution(shape, c.result, sums, x, filters, c.bias, c.addend, c.mask, c.flags, s.in, s.out, s.height, s.width))
	return parts, sums
}

// tensorMap is what kernels know of a tensor for background copies of boxes of it.
type tensorMap struct {
	at         pointer[kernels.TensorMap]
	tensor     elements
	sizes, box []int
}

// tensorMap returns where the description of a tensor will lie that is on the device.
func (b *binder) tensorMap(tensor elements, sizes, box []int) pointer[kernels.TensorMap] {
	at := reserve[kernels.TensorMap](b, 1)
	b.tensorMaps = append(b.tensorMaps, tensorMap{at, tensor, sizes, box})
	return at
}

// upload describes the tensor.
func (t tensorMap) upload(d *Device) error {
	described, err := driver.NewTensorMap(cu.DevicePtr(t.tensor), d.precision == kernels.BF16, t.sizes, t.box)
	if err != nil {
		return fmt.Errorf("describe a tensor of %v: %w", t.sizes, err)
	}
	return upload(d, t.at, []kernels.TensorMap{kernels.TensorMap(described)})
}
