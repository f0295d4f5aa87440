//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"unsafe"

	"gorgonia.org/cu"

	"impasto/cuda/kernels"
)

// The types of launches and of their arguments, by shorter names.
type (
	launch         = kernels.Launch
	pointer[T any] = kernels.Pointer[T]
	elements       = kernels.Elements
)

// bound is a launch made ready.
type bound struct {
	function cu.Function
	kernels.Shape
	words    []uint64
	pointers []unsafe.Pointer
}

// ready finds the kernel of a launch.
func (d *Device) ready(l launch) (bound, error) {
	f, err := d.function(l.Kernel, l.Shared)
	if err != nil {
		return bound{}, err
	}
	b := bound{function: f, Shape: l.Shape, words: l.Arguments}
	for i := range b.words {
		b.pointers = append(b.pointers, unsafe.Pointer(&b.words[i]))
	}
	return b, nil
}

// issue puts the launch on the stream.
func (b bound) issue(stream cu.Stream) error {
	return b.function.Launch(max(b.Grid.X, 1), max(b.Grid.Y, 1), max(b.Grid.Z, 1),
		max(b.Block.X, 1), max(b.Block.Y, 1), max(b.Block.Z, 1), b.Shared, stream, b.pointers)
}

// run issues launches at once.
func (d *Device) run(launches ...launch) error {
	for _, l := range launches {
		b, err := d.ready(l)
		if err != nil {
			return err
		}
		if err := b.issue(d.stream); err != nil {
			return err
		}
	}
	return nil
}

// blocks is how many blocks it takes for n elements, so many each.
func blocks(n, each int) int { return (n + each - 1) / each }

// grid is the shape of so many blocks.
func grid(x, y, z int) kernels.Shape { return kernels.Shape{Grid: kernels.Dim{X: x, Y: y, Z: z}} }

var (
	// oneThread is the shape of kernels that compute a few numbers.
	oneThread = kernels.Shape{Block: kernels.Dim{X: 1}}
	// oneBlock is that of kernels whose threads have to know of each other.
	oneBlock kernels.Shape
)

// vectorThreads is how many threads a block has of the kernels that over is for.
const vectorThreads = 256

// over is the shape of kernels whose threads share n elements.
func over(n int) kernels.Shape {
	// Enough blocks to fill any device, few enough to spread their start.
	const most = 2048
	return grid(min(blocks(n, vectorThreads), most), 1, 1)
}

// overRows is the shape over n numbers of kernels that sum rows of them, of which a
// block takes 32 numbers.
func overRows(n int) kernels.Shape { return grid(blocks(n, 32), 1, 1) }

// overWarps is the shape of kernels that have a warp for each of n things.
func overWarps(n int) kernels.Shape { return grid(blocks(n, vectorThreads/32), 1, 1) }

// sumBlocks is into how many parts a sum over a map is split at most. It is fixed,
// so that sums don't depend on the device.
const sumBlocks = 512

// overParts is the shape of kernels whose blocks each leave a part of a sum over n
// elements, and how many parts there are.
func overParts(n int) (shape kernels.Shape, parts int) {
	parts = min(blocks(n, vectorThreads), sumBlocks)
	return grid(parts, 1, 1), parts
}

// addParts is the launch that adds up the parts of so many sums.
func addParts(sums, partials pointer[float64], count, parts int, factor float64) launch {
	return kernels.SumPartials(grid(count, 1, 1), sums, partials, parts, factor)
}

// flag is a truth value as kernels take it.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
