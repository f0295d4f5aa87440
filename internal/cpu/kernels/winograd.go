package kernels

// Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, "Fast Algorithms
// for Convolutional Neural Networks", 2016) computes a tile of 4×4 results
// from the 6×6 inputs that they see with 36 multiplications instead of 144:
//
//	Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A
//
// Summed over input channels, each of the 36 products is a matrix product of
// tiles × channels by channels × filters, which is where the time goes. With
// the interpolation points 0, ±√2, ±1/√2 and ∞, which round better than the
// usual 0, ±1, ±2, ∞:
//
//	     ⎡1   0    -5/2   0    1   0⎤       ⎡ 1      0      0  ⎤
//	     ⎢0  -√½   -1/2   √2   1   0⎥       ⎢ 1/6   √2/6    1/3⎥       ⎡1  1    1     1     1    0⎤
//	Bᵀ = ⎢0   √½   -1/2  -√2   1   0⎥   G = ⎢ 1/6  -√2/6    1/3⎥  Aᵀ = ⎢0  √2  -√2    √½   -√½   0⎥
//	     ⎢0  -√2   -2     √½   1   0⎥       ⎢-2/3  -√2/3   -1/3⎥       ⎢0  2    2     1/2   1/2  0⎥
//	     ⎢0   √2   -2    -√½   1   0⎥       ⎢-2/3   √2/3   -1/3⎥       ⎣0  2√2 -2√2   √⅛   -√⅛   1⎦
//	     ⎣0   1     0    -5/2  0   1⎦       ⎣ 0      0      1  ⎦
//
// How an operation proceeds:
//
//   - gather turns planes into pixels of 16 neighbouring channels, one vector,
//     so that the transforms work on whole vectors whatever the tile is;
//   - transformColumns and transformRows make V = BᵀdB;
//   - transformFilter makes U = GgGᵀ, anew each time: this costs a few per cent
//     where tiles are few, while U kept would take four times the filters'
//     memory and bandwidth, and twice, because the gradient needs it transposed;
//   - multiply makes the 36 products M = V·U;
//   - invertRows and invertColumns make the results AᵀMA, with bias and ReLU;
//   - scatter turns them back into planes.
//
// Each is written out in Go in winograd_go.go, which is their definition.

const (
	tileSize   = 4  // results of a tile in a row
	tileInputs = 6  // inputs that they see
	products   = 36 // tileInputs²
	// channelBlock is the count of channels in a pixel of the transforms.
	channelBlock = 16
	// channelChunk is how many channels, in and out, a product takes. A chunk of
	// U takes 36·64·64·4 bytes = 590 KB, a matrix of it 16 KB.
	channelChunk = 64
)

// winogradKernels are the inner loops of Winograd's convolution.
type winogradKernels struct {
	// gather writes n pixels of 16 channels: to[p*16+c] = x[c*plane+p], or zero
	// where gate isn't nil and its value isn't positive. It may write up to the
	// next multiple of 16 pixels.
	gather func(to, x, gate []float32, plane, n, ahead int)
	// transpose writes to[j*toRow+i] = from[i*fromRow+j], i and j below 16.
	transpose func(to, from []float32, toRow, fromRow int)
	// scatter is the reverse of gather: y[c*plane+p] = from[p*16+c]. It may read up to
	// the next multiple of 16 pixels.
	scatter func(y, from []float32, plane, n int)
	// transformColumns replaces six rows of n pixels, row values apart, by Bᵀ
	// times them.
	transformColumns func(x []float32, row, n int)
	// transformRows writes the six rows of n tiles, 4 pixels apart, times B:
	// v[(6i+j)*step + t*64 + c], i being the row.
	transformRows func(v, x []float32, step, row, n int)
	// transformFilter writes the 36 values of 16×16 filters,
	// u[k*step + i*64 + o], from filters[i*144 + tap*16 + o]; turned by half a
	// turn where turned is 1.
	transformFilter func(u, filters []float32, step, turned int)
	// multiply computes m = v·u, or adds it where accumulate is 1, for n tiles ×
	// depth values of v, depth × 64 of u; rows of all are 64 values apart.
	multiply func(m, v, u []float32, n, depth, accumulate int)
	// invertRows writes six rows of 4n pixels, row values apart, from
	// m[(6i+j)*step + t*64 + c].
	invertRows func(y, m []float32, step, row, n int)
	// invertColumns replaces the first four of six rows of n pixels by Aᵀ times
	// the six, plus the 16 biases, and by zero where rectify is 1 and that
	// isn't positive.
	invertColumns func(y, biases []float32, row, n, rectify int)
}

