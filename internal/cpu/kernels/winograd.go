package kernels

// Winograd's minimal filtering F(m×m, 3×3) (Lavin and Gray, "Fast Algorithms
// for Convolutional Neural Networks", 2016) computes a tile of m×m results from
// the (m+2)×(m+2) inputs that they see in (m+2)² multiplications, where direct
// convolution takes 9m²:
//
//	Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A
//
// Summed over input channels, each of the (m+2)² products is a matrix product of
// tiles × channels by channels × filters. These take most of the time.
//
// With m = 4 there are a quarter of direct convolution's multiplications. The
// interpolation points 0, ±√2, ±1/√2 and ∞ make half the rounding error of the usual
// 0, ±1, ±2 and ∞:
//
//	     ⎡1   0    -5/2   0    1   0⎤       ⎡ 1      0      0  ⎤
//	     ⎢0  -√½   -1/2   √2   1   0⎥       ⎢ 1/6   √2/6    1/3⎥       ⎡1  1    1     1     1    0⎤
//	Bᵀ = ⎢0   √½   -1/2  -√2   1   0⎥   G = ⎢ 1/6  -√2/6    1/3⎥  Aᵀ = ⎢0  √2  -√2    √½   -√½   0⎥
//	     ⎢0  -√2   -2     √½   1   0⎥       ⎢-2/3  -√2/3   -1/3⎥       ⎢0  2    2     1/2   1/2  0⎥
//	     ⎢0   √2   -2    -√½   1   0⎥       ⎢-2/3   √2/3   -1/3⎥       ⎣0  2√2 -2√2   √⅛   -√⅛   1⎦
//	     ⎣0   1     0    -5/2  0   1⎦       ⎣ 0      0      1  ⎦
//
// With m = 6 there are a fifth of them, at four times the rounding error. The points
// are 0, ±1, ±2, ±1/2 and ∞:
//
//	     ⎡1   0   -21/4   0    21/4   0   -1  0⎤       ⎡ 1      0      0   ⎤
//	     ⎢0   1     1   -17/4 -17/4   1    1  0⎥       ⎢-2/9  -2/9   -2/9  ⎥       ⎡1  1   1   1   1    1     1   0⎤
//	     ⎢0  -1     1    17/4 -17/4  -1    1  0⎥       ⎢-2/9   2/9   -2/9  ⎥       ⎢0  1  -1   2  -2   1/2  -1/2  0⎥
//	Bᵀ = ⎢0  1/2   1/4  -5/2  -5/4   2    1  0⎥   G = ⎢1/90   1/45   2/45 ⎥  Aᵀ = ⎢0  1   1   4   4   1/4   1/4  0⎥
//	     ⎢0 -1/2   1/4   5/2  -5/4  -2    1  0⎥       ⎢1/90  -1/45   2/45 ⎥       ⎢0  1  -1   8  -8   1/8  -1/8  0⎥
//	     ⎢0   2     4   -5/2   -5   1/2   1  0⎥       ⎢32/45 16/45   8/45 ⎥       ⎢0  1   1  16  16  1/16  1/16  0⎥
//	     ⎢0  -2     4    5/2   -5  -1/2   1  0⎥       ⎢32/45 -16/45  8/45 ⎥       ⎣0  1  -1  32 -32  1/32 -1/32  1⎦
//	     ⎣0  -1     0   21/4    0  -21/4  0  1⎦       ⎣ 0      0      1   ⎦
//
// The steps of an operation:
//
//   - gather turns planes into pixels of 16 neighbouring channels, one vector,
//     so that the transforms work on whole vectors whatever the tile is;
//   - transformColumns and transformRows compute V = BᵀdB;
//   - transformFilter computes U = GgGᵀ, for every convolution again. That costs a few
//     per cent where there are few tiles. To keep U would take eight times the memory of
//     the filters, four for each direction, and four times their bandwidth;
//   - multiply computes the products M = V·U;
//   - invertRows and invertColumns compute the results AᵀMA, with bias and ReLU;
//   - scatter turns them back into planes.
//
// The loops in winograd_go.go are the definition of each.

const (
	// channelBlock is the count of channels in a pixel of the transforms.
	channelBlock = 16
	// channelChunk is how many channels, in and out, a product takes. A chunk of U is
	// a matrix of 16 KB for each product, in all 590 KB for m = 4.
	channelChunk = 64
	// notPositive is the choice in a window without a positive value.
	notPositive = 4
)

// winogradKernels are the inner loops of Winograd's convolution.
type winogradKernels struct {
	// gather writes n pixels of 16 channels: to[p*16+c] = x[c*plane+p], or zero
	// where there is a mask and its value isn't positive. It may write up to the
	// next multiple of 16 pixels. It prefetches values that are ahead further on.
	gather func(to, x, mask []float32, plane, n, ahead int)
	// poolPixels writes n pixels, each the maximum of two by two of x, whose rows are
	// row values apart. It may write over the pixels that it has read.
	poolPixels func(to, x []float32, row, n int)
	// choosePixels is poolPixels, and writes to choices[p*16+c] which of the two by two,
	// row by row, is the first that is the maximum: 0 to 3, or notPositive where the
	// maximum isn't positive.
	choosePixels func(to []float32, choices []uint8, x []float32, row, n int)
	// expandPixels writes one row of the rectified gradient of the pooling, 2n pixels,
	// from n pixels of dy: dy[p*16+c] where the pixel of its window is the one that was
	// chosen, else zero. The row is the upper one of the windows where below is 0, the
	// lower one where below is 1.
	expandPixels func(to, dy []float32, choices []uint8, n, below int)
	// signPixels writes the signs of n pixels: bit c of signs[p] is 1 where x[p*16+c] is
	// positive, else 0.
	signPixels func(signs []uint16, x []float32, n int)
	// maskPixels writes zeros over channels of n pixels whose bit of signs is 0.
	maskPixels func(x []float32, signs []uint16, n int)
	// transpose writes to[j*toRow+i] = from[i*fromRow+j], i and j below 16.
	transpose func(to, from []float32, toRow, fromRow int)
	// scatter is the reverse of gather: y[c*plane+p] = from[p*16+c]. It may read up to
	// the next multiple of 16 pixels.
	scatter func(y, from []float32, plane, n int)
	forms   [2]winogradForm // by growing tile
	// bfloat16 is the form with products of bfloat16, nil where the processor has
	// none. A word of its V and U holds two channels; see winograd_bfloat16.go.
	bfloat16 *winogradForm
}

