package kernels

// Winograd's minimal filtering F(m×m, 3×3) (Lavin and Gray, "Fast Algorithms
// for Convolutional Neural Networks", 2016) computes a tile of m×m results from
// the (m+2)×(m+2) inputs that they see with as many multiplications, where
// direct convolution takes 9m²:
//
//	Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A
//
// Summed over input channels, each product of the (m+2)² is a matrix product of
// tiles × channels by channels × filters, which is where the time goes. With
// m = 4, a quarter of direct convolution's, and the interpolation points 0, ±√2,
// ±1/√2 and ∞, which round twice as well as the usual 0, ±1, ±2 and ∞:
//
//	     ⎡1   0    -5/2   0    1   0⎤       ⎡ 1      0      0  ⎤
//	     ⎢0  -√½   -1/2   √2   1   0⎥       ⎢ 1/6   √2/6    1/3⎥       ⎡1  1    1     1     1    0⎤
//	Bᵀ = ⎢0   √½   -1/2  -√2   1   0⎥   G = ⎢ 1/6  -√2/6    1/3⎥  Aᵀ = ⎢0  √2  -√2    √½   -√½   0⎥
//	     ⎢0  -√2   -2     √½   1   0⎥       ⎢-2/3  -√2/3   -1/3⎥       ⎢0  2    2     1/2   1/2  0⎥
//	     ⎢0   √2   -2    -√½   1   0⎥       ⎢-2/3   √2/3   -1/3⎥       ⎣0  2√2 -2√2   √⅛   -√⅛   1⎦
//	     ⎣0   1     0    -5/2  0   1⎦       ⎣ 0      0      1  ⎦
//
// With m = 6, a fifth of them, at four times the rounding error, and the points
// 0, ±1, ±2, ±1/2 and ∞:
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
// How an operation proceeds:
//
//   - gather turns planes into pixels of 16 neighbouring channels, one vector,
//     so that the transforms work on whole vectors whatever the tile is;
//   - transformColumns and transformRows make V = BᵀdB;
//   - transformFilter makes U = GgGᵀ, anew for every convolution: this costs a few
//     per cent where tiles are few, while U kept would take four times the filters'
//     memory and bandwidth, and twice, because the gradient needs it transposed;
//   - multiply makes the products M = V·U;
//   - invertRows and invertColumns make the results AᵀMA, with bias and ReLU;
//   - scatter turns them back into planes.
//
// Each is written out in Go in winograd_go.go, which is their definition.

const (
	// channelBlock is the count of channels in a pixel of the transforms.
	channelBlock = 16
	// channelChunk is how many channels, in and out, a product takes. A matrix
	// of a chunk of U takes 16 KB, all 36 of m = 4 590 KB.
	channelChunk = 64
)

// winogradKernels are the inner loops of Winograd's convolution.
type winogradKernels struct {
	// gather writes n pixels of 16 channels: to[p*16+c] = x[c*plane+p], or zero
	// where gate isn't nil and its value isn't positive. It may write up to the
	// next multiple of 16 pixels.
	gather func(to, x, gate []float32, plane, n, ahead int)
	// gatherPooled gathers a row of the rectified gradient of a maximum pooling of x,
	// from an even column on, n being even: to[p*16+c] = dy[c*pooledPlane+p/2] where
	// x[c*plane+p] is positive and the first of the greatest of its window, or else
	// zero. beside is the window's other row, which is above where below is 1.
	gatherPooled func(to, x, beside, dy []float32, plane, pooledPlane, n, ahead, below int)
	// poolPixels writes to n pixels the greatest of two by two of x, in rows that are
	// row values apart.
	poolPixels func(to, x []float32, row, n int)
	// transpose writes to[j*toRow+i] = from[i*fromRow+j], i and j below 16.
	transpose func(to, from []float32, toRow, fromRow int)
	// scatter is the reverse of gather: y[c*plane+p] = from[p*16+c]. It may read up to
	// the next multiple of 16 pixels.
	scatter func(y, from []float32, plane, n int)
	forms   [2]winogradForm // by growing tile
	// bfloat16 is the form with products of bfloat16, nil where the processor has
	// none. Its V and U hold two channels a word, as winograd_bfloat16.go says.
	bfloat16 *winogradForm
}

