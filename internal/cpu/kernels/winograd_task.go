package kernels

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

// winogradTask is one convolution by Winograd's algorithm.
type winogradTask struct {
	*blocked
	// transposed makes it the convolution with in and out exchanged and the
	// filters turned by half a turn, which is the data gradient.
	transposed    bool
	method        Method
	path          *path
	source        source
	biases        []float32 // nil for zeros
	y             Map
	pooled        Map // the maximum pooling of y, if it is wanted too
	height, width int
	rectify       bool

	form       *winogradForm
	u          []float32 // all of U, if it is kept
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
	switch t.method {
	case BFloat16:
		t.form = t.path.winograd.bfloat16
	case SmallWinograd:
		t.form = &t.path.winograd.forms[0]
	default:
		t.form = t.path.form(in, out, t.height, t.width)
	}
	products := t.form.products()
	across, down := t.form.tiles(t.width), t.form.tiles(t.height)
	chunks := (in + channelChunk - 1) / channelChunk
	outs := (out + channelChunk - 1) / channelChunk
	// Wide rows would take much memory for every thread, and few bands leave threads
	// without work.
	if bands := (down*across + fusedGroup - 1) / fusedGroup; chunks <= fusedChunks && across <= 2*fusedGroup && bands >= 2*w.Threads() {
		t.runFused(w, min(bands, down), across, down)
		return
	}
	rows := max(1, min(down, transformedSize/(products*chunks*t.form.words()*across)))
	bands := (down + rows - 1) / rows
	w.exclusive(func(shared *scratch) {
		most := (down + bands - 1) / bands * across
		t.v = shared.float32s(0, chunks*products*(most*t.form.words()+skew))
		for band := range bands {
			first, end := down*band/bands, down*(band+1)/bands
			t.top, t.tiles = first, (end-first)*across
			t.step = t.tiles*t.form.words() + skew
			w.runLocked((end-first)*chunks, func(part int, s *scratch) {
				t.transform(s, first+part/chunks, part%chunks, across)
			})
			groups := tileGroups(t.tiles, outs, w.Threads())
			w.runLocked(groups*outs, func(part int, s *scratch) {
				group := part / outs
				t.multiply(s, part%outs, t.tiles*group/groups, t.tiles*(group+1)/groups)
			})
		}
	})
}