// winogradForm is F(tile×tile, 3×3), whose transforms have n = tile+2 rows.
type winogradForm struct {
	tile int
	pack int // channels in a word of V and U: 1, or 2 of half the bits
	// multiply computes m = v·u, or adds it to m where accumulate is 1. v has n tiles ×
	// depth channels, in rows that are 64/pack words apart; u has depth × 64 channels.
	// Rows of m and u are 64 words apart.
	multiply func(m, v, u []float32, n, depth, accumulate int)
	// transformColumns replaces n rows of count pixels, row values apart, by Bᵀ
	// times them.
	transformColumns func(x []float32, row, count int)
	// transformRows writes the n rows of count tiles, tile pixels apart, times B. Value
	// j of row i goes to v[(n·i+j)*step + t*64 + c], or + (t*64+c)/2 with two channels a
	// word.
	transformRows func(v, x []float32, step, row, count int)
	// transformFilter writes the n² values of 16×16 filters, u[k*step + i*64 + o], from
	// filters[i*144 + tap*16 + o]. Where turned is 1, the filters are turned by half a
	// turn. With two channels a word, i counts words.
	transformFilter func(u, filters []float32, step, turned int)
	// invertRows writes n rows of count·tile pixels, row values apart, from
	// m[(n·i+j)*step + t*64 + c].
	invertRows func(y, m []float32, step, row, count int)
	// invertColumns replaces the first tile of n rows of count pixels by Aᵀ times the n
	// rows, plus the 16 biases. Where rectify is 1, it replaces negative results by zero.
	invertColumns func(y, biases []float32, row, count, rectify int)
}

func (f *winogradForm) inputs() int   { return f.tile + 2 }
func (f *winogradForm) products() int { return f.inputs() * f.inputs() }

// tiles returns how many tiles cover n pixels.
func (f *winogradForm) tiles(n int) int { return (n + f.tile - 1) / f.tile }

// segment is how many tiles of a row are transformed at a time.
func (f *winogradForm) segment() int { return segmentPixels / f.tile }

// words is how many words hold a chunk of channels of V.
func (f *winogradForm) words() int { return channelChunk / f.pack }

// form returns the form that should take less time for a convolution. Products take
// time by pair of channels, transforms by channel; the ratio was measured on Zen 5.
func (set *isa) form(in, out, height, width int) *winogradForm {
	cost := func(f *winogradForm, transforms float64) float64 {
		return float64(f.tiles(height)*f.tiles(width)*f.products()) *
			(float64(in*out) + transforms*float64(set.lanes*(in+out)))
	}
	four, six := &set.winograd.forms[0], &set.winograd.forms[1]
	if cost(six, 2.2) < cost(four, 2) {
		return six
	}
	return four
}

// The blocking of a Winograd convolution.
const (
	// transformedSize bounds V, in values. All threads share it.
	transformedSize = 4 << 20
	// tileGroup is how many tiles are multiplied at a time. Of a product's matrices
	// only that of U, 16 KB, is used more than once, and stays in the first-level cache.
	// All of U doesn't fit into the second-level cache, so larger groups fetch it less
	// often: on Zen 5, 66 tiles are 5 to 10 % slower, 528 not faster.
	tileGroup = 264
	// With up to fusedChunks chunks of input channels, each thread transforms and
	// multiplies on its own, fusedGroup tiles at a time. Then products are few beside
	// the values of V, which should stay in the thread's caches. With more chunks, U
	// would be too large to be kept. On Zen 5, 66 and 132 tiles are 2 to 8 % slower, and
	// no fusing 4 to 10 %.
	fusedChunks = 2
	fusedGroup  = 88
	// smallestGroup is how many tiles a transform of the filters should serve at least.
	smallestGroup = 24
	// segmentPixels is how many pixels of a row are transformed at a time. The processor
	// prefetches long segments better than short ones, though six rows of 128, 50 KB,
	// don't fit into the first-level cache: on Zen 5, 64 are 4 % slower, 32 20 %.
	segmentPixels = 128
	// skew keeps the distance of matrices from being a power of two, with which they
	// would compete for the same lines of a cache.
	skew = 16
)

const (
	// segmentLead is room before a segment, for its first pixel's left neighbour.
	segmentLead = channelBlock
	segmentRow  = segmentLead + (segmentPixels+2+channelBlock)*channelBlock
	filterStep  = channelChunk*channelChunk + skew
	filterBlock = 9 * channelBlock * channelBlock
)

// The slots of a thread's workspace.
const (
	rowsSlot = iota
	uSlot
	mSlot
	filterSlot
	vSlot
	pooledSlot
)
