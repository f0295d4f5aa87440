package flow

import "impasto/internal/flow/kernels"

// refinement is the memory to refine a flow at one level.
type refinement struct {
	size
	halfSteps int // of relaxations, in a round
	// flow are two copies of the flow. Pixels are relaxed in turn like the fields of a chess
	// board: those whose x + y is even in the first copy by their neighbours in the second,
	// then the others in the second copy. What the copies have in between means nothing.
	flow [2]vectors
	// right and down are the weights of smoothness between a pixel and those beside it and
	// below.
	right, down sheet
	// counts is 1 where the second picture has what a pixel shows, else 0.
	counts sheet
	// coefficients and equations are those of kernels.Set, row by row.
	coefficients, equations []float32
}

func newRefinement(s size, relaxations int) *refinement {
	n := blocksOf(s.width) * kernels.Block * s.height
	sheets := newSheets(7, s.width, s.height)
	return &refinement{
		size: s, halfSteps: 2 * relaxations, flow: [2]vectors{{sheets[0], sheets[1]}, {sheets[2], sheets[3]}},
		right: sheets[4], down: sheets[5], counts: sheets[6],
		coefficients: make([]float32, n*kernels.Coefficients), equations: make([]float32, n*kernels.Equations),
	}
}

// Before the first round of a refinement, some of its memory is free for other things: for
// densify's weights, the mean and the difference of the pictures, and the mean's derivatives.
func (r *refinement) weights() sheet                     { return r.down }
func (r *refinement) pictures() (mean, difference sheet) { return r.flow[1].u, r.flow[1].v }
func (r *refinement) derivatives() (across, down sheet)  { return r.right, r.down }

// coefficientsOf are the coefficients of a row from that of a kind on: see below.
func (r *refinement) coefficientsOf(y, kind int) []float32 {
	return r.coefficients[y*blocksOf(r.width)*kernels.Block*kernels.Coefficients+kind*kernels.Block:]
}

func (r *refinement) equationsOf(y int) []float32 {
	return r.equations[y*blocksOf(r.width)*kernels.Block*kernels.Equations:]
}

// The kinds of coefficients: of the mean of both pictures the derivatives, and of their
// difference itself and the derivatives.
const (
	ofX = iota
	ofY
	ofZ
	ofXX
	ofXY
	ofYY
	ofXZ
	ofYZ
)

// refine minimises the energy about flow[0]: the penalties' weights are computed in each of
// so many rounds, and the linear equations that remain are relaxed so many times. The result
// is in flow[0], with the border that sheet.at needs.
func (e *Estimator) refine(r *refinement, first, second sheet) {
	if e.options.Rounds > 0 && r.halfSteps > 0 {
		e.differentiate(r, first, second)
		for range e.options.Rounds {
			e.round(r)
		}
	}
	r.flow[0].u.surround()
	r.flow[0].v.surround()
}

// differentiate makes the coefficients at flow[0].
func (e *Estimator) differentiate(r *refinement, first, second sheet) {
	mean, difference := r.pictures()
	across, down := r.derivatives()
	const step = kernels.Coefficients * kernels.Block
	for _, f := range []func(y int){
		func(y int) {
			r.warpRow(first, second, y)
			mean.extend(y)
			difference.extend(y)
		},
		func(y int) {
			e.across(across.from(0, y), kernels.Block, mean, y)
			across.extend(y)
			e.down(down.from(0, y), kernels.Block, mean, y)
			e.across(r.coefficientsOf(y, ofX), step, mean, y)
			e.down(r.coefficientsOf(y, ofY), step, mean, y)
			e.across(r.coefficientsOf(y, ofXZ), step, difference, y)
			e.down(r.coefficientsOf(y, ofYZ), step, difference, y)
		},
		func(y int) {
			e.across(r.coefficientsOf(y, ofXX), step, across, y)
			e.down(r.coefficientsOf(y, ofXY), step, across, y)
			e.down(r.coefficientsOf(y, ofYY), step, down, y)
			e.set.Anchor(r.coefficientsOf(y, 0), difference.from(0, y), r.flow[0].u.from(0, y), r.flow[0].v.from(0, y), r.counts.from(0, y), blocksOf(r.width))
			r.flow[0].closeRow(y)
			r.flow[1].copyRow(&r.flow[0], y)
		},
	} {
		e.inRows(r.height, f)
	}
}

// warpRow takes a row of the second picture back along flow[0], and makes of it and the
// first picture their mean, their difference, and which pixels count.
func (r *refinement) warpRow(first, second sheet, y int) {
	mean, difference := r.pictures()
	us, vs, own := r.flow[0].u.row(y), r.flow[0].v.row(y), first.row(y)
	means, differences, counts := mean.row(y), difference.row(y), r.counts.row(y)
	right, bottom := float32(r.width-1), float32(r.height-1)
	for x, a := range own {
		toX, toY := float32(x)+us[x], float32(y)+vs[x]
		counts[x] = 1
		if !(toX >= 0 && toY >= 0 && toX <= right && toY <= bottom) {
			toX, toY, counts[x] = min(max(toX, 0), right), min(max(toY, 0), bottom), 0
		}
		left, top := int(toX), int(toY)
		there := interpolate(second.from(left, top), second.stride, toX-float32(left), toY-float32(top))
		means[x], differences[x] = (a+there)/2, there-a
	}
}

