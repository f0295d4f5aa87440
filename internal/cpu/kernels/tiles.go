package kernels

// tileKernels are the inner loops of a convolution whose products are of tiles: 16
// pixels, or output channels, by 32 input channels of bfloat16. A word holds two
// channels, as in winograd_bfloat16.go. tiles_go.go defines what they compute.
type tileKernels struct {
	// packPixels writes n pixels of 16 channels, x[p*16+c], to v[p*16+c/2].
	packPixels func(v, x []float32, n int)
	// packFilters writes filters of 16 input × 16 output channels,
	// filters[i*144 + tap*16 + o], to u[tap*256 + i/2*16 + o]. Where turned is 1, they
	// are turned by half a turn.
	packFilters func(u, filters []float32, turned int)
	// convolve computes n pixels, a multiple of 32, of 32 channels: pixel p of channel o
	// is m[(o/16*n+p)*16 + o%16]. Tap (i, j) sees of chunk k of the input the pixels from
	// v[k*plane + (i*row+j)*16] on. u has for 16 output channels each the filters of all
	// chunks. Sums begin with the 32 biases. Where rectify is 1, negative ones are replaced
	// by zero.
	convolve func(m, v, u, biases []float32, n, row, plane, chunks, rectify int)
}

// The blocking of a convolution by tiles.
const (
	tileChannels = 32 // of the input, in a row of a tile
	tileOuts     = 2 * channelBlock
	tilePixels   = 32                              // that are summed at a time
	tileFilters  = 9 * channelBlock * channelBlock // words of U for a chunk by 16 channels
	// tileBand bounds what a thread computes at a time, in words of V and M: they should
	// stay in its second-level cache, beside U.
	tileBand = 1 << 18
	// packedRows is how many rows of pixels are packed at a time.
	packedRows = 4
)

// tileTask is one convolution by tiles. The input, with its border, is packed as
// rounded pixels, and a sum for every pixel of those rows is computed, also for the two
// of each that lie in the border, which are dropped.
type tileTask struct {
	winogradTask
	kernels *tileKernels
	chunks  int // of input channels
	outs    int // parts of the output channels
	wide    int // pixels in a row, with the border
	most    int // rows that are packed at a time, as many as there is memory for; even
	group   int // rows that a thread computes at a time; even
	plane   int // between the chunks of V
}

func newTileTask(t winogradTask, threads int) *tileTask {
	in, out := t.channels()
	task := &tileTask{winogradTask: t, kernels: t.isa.tiles, wide: t.width + 2}
	task.chunks, task.outs = (in+tileChannels-1)/tileChannels, (out+tileOuts-1)/tileOuts
	row := task.chunks * task.wide * channelBlock
	task.most = evenRows(transformedSize/row, t.height)
	task.group = evenRows(tileBand/(row+task.wide*tileOuts), t.height)
	for task.group > 2 && (t.height+task.group-1)/task.group*task.outs < 2*threads {
		task.group = evenRows(task.group/2, t.height)
	}
	return task
}

// run computes y.
func (t *tileTask) run(w *Workers) {
	in, out := t.channels()
	t.plane = ((t.most+2)*t.wide + tilePixels + 2) * channelBlock
	w.exclusive(func(shared *workspace) {
		t.u = shared.float32s(uSlot, t.outs*2*t.chunks*tileFilters)
		t.v = shared.float32s(vSlot, t.chunks*t.plane)
		if in%tileChannels != 0 { // half of the last chunk
			clear(t.u)
			clear(t.v)
		}
		blocks := in / channelBlock
		w.runLocked(blocks*out/channelBlock, func(part int, s *workspace) {
			t.packFilters(s, part%blocks*channelBlock, part/blocks*channelBlock)
		})
		for t.top = 0; t.top < t.height; t.top += t.most {
			rows := min(t.most, t.height-t.top)
			packed := (rows + 2 + packedRows - 1) / packedRows
			w.runLocked(packed*in/channelBlock, func(part int, s *workspace) {
				first := part % packed * packedRows
				t.packPixels(s, part/packed*channelBlock, first, min(packedRows, rows+2-first))
			})
			groups := (rows + t.group - 1) / t.group
			w.runLocked(groups*t.outs, func(part int, s *workspace) {
				first := part / t.outs * t.group
				t.convolve(s, part%t.outs*tileOuts, first, min(rows, first+t.group))
			})
		}
	})
}

// evenRows is the greatest even number of rows up to n, but at least 2 and at most what
// height needs.
func evenRows(n, height int) int { return max(2, min(n, height+1)&^1) }

// packFilters packs the filters of 16 input by 16 output channels.
func (t *tileTask) packFilters(s *workspace, in, out int) {
	filters, turned := t.filters(s, in, out)
	u := t.u[(out/channelBlock*t.chunks+in/tileChannels)*tileFilters:]
	t.kernels.packFilters(u[in%tileChannels/2*channelBlock:], filters, turned)
}

// packPixels packs rows of 16 channels of V, from row first on.
func (t *tileTask) packPixels(s *workspace, channel, first, rows int) {
	pixels, pooled := s.float32s(rowsSlot, packedRows*segmentRow), s.float32s(pooledSlot, segmentRow)
	for x := 0; x < t.wide; x += segmentPixels {
		columns := min(segmentPixels, t.wide-x)
		t.source.rows(t.isa, pixels, pooled, channel, t.top+first-1, x-1, rows, columns)
		for i := range rows {
			at := channel/tileChannels*t.plane + ((first+i)*t.wide+x)*channelBlock + channel%tileChannels/2
			t.kernels.packPixels(t.v[at:], pixels[i*segmentRow+segmentLead:], columns)
		}
	}
}

// convolve computes 32 output channels of the rows from first to end, counted from
// the first of V.
func (t *tileTask) convolve(s *workspace, out, first, end int) {
	n := ((end-first)*t.wide + tilePixels - 1) / tilePixels * tilePixels
	m := s.float32s(mSlot, n*tileOuts)
	var biases [tileOuts]float32
	if t.biases != nil {
		copy(biases[:], t.biases[out:])
	}
	rectify := 0
	if t.rectify {
		rectify = 1
	}
	row := t.wide * channelBlock
	u := t.u[out/channelBlock*t.chunks*tileFilters:]
	t.kernels.convolve(m, t.v[first*row:], u, biases[:], n, row, t.plane, t.chunks, rectify)
	_, outs := t.channels()
	for o := out; o < min(outs, out+tileOuts); o += channelBlock {
		pixels := m[(o-out)*n:]
		for r := first; r < end; r += 2 {
			t.write(pixels[(r-first)*row:], row, o, t.top+r, 0, min(2, end-r), t.width)
		}
	}
}