// The blocking of a Winograd convolution.
const (
	// transformedSize bounds V, in values; it is in shared memory.
	transformedSize = 4 << 20
	// tileGroup is how many tiles share a transform of the filters; their M is
	// kept while input channels are added up.
	tileGroup = 240
	// tileBlock is how many tiles are multiplied at a time, a multiple of the 6
	// of multiply: a matrix of V, of M and of U take 16 KB each, as much as a
	// first-level cache has. On Zen 5, 48 and 96 are 2 % slower, 24 is 20 %.
	tileBlock = 66
	// segment is how many tiles of a row are transformed at a time: six rows of
	// 66 pixels, 32 KB, read from ahead.
	segment = 16
	// skew separates matrices whose distance would else be a power of two, so
	// that they don't compete for the same lines of a cache.
	skew = 16
)

const (
	segmentRow    = (segment*tileSize + 2 + channelBlock) * channelBlock
	filterStep    = channelChunk*channelChunk + skew
	blockStep     = tileBlock*channelChunk + skew
	filterBlock   = 9 * channelBlock * channelBlock
	minimumTiles  = 4 // fewer are convolved directly
	scratchRows   = 0 // slots of scratch memory
	scratchU      = 1
	scratchM      = 2
	scratchFilter = 3
)

// blocked are filters for Winograd's transform: blocks of 16 input × 16 output
// channels, of 9 taps, in the order out, in, channel in, tap, channel out.
type blocked struct {
	out, in int
	filters []float32
}

func newBlocked(filters []float32, out, in int) *blocked {
	b := &blocked{out, in, make([]float32, len(filters))}
	for o := range out {
		for i := range in {
			block := b.block(i/channelBlock, o/channelBlock)[i%channelBlock*9*channelBlock+o%channelBlock:]
			for tap := range 9 {
				block[tap*channelBlock] = filters[(o*in+i)*9+tap]
			}
		}
	}
	return b
}

func (b *blocked) block(in, out int) []float32 {
	return b.filters[(out*(b.in/channelBlock)+in)*filterBlock:][:filterBlock]
}

// winogradFits says whether a convolution can be, and had better be, computed
// by Winograd's algorithm.
func winogradFits(out, in, height, width int) bool {
	return out%channelBlock == 0 && in%channelBlock == 0 && tilesOf(height)*tilesOf(width) >= minimumTiles
}

func tilesOf(n int) int { return (n + tileSize - 1) / tileSize }

// winogradTask is one convolution by Winograd's algorithm.
type winogradTask struct {
	*blocked
	// transposed makes it the convolution with in and out exchanged and the
	// filters turned by half a turn, which is the data gradient.
	transposed    bool
	path          *path
	source        source
	biases        []float32 // nil for zeros
	y             []float32
	height, width int
	rectify       bool

	v          []float32
	step       int // between the 36 matrices of a chunk of v
	top, tiles int // the first row of tiles in v, and how many tiles
}

// channels returns the counts of input and output channels of the task.
func (t *winogradTask) channels() (in, out int) {
	if t.transposed {
		return t.out, t.in
	}
	return t.in, t.out
}

func (t winogradTask) run(w *Workers) {
	in, out := t.channels()
	across, down := tilesOf(t.width), tilesOf(t.height)
	chunks := (in + channelChunk - 1) / channelChunk
	outs := (out + channelChunk - 1) / channelChunk
	rows := max(1, min(down, transformedSize/(products*chunks*channelChunk*across)))
	bands := (down + rows - 1) / rows
	w.exclusive(func(shared *scratch) {
		most := (down + bands - 1) / bands * across
		t.v = shared.float32s(0, chunks*products*(most*channelChunk+skew))
		for band := range bands {
			first, end := down*band/bands, down*(band+1)/bands
			t.top, t.tiles = first, (end-first)*across
			t.step = t.tiles*channelChunk + skew
			w.runLocked((end-first)*chunks, func(part int, s *scratch) {
				t.transform(s, first+part/chunks, part%chunks, across)
			})
			groups := (t.tiles + tileGroup - 1) / tileGroup
			w.runLocked(groups*outs, func(part int, s *scratch) {
				group := part / outs
				t.multiply(s, part%outs, t.tiles*group/groups, t.tiles*(group+1)/groups)
			})
		}
	})
}

// transform makes a chunk of channels of V for one row of tiles.
func (t *winogradTask) transform(s *scratch, row, chunk, across int) {
	k := &t.path.winograd
	in, _ := t.channels()
	pixels := s.float32s(scratchRows, tileInputs*segmentRow)
	for c := chunk * channelChunk; c < min(in, (chunk+1)*channelChunk); c += channelBlock {
		for x := 0; x < across; x += segment {
			n := min(segment, across-x)
			columns := n*tileSize + 2
			for i := range tileInputs {
				t.source.pixels(t.path, pixels[i*segmentRow:], c, row*tileSize-1+i, x*tileSize-1, columns)
			}
			k.transformColumns(pixels, segmentRow, columns)
			tile := (row-t.top)*across + x
			k.transformRows(t.v[chunk*products*t.step+tile*channelChunk+c%channelChunk:], pixels, t.step, segmentRow, n)
		}
	}
}

