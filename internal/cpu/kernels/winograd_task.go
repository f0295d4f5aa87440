package kernels

import "encoding/binary"

// blocked are filters for Winograd's transform, in blocks of 16 input × 16 output
// channels and 9 taps. The order is: output block, input block, input channel, tap,
// output channel.
type blocked struct {
	out, in int
	Filters
}

// newBlocked lays out filters, out×in×3×3.
func newBlocked(filters Filters, out, in int) *blocked {
	b := &blocked{out, in, Filters{Palette: filters.Palette}}
	if filters.Palette != nil {
		b.Indices = make([]byte, len(filters.Indices))
		b.arrange(func(to, from int) { b.Indices[to] = filters.Indices[from] })
	} else {
		b.Values = make([]float32, len(filters.Values))
		b.arrange(func(to, from int) { b.Values[to] = filters.Values[from] })
	}
	return b
}

// arrange moves every value to its place.
func (b *blocked) arrange(move func(to, from int)) {
	for o := range b.out {
		for i := range b.in {
			block := b.start(i/channelBlock, o/channelBlock) + i%channelBlock*9*channelBlock + o%channelBlock
			for tap := range 9 {
				move(block+tap*channelBlock, (o*b.in+i)*9+tap)
			}
		}
	}
}

// start is where the block of filters with these numbers begins.
func (b *blocked) start(in, out int) int { return (out*(b.in/channelBlock) + in) * filterBlock }

// block is the block of filters with these numbers. Where there is a palette, it lies in
// room.
func (b *blocked) block(in, out int, room []float32) []float32 {
	start := b.start(in, out)
	if b.Palette == nil {
		return b.Values[start:][:filterBlock]
	}
	room = room[:filterBlock]
	lookUp(room, b.Indices[start:][:filterBlock], b.Palette)
	return room
}

// lookUp writes the values at indices, a multiple of 8.
func lookUp(to []float32, indices []byte, palette *[256]float32) {
	for len(indices) >= 8 && len(to) >= 8 {
		eight := binary.LittleEndian.Uint64(indices)
		t := (*[8]float32)(to)
		t[0], t[1] = palette[byte(eight)], palette[byte(eight>>8)]
		t[2], t[3] = palette[byte(eight>>16)], palette[byte(eight>>24)]
		t[4], t[5] = palette[byte(eight>>32)], palette[byte(eight>>40)]
		t[6], t[7] = palette[byte(eight>>48)], palette[byte(eight>>56)]
		to, indices = to[8:], indices[8:]
	}
}

// winogradTask is one convolution by Winograd's algorithm.
type winogradTask struct {
	*blocked
	// transposed exchanges in and out and turns the filters by half a turn, which
	// makes it the data gradient.
	transposed    bool
	method        Method
	isa           *isa
	source        source
	biases        []float32 // nil for zeros
	y             Map
	signs         []uint16 // of y, in pixels of 16 channels, if they are wanted
	pooled        Map      // the maximum pooling of y, if it is wanted; y may be none, then
	choices       []uint8  // of the pooling, in pixels of 16 channels, if they are wanted
	height, width int
	rectify       bool

	form       *winogradForm
	u          []float32 // all of U, if it is kept
	v          []float32
	step       int // between the matrices of a chunk of v
	top, tiles int // the first row of tiles in v, and how many tiles
}

// channels returns the counts of input and output channels of the task.
func (t *winogradTask) channels() (in, out int) {
	if t.transposed {
		return t.out, t.in
	}
	return t.in, t.out
}

// run computes y. It transforms as many rows of tiles as there is memory for, then
// multiplies them, in turns.
func (t winogradTask) run(w *Workers) {
	if t.method == BFloat16 && t.isa.tiles != nil {
		newTileTask(t, w.Threads()).run(w)
		return
	}
	in, out := t.channels()
	t.form = t.isa.form(in, out, t.height, t.width)
	if t.method == BFloat16 {
		t.form = t.isa.winograd.bfloat16
	}
	products := t.form.products()
	across, down := t.form.tiles(t.width), t.form.tiles(t.height)
	chunks := (in + channelChunk - 1) / channelChunk
	outs := (out + channelChunk - 1) / channelChunk
	// Fused bands of wide rows would take much memory for every thread, and few bands
	// would leave threads without work.
	if bands := (down*across + fusedGroup - 1) / fusedGroup; chunks <= fusedChunks && across <= 2*fusedGroup && bands >= 2*w.Threads() {
		t.runFused(w, min(bands, down), across, down)
		return
	}
	rows := max(1, min(down, transformedSize/(products*chunks*t.form.words()*across)))
	bands := (down + rows - 1) / rows
	w.exclusive(func(shared *workspace) {
		most := (down + bands - 1) / bands * across
		t.v = shared.float32s(0, chunks*products*(most*t.form.words()+skew))
		for band := range bands {
			first, end := down*band/bands, down*(band+1)/bands
			t.top, t.tiles = first, (end-first)*across
			t.step = t.tiles*t.form.words() + skew
			w.runLocked((end-first)*chunks, func(part int, s *workspace) {
				t.transform(s, first+part/chunks, part%chunks, across)
			})
			groups := tileGroups(t.tiles, outs, w.Threads())
			w.runLocked(groups*outs, func(part int, s *workspace) {
				group := part / outs
				t.multiply(s, part%outs, t.tiles*group/groups, t.tiles*(group+1)/groups)
			})
		}
	})
}

