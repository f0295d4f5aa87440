package kernels

// directKernel computes a tile of a 3×3 convolution, rows output channels by
// (vectors-1)*lanes + last neighbouring pixels of one row:
//
//	for r := range rows {
//		for j := range (vectors-1)*lanes + last {
//			sum := biases[r] // or y[r*yPlane+j] where biases is nil
//			for c := range channels {
//				for ky := range 3 {
//					for kx := range 3 {
//						sum += filters[(c*9+ky*3+kx)*panelRows+r] * x[c*xPlane+ky*xRow+kx+j]
//					}
//				}
//			}
//			y[r*yPlane+j] = sum // or 0 where rectify is 1 and sum is negative
//		}
//	}
//
// Assembly reads whole vectors of x, also beyond the last pixel. channels is at
// least 1, last from 1 to lanes.
type directKernel func(y []float32, yPlane int, x []float32, xRow, xPlane int, filters []float32, channels int, biases []float32, last, rectify int)

// directGo is directKernel in Go, in squares of 4×4 sums.
func directGo(vectors int) directKernel {
	return func(y []float32, yPlane int, x []float32, xRow, xPlane int, filters []float32, channels int, biases []float32, last, rectify int) {
		for v := range vectors {
			n := 4
			if v == vectors-1 {
				n = last
			}
			var sums square[float32]
			for r := range sums {
				if biases == nil {
					sums[r] = firstOf(y[r*yPlane+4*v:], n)
				} else {
					sums[r] = four[float32]{biases[r], biases[r], biases[r], biases[r]}
				}
			}
			for c := range channels {
				for ky := range 3 { // three taps are a matrix product; the rows of x overlap
					sums.add(filters[(c*9+ky*3)*panelRows:], x[c*xPlane+ky*xRow+4*v:], 1, 3)
				}
			}
			for r, sum := range sums {
				if rectify != 0 {
					sum = sum.rectified()
				}
				sum.write(y[r*yPlane+4*v:], n)
			}
		}
	}
}

// The blocking of direct convolution. A part computes directRows × directColumns
// pixels of some output channels. It copies the input that they see, with its border,
// in chunks of as many channels as fit into bandSize values: half of a second-level
// cache of 512 KiB.
const (
	directRows    = 8
	directColumns = 6 * tileVectors * maxLanes
	bandSize      = 1 << 16
	// directParts is how many parts there should be at least. Where there are fewer
	// bands, the output channels are split.
	directParts = 32
)

// panelled are filters for the direct kernels: ⌈out/panelRows⌉ panels of
// in×9×panelRows values, the last filled up with zeros.
type panelled struct {
	out, in int
	filters []float32
	biases  []float32 // filled up likewise
}

// newPanelled lays out filters from in to out channels. The function weight gives
// their value at a tap, from 0 to 8.
func newPanelled(out, in int, weight func(out, in, tap int) float32) *panelled {
	p := &panelled{out, in, make([]float32, panels(out)*panelRows*in*9), make([]float32, panels(out)*panelRows)}
	for o := range out {
		panel := p.filters[o/panelRows*panelRows*in*9:]
		for i := range in {
			for tap := range 9 {
				panel[(i*9+tap)*panelRows+o%panelRows] = weight(o, i, tap)
			}
		}
	}
	return p
}

// directTask is one direct convolution.
type directTask struct {
	*panelled
	isa           *isa
	source        source
	origin        int // row and column of the source where y begins
	y             Map
	height, width int // of y
	rectify       bool
}

func (t directTask) run(w *Workers) {
	w.exclusive(func(*workspace) { t.runLocked(w) })
}

// runLocked computes y in parts.
func (t directTask) runLocked(w *Workers) {
	downs := (t.height + directRows - 1) / directRows
	acrosses := (t.width + directColumns - 1) / directColumns
	groups := min(panels(t.out), max(1, directParts/(downs*acrosses)))
	w.runLocked(downs*acrosses*groups, func(part int, s *workspace) {
		group, band := part%groups, part/groups
		b := directBand{directTask: t, top: band / acrosses * directRows, left: band % acrosses * directColumns}
		b.first, b.end = panels(t.out)*group/groups, panels(t.out)*(group+1)/groups
		b.run(s)
	})
}

// directBand is a part of a direct convolution: rows × columns pixels from (top, left)
// on, of the panels from first to end.
type directBand struct {
	directTask
	top, left     int
	first, end    int
	rows, columns int

	padded        []float32 // the input, in planes of rows that are stride values apart
	stride, plane int
	edge          []float32 // a register tile, for those that stick out of y
	results       bandResults
}

