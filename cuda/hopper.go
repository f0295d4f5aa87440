//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"fmt"
	"math"

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

// hopperTile is the shape of a tile: 8 columns of so many rows of positions, by so many filters.
type hopperTile struct{ rows, columns int }

// hopperRows is how many rows of positions whole tiles have.
const hopperRows = 32

// hopperPieces are the shapes that tiles may be cut into of so many filters.
var hopperPieces = map[int][]hopperTile{
	128: {{32, 64}, {16, 64}, {16, 32}},
	96:  nil,
	64:  {{16, 64}, {16, 32}},
}

// cycles estimates how long a tap of 64 channels takes: what the matrix units take for its
// products, or shared memory or the second-level cache for its operands.
func (t hopperTile) cycles() int {
	const (
		multiplications = 2048 // the matrix units make in a cycle
		shared          = 128  // bytes that shared memory reads or writes in a cycle
		cached          = 31   // bytes that a multiprocessor has from the second-level cache in a cycle
	)
	// Of positions there is a row more at either end, for three taps.
	copied := (8*2*64*(t.rows+2) + 3*2*64*t.columns) / 3
	// Each product is of 64 positions, and reads the filters anew.
	read := 2 * 64 * (64 + t.columns) * t.rows / 8
	return max(8*t.rows*t.columns*64/multiplications, (read+copied)/shared, copied/cached)
}

// times is how many pieces of a shape a tile of so many filters has.
func (t hopperTile) times(columns int) int { return hopperRows / t.rows * (columns / t.columns) }

// hopperTiling is how a convolution is cut up: tiles are of 8×32 positions by so many filters,
// and each is summed in so many parts of the depth. Those that are left for a last round, for less
// than all multiprocessors, are cut into pieces, or are one piece each.
type hopperTiling struct {
	columns, parts int
	pieces         hopperTile
}

// tiles is how many tiles the parts of a convolution have together.
func (t hopperTiling) tiles(s shape3) int {
	return blocks(s.width, 8) * blocks(s.height, hopperRows) * blocks(s.out, t.columns) * t.parts
}

// rounds is how often all multiprocessors take a whole tile.
func (t hopperTiling) rounds(s shape3, multiprocessors int) int { return t.tiles(s) / multiprocessors }

// left is how many pieces there are of the tiles that are left then.
func (t hopperTiling) left(s shape3, multiprocessors int) int {
	return t.tiles(s) % multiprocessors * t.pieces.times(t.columns)
}

// whole is how many tiles aren't cut.
func (t hopperTiling) whole(s shape3, multiprocessors int) int {
	if t.pieces == (hopperTile{hopperRows, t.columns}) {
		return t.tiles(s)
	}
	return t.rounds(s, multiprocessors) * multiprocessors
}

// cycles estimates how long it takes on so many multiprocessors, from what they can do.
func (t hopperTiling) cycles(s shape3, multiprocessors int) int {
	const ends = 3500 // until the first slice is there, and from the last on
	taps := t.rounds(s, multiprocessors)*hopperTile{hopperRows, t.columns}.cycles() +
		blocks(t.left(s, multiprocessors), multiprocessors)*t.pieces.cycles()
	return ends + 3*blocks(hopperTriples(s), t.parts)*taps + partCycles(s.positions()*s.out, t.parts, multiprocessors)
}

// hopperTriples is how many times three taps of 64 channels a convolution is deep.
func hopperTriples(s shape3) int { return 3 * s.in / 64 }

// bestTiling is the quickest one by the estimate.
func bestTiling(s shape3, multiprocessors int) hopperTiling {
	var best hopperTiling
	least := math.MaxInt
	for _, columns := range []int{64, 96, 128} {
		if s.out%columns != 0 && columns != 96 {
			continue
		}
		for parts := 1; parts <= min(8, hopperTriples(s)); parts++ {
			for _, pieces := range append([]hopperTile{{hopperRows, columns}}, hopperPieces[columns]...) {
				t := hopperTiling{columns, parts, pieces}
				if cycles := t.cycles(s, multiprocessors); cycles < least {
					best, least = t, cycles
				}
			}
		}
	}
	return best
}

// convolveOnHopper does what convolveOnMatrixUnits does.
func (b *binder) convolveOnHopper(c convolved) (parts int, sums pointer[float32]) {
	s, multiprocessors := c.shape, b.device.multiprocessors
	t := bestTiling(s, multiprocessors)
	// One block fits on a multiprocessor, and makes one tile after the other.
	shape := grid(min(t.rounds(s, multiprocessors)*multiprocessors+t.left(s, multiprocessors), multiprocessors), 1, 1)
	shape.Shared = 220416
	x := b.boxMaps(c.x, s.in, s)
	filters := b.tensorMaps(b.hopperFilters(c.filters, c.transposed), []int{9 * s.in, s.out}, []int{64, 32})
	sums = b.partSums(s, t.parts)
	pulled, matrix, factor := b.pullMaps(c.pull, s)
	b.add(b.device.precision.ConvolutionHopper(shape, c.result, c.pool.result, c.pool.scale, sums, t.parts, x, filters, pulled, matrix, factor,
		c.bias, c.addend, c.mask, c.flags, t.columns, t.whole(s, multiprocessors), t.pieces.rows, t.pieces.columns, s.in, s.out, s.height, s.width))
	return t.parts, sums
}

// boxMaps describes a map of so many channels for copies of the boxes of whole tiles and of pieces.
func (b *binder) boxMaps(x elements, channels int, s shape3) pointer[kernels.TensorMap] {
	return b.tensorMaps(x, []int{channels, s.width, s.height}, []int{64, 8, hopperRows + 2}, []int{64, 8, hopperRows/2 + 2})
}

// pullMaps describes what a convolution pulls back along with its result, if it does.
func (b *binder) pullMaps(p *pullAlong, s shape3) (x, matrix pointer[kernels.TensorMap], factor pointer[float32]) {
	if p == nil {
		return none, none, none
	}
	x = b.boxMaps(b.elements(p.x), s.out, s)
	matrix = b.tensorMaps(p.matrix, []int{s.out, s.out}, []int{64, 32})
	return x, matrix, p.factor
}

// tensorMap is what kernels know of a tensor for background copies of boxes of it.
type tensorMap struct {
	at         pointer[kernels.TensorMap]
	tensor     elements
	sizes, box []int
}

// tensorMaps returns where descriptions of a tensor will lie that is on the device, one for each
// shape of boxes.
func (b *binder) tensorMaps(tensor elements, sizes []int, boxes ...[]int) pointer[kernels.TensorMap] {
	at := reserve[kernels.TensorMap](b, len(boxes))
	for i, box := range boxes {
		b.described = append(b.described, tensorMap{at.Plus(i), tensor, sizes, box})
	}
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
