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

// hopperPools tells whether a convolution there can make the maxima of its result besides: not
// where no tile has all of a sum.
func (d *Device) hopperPools(s shape3) bool {
	return d.matrixUnits(s.in, s.out) && d.hopper(s) && bestTiling(s, d.multiprocessors).parts == 1
}

// hopperTiling is how a convolution is cut up: tiles are of 8×32 positions by so many filters,
// and each is summed in so many parts of the depth.
type hopperTiling struct{ columns, parts int }

// tiles is how many tiles the parts of a convolution have together.
func (t hopperTiling) tiles(s shape3) int {
	return blocks(s.width, 8) * blocks(s.height, 32) * (s.out / t.columns) * t.parts
}

// cycles estimates how long it takes on so many multiprocessors, from what they can do.
func (t hopperTiling) cycles(s shape3, multiprocessors int) int {
	// By 128 filters, a tap of 64 channels takes the matrix units 1024 cycles. By 64 it would
	// take them 512, in which shared memory and the second-level cache don't bring enough.
	tap := 1024
	if t.columns == 64 {
		tap = 640
	}
	const ends = 3500 // until the first slice is there, and from the last on
	rounds := blocks(t.tiles(s), multiprocessors)
	return ends + rounds*3*blocks(hopperTriples(s), t.parts)*tap + partCycles(s.positions()*s.out, t.parts, multiprocessors)
}

// hopperTriples is how many times three taps of 64 channels a convolution is deep.
func hopperTriples(s shape3) int { return 3 * s.in / 64 }

// bestTiling is the quickest one by the estimate.
func bestTiling(s shape3, multiprocessors int) hopperTiling {
	return quickest(s.out, min(8, hopperTriples(s)), func(t hopperTiling) int { return t.cycles(s, multiprocessors) })
}

// convolveOnHopper does what convolveOnMatrixUnits does.
func (b *binder) convolveOnHopper(c convolved) (parts int, sums pointer[float32]) {
	s, p, t := c.shape, b.device.precision, bestTiling(c.shape, b.device.multiprocessors)
	convolution, bytes := p.ConvolutionHopper128, 220416
	if t.columns == 64 {
		convolution, bytes = p.ConvolutionHopper64, 163072
	}
	// One block fits on a multiprocessor, and makes one tile after the other.
	shape := grid(min(t.tiles(s), b.device.multiprocessors), 1, 1)
	shape.Shared = bytes
	x := b.tensorMap(c.x, []int{s.in, s.width, s.height}, []int{64, 8, 34})
	filters := b.tensorMap(b.hopperFilters(c.filters, c.transposed), []int{9 * s.in, s.out}, []int{64, t.columns})
	sums = b.partSums(s, t.parts)
	pulled, matrix, factor := b.pullMaps(c.pull, s, t)
	b.add(convolution(shape, c.result, c.pool.result, c.pool.scale, sums, t.parts, x, filters, pulled, matrix, factor,
		c.bias, c.addend, c.mask, c.flags, s.in, s.out, s.height, s.width))
	return t.parts, sums
}

// pullMaps describes what a convolution pulls back along with its result, if it does.
func (b *binder) pullMaps(p *pullAlong, s shape3, t hopperTiling) (x, matrix pointer[kernels.TensorMap], factor pointer[float32]) {
	if p == nil {
		return none, none, none
	}
	x = b.tensorMap(b.elements(p.x), []int{s.out, s.width, s.height}, []int{64, 8, 34})
	matrix = b.tensorMap(p.matrix, []int{s.out, s.out}, []int{64, t.columns})
	return x, matrix, p.factor
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
