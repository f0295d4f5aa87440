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
//			y[r*yPlane+j] = sum // or 0 where rectify is 1 and sum isn't positive
//		}
//	}
//
// Assembly reads whole vectors of x, though it doesn't use the surplus.
// channels is at least 1, last from 1 to lanes.
type directKernel func(y []float32, yPlane int, x []float32, xRow, xPlane int, filters []float32, channels int, biases []float32, last, rectify int)

// directGo is directKernel in Go, in blocks of 4×4 sums that the compiler
// keeps in registers.
func directGo(vectors int) directKernel {
	return func(y []float32, yPlane int, x []float32, xRow, xPlane int, filters []float32, channels int, biases []float32, last, rectify int) {
		for v := range vectors {
			n := 4
			if v == vectors-1 {
				n = last
			}
			var sums [4][4]float32
			for r := range sums {
				to := y[r*yPlane+4*v:]
				for j := range n {
					if biases == nil {
						sums[r][j] = to[j]
					} else {
						sums[r][j] = biases[r]
					}
				}
			}
			for c := range channels {
				for ky := range 3 {
					directBlock(&sums, x[c*xPlane+ky*xRow+4*v:], filters[(c*9+ky*3)*panelRows:])
				}
			}
			for r := range sums {
				to := y[r*yPlane+4*v:]
				for j := range n {
					sum := sums[r][j]
					if rectify != 0 && sum < 0 {
						sum = 0
					}
					to[j] = sum
				}
			}
		}
	}
}

// directBlock adds the products of three neighbouring weights of 4 filters and
// 4 pixels.
func directBlock(sums *[4][4]float32, x, filters []float32) {
	s00, s01, s02, s03 := sums[0][0], sums[0][1], sums[0][2], sums[0][3]
	s10, s11, s12, s13 := sums[1][0], sums[1][1], sums[1][2], sums[1][3]
	s20, s21, s22, s23 := sums[2][0], sums[2][1], sums[2][2], sums[2][3]
	s30, s31, s32, s33 := sums[3][0], sums[3][1], sums[3][2], sums[3][3]
	x = x[:6:6]
	for k := range 3 {
		l := filters[k*panelRows : k*panelRows+4 : k*panelRows+4]
		r := x[k : k+4 : k+4]
		r0, r1, r2, r3 := r[0], r[1], r[2], r[3]
		v := l[0]
		s00 += v * r0
		s01 += v * r1
		s02 += v * r2
		s03 += v * r3
		v = l[1]
		s10 += v * r0
		s11 += v * r1
		s12 += v * r2
		s13 += v * r3
		v = l[2]
		s20 += v * r0
		s21 += v * r1
		s22 += v * r2
		s23 += v * r3
		v = l[3]
		s30 += v * r0
		s31 += v * r1
		s32 += v * r2
		s33 += v * r3
	}
	*sums = [4][4]float32{{s00, s01, s02, s03}, {s10, s11, s12, s13}, {s20, s21, s22, s23}, {s30, s31, s32, s33}}
}

// The blocking of direct convolution: a part computes directRows × directColumns
// pixels of some output channels. It copies the input they see, padded, in
// chunks of as many channels as fit into bandSize values, half of a
// second-level cache of 512 KiB.
const (
	directRows    = 8
	directColumns = 6 * tileVectors * maxLanes
	bandSize      = 1 << 16
	// directParts is how many parts there should be at least, if need be by
	// splitting the output channels.
	directParts = 32
)

// panelled are filters for the direct kernels: ⌈rows/panelRows⌉ panels of
// depth×9×panelRows values, the last filled up with zeros.
type panelled struct {
	rows, depth int
	filters     []float32
	biases      []float32 // filled up likewise
}

// newPanelled lays out rows filters of depth channels, whose weight at tap k
// (0 … 8) the function weight gives.
func newPanelled(rows, depth int, weight func(row, channel, tap int) float32) *panelled {
	p := &panelled{rows, depth, make([]float32, panels(rows)*panelRows*depth*9), make([]float32, panels(rows)*panelRows)}
	for r := range rows {
		panel := p.filters[r/panelRows*panelRows*depth*9:]
		for c := range depth {
			for k := range 9 {
				panel[(c*9+k)*panelRows+r%panelRows] = weight(r, c, k)
			}
		}
	}
	return p
}

// directTask is one direct convolution.
type directTask struct {
	*panelled
	path          *path
	source        source
	origin        int // row and column of the source where y begins
	y             Map
	height, width int // of y
	rectify       bool
}

func (t directTask) run(w *Workers) {
	w.exclusive(func(*scratch) { t.runLocked(w) })
}