// tileGroups returns in how many groups tiles are multiplied, each by outs chunks
// of filters. Each group transforms the filters again, so there should be few: as few
// as tileGroup allows, and as leave threads idle for less than an eighth of the time.
// Groups don't change the order of any sum, so results are the same for any number of
// threads.
func tileGroups(tiles, outs, threads int) int {
	groups := (tiles + tileGroup - 1) / tileGroup
	for ; groups < tiles/smallestGroup; groups++ {
		parts := groups * outs
		if turns := (parts + threads - 1) / threads; 8*parts >= 7*turns*threads {
			break
		}
	}
	return groups
}

// runFused has each thread transform a band of rows of tiles and multiply it, by
// filters that are transformed once for all bands.
func (t winogradTask) runFused(w *Workers, bands, across, down int) {
	in, out := t.channels()
	chunks, outs := (in+channelChunk-1)/channelChunk, (out+channelChunk-1)/channelChunk
	w.exclusive(func(shared *workspace) {
		t.u = shared.float32s(0, chunks*outs*t.form.products()*filterStep)
		blocks := in / channelBlock
		w.runLocked(blocks*out/channelBlock, func(part int, s *workspace) {
			i, o := part%blocks*channelBlock, part/blocks*channelBlock
			t.transformFilter(s, t.transformed(i, o)[i%channelChunk/t.form.pack*channelChunk+o%channelChunk:], i, o)
		})
		w.runLocked(bands, func(part int, s *workspace) {
			band := t // with a V of its own
			first, end := down*part/bands, down*(part+1)/bands
			band.top, band.tiles = first, (end-first)*across
			band.step = band.tiles*t.form.words() + skew
			band.v = s.float32s(vSlot, chunks*t.form.products()*band.step)
			for row := first; row < end; row++ {
				for chunk := range chunks {
					band.transform(s, row, chunk, across)
				}
			}
			for chunk := range outs {
				band.multiply(s, chunk, 0, band.tiles)
			}
		})
	})
}

// transformed is the chunk of U with the given channels, where U is kept.
func (t *winogradTask) transformed(in, out int) []float32 {
	inputs, _ := t.channels()
	chunks := (inputs + channelChunk - 1) / channelChunk
	return t.u[(out/channelChunk*chunks+in/channelChunk)*t.form.products()*filterStep:]
}

// transform computes a chunk of channels of V for one row of tiles.
func (t *winogradTask) transform(s *workspace, row, chunk, across int) {
	f := t.form
	in, _ := t.channels()
	pixels, pooled := s.float32s(rowsSlot, f.inputs()*segmentRow), s.float32s(pooledSlot, segmentRow)
	for c := chunk * channelChunk; c < min(in, (chunk+1)*channelChunk); c += channelBlock {
		for x := 0; x < across; x += f.segment() {
			n := min(f.segment(), across-x)
			columns := n*f.tile + 2
			t.source.rows(t.isa, pixels, pooled, c, row*f.tile-1, x*f.tile-1, f.inputs(), columns)
			f.transformColumns(pixels[segmentLead:], segmentRow, columns)
			tile := (row-t.top)*across + x
			f.transformRows(t.v[chunk*f.products()*t.step+tile*f.words()+c%channelChunk/f.pack:], pixels[segmentLead:], t.step, segmentRow, n)
		}
	}
}

// multiply computes a chunk of output channels of the tiles from first to end,
// counted from the first of V.
func (t *winogradTask) multiply(s *workspace, outChunk, first, end int) {
	products := t.form.products()
	in, out := t.channels()
	outFirst := outChunk * channelChunk
	outEnd := min(out, outFirst+channelChunk)
	n := end - first
	step := n*channelChunk + skew
	m := s.float32s(mSlot, products*step)
	for c := 0; c < in; c += channelChunk {
		depth := min(channelChunk, in-c)
		u := t.filterChunk(s, c, c+depth, outFirst, outEnd)
		v := t.v[c/channelChunk*products*t.step+first*t.form.words():]
		for i := range products {
			t.form.multiply(m[i*step:], v[i*t.step:], u[i*filterStep:], n, depth, min(c, 1))
		}
	}
	t.invert(s, m, step, first, n, outFirst, outEnd)
}