// round makes the equations at the flow as it is, and relaxes them.
//
// One half-step of a relaxation after the other would fetch all rows from memory as often.
// So each row goes through all half-steps as soon as its neighbours allow: half-step k of a
// row needs half-step k−1 of the rows above and below. Bands of rows are worked on at the
// same time, which begin and end by one row later and earlier with every half-step; the
// seams between them follow. The results are those of one half-step after the other.
func (e *Estimator) round(r *refinement) {
	bands := bandsOf(r.height, max(leastBand, 2*r.halfSteps))
	e.inStripes(len(bands), func(i int) { e.connect(r, bands[i]) })
	e.inStripes(len(bands), func(i int) {
		b := bands[i]
		e.relax(r, b.first, b.end+r.halfSteps, func(k int) band {
			rows := b
			if b.first > 0 {
				rows.first += k
			}
			if b.end < r.height {
				rows.end -= k
			}
			return rows
		}, b)
	})
	e.inStripes(len(bands)-1, func(i int) {
		seam := bands[i].end
		e.relax(r, seam, seam+2*r.halfSteps, func(k int) band { return band{seam - k, seam + k} }, band{})
	})
}

// connect computes the weights of smoothness from each pixel of rows to its neighbours.
func (e *Estimator) connect(r *refinement, rows band) {
	blocks, flow := blocksOf(r.width), r.flow[0]
	smooth, below := make([]float32, flow.u.stride), make([]float32, flow.u.stride)
	weigh := func(to []float32, y int) {
		e.set.Smoothness(to, flow.u.from(0, y), flow.v.from(0, y), flow.u.clamped(y+1), flow.v.clamped(y+1), blocks)
	}
	weigh(smooth, rows.first)
	for y := rows.first; y < rows.end; y++ {
		right, down := r.right.from(0, y), r.down.from(0, y)
		if y+1 < r.height {
			weigh(below, y+1)
			e.set.Edges(right, down, smooth, below, blocks)
		} else {
			e.set.Edges(right, down, smooth, smooth, blocks)
			clear(down[:blocks*kernels.Block])
		}
		// Nothing lies beyond the first pixel and the last.
		r.right.from(-1, y)[0] = 0
		clear(right[r.width-1 : blocks*kernels.Block])
		smooth, below = below, smooth
	}
}

// relax goes through half-steps k of the rows that rows(k) says, as a wave from row first to
// before end, half-step k by k rows behind. Before the first half-step it makes equations,
// of rows in fresh.
func (e *Estimator) relax(r *refinement, first, end int, rows func(k int) band, fresh band) {
	for front := first; front < end; front++ {
		if front >= fresh.first && front < fresh.end {
			e.weighRow(r, front)
		}
		for k := range r.halfSteps {
			y, of := front-k, rows(k)
			if y < of.first || y >= of.end {
				continue
			}
			e.relaxRow(r, y, k)
			if k == r.halfSteps-1 {
				e.mergeRow(r, y)
			}
		}
	}
}

// above are the weights of the edges to the row above.
func (e *Estimator) above(r *refinement, y int) []float32 {
	if y == 0 {
		return e.zeros
	}
	return r.down.from(0, y-1)
}

// weighRow makes the equations of a row. Their flow is flow[0], where nothing has been
// relaxed yet.
func (e *Estimator) weighRow(r *refinement, y int) {
	e.set.Weigh(r.equationsOf(y), r.coefficientsOf(y, 0), r.flow[0].u.from(0, y), r.flow[0].v.from(0, y),
		r.right.from(-1, y), r.down.from(0, y), e.above(r, y), blocksOf(r.width))
}

// relaxRow makes half-step k of a row: of its even pixels if k is even, else of the others.
func (e *Estimator) relaxRow(r *refinement, y, k int) {
	own, other := &r.flow[k%2], &r.flow[1-k%2]
	e.set.Relax(r.equationsOf(y), r.right.from(-1, y), r.down.from(0, y), e.above(r, y), own.u.from(0, y), own.v.from(0, y),
		other.u.from(-1, y), other.u.clamped(y-1), other.u.clamped(y+1),
		other.v.from(-1, y), other.v.clamped(y-1), other.v.clamped(y+1), blocksOf(r.width))
}

// mergeRow takes the relaxed pixels of a row from both copies into both.
func (e *Estimator) mergeRow(r *refinement, y int) {
	a, b, blocks := &r.flow[0], &r.flow[1], blocksOf(r.width)
	even, odd := chess[y%2][:], chess[1-y%2][:]
	e.set.Merge(a.u.from(0, y), b.u.from(0, y), even, odd, blocks)
	e.set.Merge(a.v.from(0, y), b.v.from(0, y), even, odd, blocks)
	a.closeRow(y)
}

// chess has ones at even places, and at odd ones.
var chess = func() (rows [2][kernels.Block]float32) {
	for i := range kernels.Block {
		rows[i%2][i] = 1
	}
	return rows
}()