func (b *directBand) run(s *workspace) {
	b.rows, b.columns = min(directRows, b.height-b.top), min(directColumns, b.width-b.left)
	b.stride = b.columns + 2
	b.plane = (b.rows + 2) * b.stride
	chunk := max(1, min(b.in, bandSize/b.plane))
	b.padded = s.float32s(0, chunk*b.plane+tileVectors*maxLanes)
	b.edge = s.float32s(1, panelRows*tileVectors*maxLanes)
	b.results = b.newResults(s, chunk < b.in)
	for c := 0; c < b.in; c += chunk {
		channels := min(chunk, b.in-c)
		for i := range channels {
			b.source.copy(b.isa, b.padded[i*b.plane:(i+1)*b.plane], c+i, b.origin+b.top-1, b.origin+b.left-1, b.rows+2, b.stride)
		}
		for panel := b.first; panel < b.end; panel++ {
			b.results.begin(panel, b.first)
			b.add(panel, c, channels)
			if b.y.Half != nil && c+channels == b.in {
				b.round(panel)
			}
		}
	}
}

// add adds the contribution of channels c, c+1, …, which are in padded, to the results
// of a panel.
func (b *directBand) add(panel, c, channels int) {
	l := directLine{kernels: b.isa.direct, step: b.isa.rows, channels: channels}
	if b.out-panel*panelRows <= narrowRows {
		l.kernels, l.step = b.isa.narrow, narrowRows
	}
	if b.rectify && c+channels == b.in {
		l.rectify = 1
	}
	filters := b.filters[(panel*b.in+c)*9*panelRows:]
	for o := panel * panelRows; o < min(b.out, (panel+1)*panelRows); o += l.step {
		l.filters, l.exist = filters[o%panelRows:], min(l.step, b.out-o)
		if c == 0 {
			l.biases = b.biases[o:]
		}
		for row := range b.rows {
			b.line(l, b.results.values[b.results.at(o, row):], b.padded[row*b.stride:])
		}
	}
}

// directLine is what the kernels take for one row of pixels.
type directLine struct {
	kernels     [tileVectors]directKernel
	step, exist int // output channels of a register tile, and how many of them exist
	filters     []float32
	channels    int // input channels
	biases      []float32
	rectify     int
}

// line computes a row of pixels of y from the rows of x, for the channels of l.
func (b *directBand) line(l directLine, y, x []float32) {
	lanes, area := b.isa.lanes, b.results.area
	for j := 0; j < b.columns; j += tileVectors * lanes {
		width, vectors, last := tileSplit(b.columns-j, lanes)
		kernel := l.kernels[vectors-1]
		if l.exist == l.step {
			kernel(y[j:], area, x[j:], b.stride, b.plane, l.filters, l.channels, l.biases, last, l.rectify)
			continue
		}
		n := width - lanes + last
		copyRows(b.edge, width, y[j:], area, l.exist, n)
		kernel(b.edge, width, x[j:], b.stride, b.plane, l.filters, l.channels, l.biases, last, l.rectify)
		copyRows(y[j:], area, b.edge, width, l.exist, n)
	}
}

// bandResults is where the results of a band are computed: in y itself, or, where
// that is of Half, in a workspace. That has room for one panel, or for all of the
// band where its input comes in several chunks.
type bandResults struct {
	values               []float32
	area, stride, origin int // value (o, row, 0) is at o*area + row*stride + origin
	apart, whole         bool
}

// newResults returns the place of the band's results, for all its panels where whole
// is set.
func (b *directBand) newResults(s *workspace, whole bool) bandResults {
	if b.y.Half == nil {
		return bandResults{values: b.y.Single, area: b.height * b.width, stride: b.width, origin: b.top*b.width + b.left}
	}
	panels := 1
	if whole {
		panels = b.end - b.first
	}
	room := s.float32s(2, panels*panelRows*b.rows*b.columns)
	return bandResults{values: room, area: b.rows * b.columns, stride: b.columns, apart: true, whole: whole}
}

// begin takes the next panel, of those from first on.
func (r *bandResults) begin(panel, first int) {
	if !r.whole {
		first = panel
	}
	if r.apart {
		r.origin = -first * panelRows * r.area
	}
}

// at is the index of the first value in a row of output channel o.
func (r *bandResults) at(o, row int) int { return o*r.area + row*r.stride + r.origin }

// round writes the results of a panel to y.
func (b *directBand) round(panel int) {
	for o := panel * panelRows; o < min(b.out, (panel+1)*panelRows); o++ {
		for row := range b.rows {
			to := b.y.Half[(o*b.height+b.top+row)*b.width+b.left:]
			b.isa.half.narrow(to, b.results.values[b.results.at(o, row):][:b.columns])
		}
	}
}