// tileGroups returns in how many groups tiles are multiplied, each by outs chunks
// of filters: as few as tileGroup allows that leave threads idle for less than an
// eighth of the time, because each transforms the filters anew. This is no part of
// any sum, so results are the same for any number of threads.
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
	w.exclusive(func(shared *scratch) {
		t.u = shared.float32s(0, chunks*outs*t.form.products()*filterStep)
		blocks := in / channelBlock
		w.runLocked(blocks*out/channelBlock, func(part int, s *scratch) {
			i, o := part%blocks*channelBlock, part/blocks*channelBlock
			t.transformFilter(s, t.transformed(i, o)[i%channelChunk/t.form.pack*channelChunk+o%channelChunk:], i, o)
		})
		w.runLocked(bands, func(part int, s *scratch) {
			band := t // with a V of its own
			first, end := down*part/bands, down*(part+1)/bands
			band.top, band.tiles = first, (end-first)*across
			band.step = band.tiles*t.form.words() + skew
			band.v = s.float32s(scratchV, chunks*t.form.products()*band.step)
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

// transformed is where the chunk of U is that holds the given channels, if U is
// kept.
func (t *winogradTask) transformed(in, out int) []float32 {
	inputs, _ := t.channels()
	chunks := (inputs + channelChunk - 1) / channelChunk
	return t.u[(out/channelChunk*chunks+in/channelChunk)*t.form.products()*filterStep:]
}

// transform makes a chunk of channels of V for one row of tiles.
func (t *winogradTask) transform(s *scratch, row, chunk, across int) {
	f := t.form
	in, _ := t.channels()
	pixels := s.float32s(scratchRows, f.inputs()*segmentRow)
	for c := chunk * channelChunk; c < min(in, (chunk+1)*channelChunk); c += channelBlock {
		for x := 0; x < across; x += f.segment() {
			n := min(f.segment(), across-x)
			columns := n*f.tile + 2
			for i := range f.inputs() {
				t.source.pixels(t.path, pixels[i*segmentRow:], c, row*f.tile-1+i, x*f.tile-1, columns)
			}
			f.transformColumns(pixels[segmentLead:], segmentRow, columns)
			tile := (row-t.top)*across + x
			f.transformRows(t.v[chunk*f.products()*t.step+tile*f.words()+c%channelChunk/f.pack:], pixels[segmentLead:], t.step, segmentRow, n)
		}
	}
}

// multiply computes a chunk of output channels of the tiles from first to end,
// counted from the first of V.
func (t *winogradTask) multiply(s *scratch, outChunk, first, end int) {
	products := t.form.products()
	in, out := t.channels()
	outFirst := outChunk * channelChunk
	outEnd := min(out, outFirst+channelChunk)
	n := end - first
	step := n*channelChunk + skew
	m := s.float32s(scratchM, products*step)
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
// the task, which it makes unless it is kept.
func (t *winogradTask) filterChunk(s *scratch, in, inEnd, out, outEnd int) []float32 {
	if t.u != nil {
		return t.transformed(in, out)
	}
	u := s.float32s(scratchU, t.form.products()*filterStep)
	for i := in; i < inEnd; i += channelBlock {
		for o := out; o < outEnd; o += channelBlock {
			t.transformFilter(s, u[(i-in)/t.form.pack*channelChunk+o-out:], i, o)
		}
	}
	return u
}

// transformFilter makes the values of U for 16 input and 16 output channels.
func (t *winogradTask) transformFilter(s *scratch, u []float32, in, out int) {
	if !t.transposed {
		t.form.transformFilter(u, t.block(in/channelBlock, out/channelBlock), filterStep, 0)
		return
	}
	turned := s.float32s(scratchFilter, filterBlock)
	block := t.block(out/channelBlock, in/channelBlock)
	for tap := range 9 {
		t.path.winograd.transpose(turned[tap*channelBlock:], block[tap*channelBlock:], 9*channelBlock, 9*channelBlock)
	}
	t.form.transformFilter(u, turned, filterStep, 1)
}

// invert writes the results of n tiles from their products, matrices of which
// are step values apart.
func (t *winogradTask) invert(s *scratch, m []float32, step, tile, n, out, outEnd int) {
	f := t.form
	across, area := f.tiles(t.width), t.height*t.width
	pixels := s.float32s(scratchRows, f.inputs()*segmentRow)
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
			for i := range rows {
				t.path.scatter(t.y, o*area+(row*f.tile+i)*t.width+x*f.tile, pixels[i*segmentRow:], area, columns)
			}
			for i := 0; i < rows && !t.pooled.none(); i += 2 {
				t.path.winograd.poolPixels(pixels, pixels[i*segmentRow:], segmentRow, columns/2)
				t.path.scatter(t.pooled, o*area/4+(row*f.tile+i)/2*(t.width/2)+x*f.tile/2, pixels, area/4, columns/2)
			}
		}
		done += run
	}
}

// scatter writes columns pixels to planes of y, plane values apart, from index at
// on.
func (p *path) scatter(y Map, at int, pixels []float32, plane, columns int) {
	if y.Half != nil {
		p.half.scatter(y.Half[at:], pixels, plane, columns)
		return
	}
	p.winograd.scatter(y.Single[at:], pixels, plane, columns)
}

var zeroBiases [channelBlock]float32

// pixels writes columns pixels of 16 channels of a row, from position
// (row, left), which may lie outside. They begin at segmentLead of room.
func (s source) pixels(p *path, room []float32, channel, row, left, columns int) {
	to := room[segmentLead:]
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
	switch {
	case after == before:
	case s.pooled:
		odd := (left + before) % 2
		s.gatherPooled(p, room[segmentLead+(before-odd)*channelBlock:], channel, row, left+before-odd, after-before+odd)
	default:
		s.gather(p, to[before*channelBlock:], start, after-before)
	}
	for i := range columns {
		switch {
		case i >= before && i < after:
		case s.border.Replicate:
			edge := min(max(left+i, 0), s.width-1)
			for c := range channelBlock {
				to[i*channelBlock+c] = s.x.at((channel+c)*area + row*s.width + edge)
			}
		default:
			s.outside(to[i*channelBlock:], channel)
		}
	}
}

// gather writes n pixels of 16 channels from index at on.
func (s source) gather(p *path, to []float32, at, n int) {
	area := s.height * s.width
	switch {
	case s.x.Half != nil:
		p.half.gather(to, s.x.Half[at:], area, n, s.width)
	case s.gate.Half != nil:
		p.half.gatherGated(to, s.x.Single[at:], s.gate.Half[at:], area, n, s.width)
	case s.gate.Single != nil:
		p.winograd.gather(to, s.x.Single[at:], s.gate.Single[at:], area, n, s.width)
	default:
		p.winograd.gather(to, s.x.Single[at:], nil, area, n, s.width)
	}
}

// gatherPooled writes n pixels, or one more, of 16 channels from an even column on.
func (s source) gatherPooled(p *path, to []float32, channel, row, column, n int) {
	area, below := s.height*s.width, row%2
	at := channel*area + row*s.width + column
	beside := at + s.width*(1-2*below)
	dy := channel*area/4 + row/2*(s.width/2) + column/2
	p.winograd.gatherPooled(to, s.gate.Single[at:], s.gate.Single[beside:], s.x.Single[dy:], area, area/4, (n+1)/2*2, 2*s.width, below)
}

// outside writes a pixel of the border.
func (s source) outside(to []float32, channel int) {
	if s.border.Colour == nil {
		clear(to[:channelBlock])
	} else {
		copy(to[:channelBlock], s.border.Colour[channel:])
	}
}