// multiply computes a chunk of output channels of the tiles from first to end,
// counted from the first of V.
func (t *winogradTask) multiply(s *scratch, outChunk, first, end int) {
	k := &t.path.winograd
	in, out := t.channels()
	outFirst := outChunk * channelChunk
	outEnd := min(out, outFirst+channelChunk)
	blocks := (end - first + tileBlock - 1) / tileBlock
	u := s.float32s(scratchU, products*filterStep)
	m := s.float32s(scratchM, blocks*products*blockStep)
	for c := 0; c < in; c += channelChunk {
		depth := min(channelChunk, in-c)
		t.filterChunk(s, u, c, c+depth, outFirst, outEnd)
		accumulate := min(c, 1)
		for b := range blocks {
			tile := first + (end-first)*b/blocks
			n := first + (end-first)*(b+1)/blocks - tile
			v := t.v[c/channelChunk*products*t.step+tile*channelChunk:]
			mb := m[b*products*blockStep:]
			for i := range products {
				k.multiply(mb[i*blockStep:], v[i*t.step:], u[i*filterStep:], n, depth, accumulate)
			}
			if c+depth == in {
				t.invert(s, mb, tile, n, outFirst, outEnd)
			}
		}
	}
}

// filterChunk makes the chunk of U for the given input and output channels of
// the task.
func (t *winogradTask) filterChunk(s *scratch, u []float32, in, inEnd, out, outEnd int) {
	k := &t.path.winograd
	turned := s.float32s(scratchFilter, filterBlock)
	for i := in; i < inEnd; i += channelBlock {
		for o := out; o < outEnd; o += channelBlock {
			to := u[(i-in)*channelChunk+o-out:]
			if !t.transposed {
				k.transformFilter(to, t.block(i/channelBlock, o/channelBlock), filterStep, 0)
				continue
			}
			block := t.block(o/channelBlock, i/channelBlock)
			for tap := range 9 {
				k.transpose(turned[tap*channelBlock:], block[tap*channelBlock:], 9*channelBlock, 9*channelBlock)
			}
			k.transformFilter(to, turned, filterStep, 1)
		}
	}
}

// invert writes the results of n tiles from their products.
func (t *winogradTask) invert(s *scratch, m []float32, tile, n, out, outEnd int) {
	k := &t.path.winograd
	across, area := tilesOf(t.width), t.height*t.width
	pixels := s.float32s(scratchRows, tileInputs*segmentRow)
	rectify := 0
	if t.rectify {
		rectify = 1
	}
	for done := 0; done < n; {
		row, x := t.top+(tile+done)/across, (tile+done)%across
		run := min(segment, n-done, across-x)
		columns := min(run*tileSize, t.width-x*tileSize)
		for o := out; o < outEnd; o += channelBlock {
			k.invertRows(pixels, m[done*channelChunk+o-out:], blockStep, segmentRow, run)
			biases := zeroBiases[:]
			if t.biases != nil {
				biases = t.biases[o:]
			}
			k.invertColumns(pixels, biases, segmentRow, run*tileSize, rectify)
			for i := range min(tileSize, t.height-row*tileSize) {
				k.scatter(t.y[o*area+(row*tileSize+i)*t.width+x*tileSize:], pixels[i*segmentRow:], area, columns)
			}
		}
		done += run
	}
}

var zeroBiases [channelBlock]float32

// pixels writes columns pixels of 16 channels of a row, from position
// (row, left), which may lie outside.
func (s source) pixels(p *path, to []float32, channel, row, left, columns int) {
	if s.border.Replicate {
		row = min(max(row, 0), s.height-1)
	} else if row < 0 || row >= s.height {
		for i := range columns {
			s.outside(to[i*channelBlock:], channel)
		}
		return
	}
	before, after := s.inside(left, columns)
	area := s.height * s.width
	start := channel*area + row*s.width + left + before
	if after > before {
		var gate []float32
		if s.gate != nil {
			gate = s.gate[start:]
		}
		p.winograd.gather(to[before*channelBlock:], s.x[start:], gate, area, after-before, s.width)
	}
	for i := range columns {
		switch {
		case i >= before && i < after:
		case s.border.Replicate:
			edge := min(max(left+i, 0), s.width-1)
			for c := range channelBlock {
				at := (channel+c)*area + row*s.width + edge
				s.gated(&p.vector, to[i*channelBlock+c:i*channelBlock+c+1], at)
			}
		default:
			s.outside(to[i*channelBlock:], channel)
		}
	}
}

// outside writes a pixel of the border.
func (s source) outside(to []float32, channel int) {
	if s.border.Colour == nil {
		clear(to[:channelBlock])
	} else {
		copy(to[:channelBlock], s.border.Colour[channel:])
	}
}
