//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"
)

// dim is the size of a grid or a block; zeros count as ones.
type dim struct{ x, y, z int }

// launch is a kernel with its arguments.
type launch struct {
	kernel      string
	grid, block dim
	shared      int   // bytes of dynamic shared memory
	arguments   []any // cu.DevicePtr, int or float64
}

// bound is a launch made ready.
type bound struct {
	function    cu.Function
	grid, block dim
	shared      int
	words       []uint64
	pointers    []unsafe.Pointer
}

// ready finds the kernel and lays out the arguments, each in eight bytes.
func (d *Device) ready(l launch) (bound, error) {
	f, err := d.function(l.kernel, l.shared)
	if err != nil {
		return bound{}, err
	}
	b := bound{function: f, grid: l.grid, block: l.block, shared: l.shared, words: make([]uint64, len(l.arguments))}
	for i, argument := range l.arguments {
		switch a := argument.(type) {
		case cu.DevicePtr:
			b.words[i] = uint64(a)
		case int:
			b.words[i] = uint64(a)
		case float64:
			b.words[i] = math.Float64bits(a)
		default:
			return bound{}, fmt.Errorf("argument %d of the kernel %s is a %T, want memory, an int or a float64", i+1, l.kernel, a)
		}
		b.pointers = append(b.pointers, unsafe.Pointer(&b.words[i]))
	}
	return b, nil
}

// issue puts the launch on the stream.
func (b bound) issue(stream cu.Stream) error {
	return b.function.Launch(max(b.grid.x, 1), max(b.grid.y, 1), max(b.grid.z, 1),
		max(b.block.x, 1), max(b.block.y, 1), max(b.block.z, 1), b.shared, stream, b.pointers)
}

// run issues a launch at once.
func (d *Device) run(l launch) error {
	b, err := d.ready(l)
	if err != nil {
		return err
	}
	return b.issue(d.stream)
}

const vectorThreads = 256

// over is a launch of a kernel whose threads share n elements.
func over(n int, kernel string, arguments ...any) launch {
	// Enough blocks to fill any device, few enough to spread their start.
	const most = 2048
	return launch{
		kernel: kernel, grid: dim{x: min((n+vectorThreads-1)/vectorThreads, most)}, block: dim{x: vectorThreads},
		arguments: arguments,
	}
}

// overRows is a launch over n numbers of a kernel that sums rows of them, of which a
// block takes 32 numbers.
func overRows(n int, kernel string, arguments ...any) launch {
	l := over(n, kernel, arguments...)
	l.grid.x = (n + 31) / 32
	return l
}