// winogradForm is F(tile×tile, 3×3), whose transforms have n = tile+2 rows.
type winogradForm struct {
	tile int
	pack int // channels in a word of V and U: 1, or 2 of half the bits
	// multiply computes m = v·u, or adds it where accumulate is 1, for n tiles ×
	// depth channels of v, depth × 64 of u; rows of m and u are 64 words apart,
	// those of v 64/pack.
	multiply func(m, v, u []float32, n, depth, accumulate int)
	// transformColumns replaces n rows of count pixels, row values apart, by Bᵀ
	// times them.
	transformColumns func(x []float32, row, count int)
	// transformRows writes the n rows of count tiles, tile pixels apart, times B:
	// v[(n·i+j)*step + t*64 + c], i being the row. With pairs, the last index is
	// (t*64 + c)/2.
	transformRows func(v, x []float32, step, row, count int)
	// transformFilter writes the n² values of 16×16 filters,
	// u[k*step + i*64 + o], from filters[i*144 + tap*16 + o]; turned by half a
	// turn where turned is 1. With pairs, i counts those.
	transformFilter func(u, filters []float32, step, turned int)
	// invertRows writes n rows of count·tile pixels, row values apart, from
	// m[(n·i+j)*step + t*64 + c].
	invertRows func(y, m []float32, step, row, count int)
	// invertColumns replaces the first of n rows of count pixels by Aᵀ times the
	// n, plus the 16 biases, and by zero where rectify is 1 and that isn't
	// positive.
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

// form returns the form that should take less time for a convolution. What the
// transforms take beside the products, by channel instead of by pair of
// channels, was measured on Zen 5.
func (p *path) form(in, out, height, width int) *winogradForm {
	cost := func(f *winogradForm, transforms float64) float64 {
		return float64(f.tiles(height)*f.tiles(width)*f.products()) *
			(float64(in*out) + transforms*float64(p.lanes*(in+out)))
	}
	four, six := &p.winograd.forms[0], &p.winograd.forms[1]
	if cost(six, 2.2) < cost(four, 2) {
		return six
	}
	return four
}

// The blocking of a Winograd convolution.
const (
	// transformedSize bounds V, in values; it is in shared memory.
	transformedSize = 4 << 20
	// tileGroup is how many tiles are multiplied at a time. Of a product's
	// matrices only that of U, 16 KB, is used more than once, and stays in the
	// first-level cache; those of V and M pass by. So what counts is that U, which
	// the second-level cache doesn't hold, is fetched seldom: on Zen 5, 66 tiles
	// are 5 to 10 % slower, 528 not faster.
	tileGroup = 264
	// fusedChunks is up to how many chunks of input channels a thread transforms and
	// multiplies on its own, fusedGroup tiles at a time. With so few, V is much and
	// the product little, and V had better not leave the thread's caches; with more,
	// U would be too large to be kept. On Zen 5, 66 and 132 tiles are 2 to 8 %
	// slower, and no fusing 4 to 10 %.
	fusedChunks = 2
	fusedGroup  = 88
	// smallestGroup is how many tiles a transform of the filters should serve.
	smallestGroup = 24
	// segmentPixels is how many pixels of a row are transformed at a time. Long
	// segments are read ahead of better than short ones, though six rows of 128,
	// 50 KB, don't fit into the first-level cache: on Zen 5, 64 are 4 % slower, 32
	// 20 %.
	segmentPixels = 128
	// skew separates matrices whose distance would else be a power of two, so
	// that they don't compete for the same lines of a cache.
	skew = 16
)

const (
	// segmentLead is room before a segment, for its first pixel's left neighbour.
	segmentLead   = channelBlock
	segmentRow    = segmentLead + (segmentPixels+2+channelBlock)*channelBlock
	filterStep    = channelChunk*channelChunk + skew
	filterBlock   = 9 * channelBlock * channelBlock
	scratchRows   = 0 // slots of scratch memory
	scratchU      = 1
	scratchM      = 2
	scratchFilter = 3
	scratchV      = 4
)