// filterChunk returns the chunk of U for the given input and output channels of
// the task. Unless U is kept, it computes it.
func (t *winogradTask) filterChunk(s *workspace, in, inEnd, out, outEnd int) []float32 {
	if t.u != nil {
		return t.transformed(in, out)
	}
	u := s.float32s(uSlot, t.form.products()*filterStep)
	for i := in; i < inEnd; i += channelBlock {
		for o := out; o < outEnd; o += channelBlock {
			t.transformFilter(s, u[(i-in)/t.form.pack*channelChunk+o-out:], i, o)
		}
	}
	return u
}

// transformFilter computes the values of U for 16 input and 16 output channels.
func (t *winogradTask) transformFilter(s *workspace, u []float32, in, out int) {
	filters, turned := t.filters(s, in, out)
	t.form.transformFilter(u, filters, filterStep, turned)
}

// filters returns the filters of 16 input and 16 output channels of the task, by input
// channel, tap and output channel. Where turned is 1, they must be turned by half a turn.
func (t *winogradTask) filters(s *workspace, in, out int) (filters []float32, turned int) {
	rooms := s.float32s(filterSlot, 2*filterBlock)
	exchanged, room := rooms[:filterBlock], rooms[filterBlock:]
	if !t.transposed {
		return t.block(in/channelBlock, out/channelBlock, room), 0
	}
	block := t.block(out/channelBlock, in/channelBlock, room)
	for tap := range 9 {
		t.isa.winograd.transpose(exchanged[tap*channelBlock:], block[tap*channelBlock:], 9*channelBlock, 9*channelBlock)
	}
	return exchanged, 1
}

// invert writes the results of n tiles from their products m, in matrices that are
// step values apart.
func (t *winogradTask) invert(s *workspace, m []float32, step, tile, n, out, outEnd int) {
	f := t.form
	across := f.tiles(t.width)
	pixels := s.float32s(rowsSlot, f.inputs()*segmentRow)
	rectify := 0
	if t.rectify {
		rectify = 1
	}
	for done := 0; done < n; {
		row, x := t.top+(tile+done)/across, (tile+done)%across
		run := min(f.segment(), n-done, across-x)
		columns := min(run*f.tile, t.width-x*f.tile)
		for o := out; o < outEnd; o += channelBlock {
			f.invertRows(pixels, m[done*channelChunk+o-out:], step, segmentRow, run)
			biases := zeroBiases[:]
			if t.biases != nil {
				biases = t.biases[o:]
			}
			f.invertColumns(pixels, biases, segmentRow, run*f.tile, rectify)
			rows := min(f.tile, t.height-row*f.tile)
			t.write(pixels, segmentRow, o, row*f.tile, x*f.tile, rows, columns)
		}
		done += run
	}
}

// write writes rows × columns pixels of 16 channels of y from position (top, left) on,
// with what is wanted besides. Rows are row values apart. It may write over the pixels.
func (t *winogradTask) write(pixels []float32, row, channel, top, left, rows, columns int) {
	area := t.height * t.width
	for i := 0; i < rows && !t.y.none(); i++ {
		at := (top+i)*t.width + left
		t.isa.scatter(t.y, channel*area+at, pixels[i*row:], area, columns)
		if t.signs != nil {
			t.isa.winograd.signPixels(t.signs[channel/channelBlock*area+at:], pixels[i*row:], columns)
		}
	}
	if !t.pooled.none() && columns > 1 {
		t.pool(pixels, row, channel, top, left, rows, columns)
	}
}

// pool writes the pooling of rows × columns pixels of 16 channels of y, from position
// (top, left) on, which are even. It writes over the pixels.
func (t *winogradTask) pool(pixels []float32, row, channel, top, left, rows, columns int) {
	down, across := t.height/2, t.width/2
	for i := 0; i+1 < rows; i += 2 {
		at, n := (top+i)/2*across+left/2, columns/2
		if t.choices == nil {
			t.isa.winograd.poolPixels(pixels, pixels[i*row:], row, n)
		} else {
			choices := t.choices[(channel/channelBlock*down*across+at)*channelBlock:]
			t.isa.winograd.choosePixels(pixels, choices, pixels[i*row:], row, n)
		}
		t.isa.scatter(t.pooled, channel*down*across+at, pixels, down*across, n)
	}
}

// scatter writes columns pixels of 16 channels to planes of y, plane values apart,
// from index at on.
func (set *isa) scatter(y Map, at int, pixels []float32, plane, columns int) {
	if y.Half != nil {
		set.half.scatter(y.Half[at:], pixels, plane, columns)
		return
	}
	set.winograd.scatter(y.Single[at:], pixels, plane, columns)
}

// zeroBiases are those of a gradient.
var zeroBiases [channelBlock]float32