// runLocked computes y in parts.
func (t directTask) runLocked(w *Workers) {
	downs := (t.height + directRows - 1) / directRows
	acrosses := (t.width + directColumns - 1) / directColumns
	groups := min(panels(t.rows), max(1, directParts/(downs*acrosses)))
	w.runLocked(downs*acrosses*groups, func(part int, s *scratch) {
		group, band := part%groups, part/groups
		top, left := band/acrosses*directRows, band%acrosses*directColumns
		first, end := panels(t.rows)*group/groups, panels(t.rows)*(group+1)/groups
		t.band(s, top, left, first, end)
	})
}

// band computes the pixels of a band for the panels from first to end.
func (t directTask) band(s *scratch, top, left, first, end int) {
	rows, columns := min(directRows, t.height-top), min(directColumns, t.width-left)
	stride := columns + 2
	plane := (rows + 2) * stride
	chunk := max(1, min(t.depth, bandSize/plane))
	padded := s.float32s(0, chunk*plane+tileVectors*maxLanes)
	edge := s.float32s(1, panelRows*tileVectors*maxLanes)
	results := t.results(s, top, left, rows, columns, end-first, chunk < t.depth)
	for c := 0; c < t.depth; c += chunk {
		channels := min(chunk, t.depth-c)
		for i := range channels {
			t.source.copy(t.path, padded[i*plane:(i+1)*plane], c+i, t.origin+top-1, t.origin+left-1, rows+2, stride)
		}
		rectify := 0
		if t.rectify && c+channels == t.depth {
			rectify = 1
		}
		for panel := first; panel < end; panel++ {
			filters := t.filters[(panel*t.depth+c)*9*panelRows:]
			kernels, step := t.path.direct, t.path.rows
			if t.rows-panel*panelRows <= narrowRows {
				kernels, step = t.path.narrow, narrowRows
			}
			results.begin(panel, first)
			for r := panel * panelRows; r < min(t.rows, (panel+1)*panelRows); r += step {
				var biases []float32
				if c == 0 {
					biases = t.biases[r:]
				}
				for row := range rows {
					y := results.values[results.at(r, row):]
					t.line(kernels, edge, y, results.area, padded[row*stride:], stride, plane, filters[r%panelRows:], channels, biases, columns, min(step, t.rows-r), step, rectify)
				}
			}
			if t.y.Half != nil && c+channels == t.depth {
				t.round(results, panel, top, left, rows, columns)
			}
		}
	}
}

// bandResults is where the results of a band are computed: in y itself, or, where
// that is of Half, in scratch memory for one panel, or for all where they are made
// in several goes.
type bandResults struct {
	values               []float32
	area, stride, origin int // value (r, row, 0) is at r*area + row*stride + origin
	apart, whole         bool
}

func (t directTask) results(s *scratch, top, left, rows, columns, panels int, whole bool) bandResults {
	if t.y.Half == nil {
		return bandResults{values: t.y.Single, area: t.height * t.width, stride: t.width, origin: top*t.width + left}
	}
	if !whole {
		panels = 1
	}
	return bandResults{values: s.float32s(2, panels*panelRows*rows*columns), area: rows * columns, stride: columns, apart: true, whole: whole}
}

// begin takes the next panel, of those from first on.
func (b *bandResults) begin(panel, first int) {
	if !b.whole {
		first = panel
	}
	if b.apart {
		b.origin = -first * panelRows * b.area
	}
}

func (b bandResults) at(r, row int) int { return r*b.area + row*b.stride + b.origin }

// round writes a panel of a band to y.
func (t directTask) round(from bandResults, panel, top, left, rows, columns int) {
	for r := panel * panelRows; r < min(t.rows, (panel+1)*panelRows); r++ {
		for row := range rows {
			t.path.half.narrow(t.y.Half[(r*t.height+top+row)*t.width+left:], from.values[from.at(r, row):][:columns])
		}
	}
}

// line computes columns pixels of one row for a tile's worth of channels, of
// which exist of step do. Channels of y are area values apart.
func (t directTask) line(kernels [tileVectors]directKernel, edge, y []float32, area int, x []float32, stride, plane int, filters []float32, channels int, biases []float32, columns, exist, step, rectify int) {
	lanes := t.path.lanes
	for j := 0; j < columns; j += tileVectors * lanes {
		width, vectors, last := tileSplit(columns-j, lanes)
		kernel := kernels[vectors-1]
		if exist == step {
			kernel(y[j:], area, x[j:], stride, plane, filters, channels, biases, last, rectify)
			continue
		}
		n := width - lanes + last
		for i := range exist {
			copy(edge[i*width:i*width+n], y[i*area+j:])
		}
		kernel(edge, width, x[j:], stride, plane, filters, channels, biases, last, rectify)
		for i := range exist {
			copy(y[i*area+j:i*area+j+n], edge[i*width:])
		}
	}
}
