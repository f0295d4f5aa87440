package kernels

// Smoothing is what optim.Smoothing is: a matrix M that adds to planes what coarser grids
// see of them.
type Smoothing struct {
	Width, Height int // of each plane
	Levels        int // of coarser grids at most
	Gain          float32
}

// smoothedRows is how many rows a part works on.
const smoothedRows = 16

func (s Smoothing) none() bool { return s.Levels == 0 || s.Gain == 0 || min(s.Width, s.Height) < 4 }

// coarser is the smoothing on a grid of half of the width and height.
func (s Smoothing) coarser() Smoothing {
	return Smoothing{(s.Width + 1) / 2, (s.Height + 1) / 2, s.Levels - 1, s.Gain}
}

// Smooth computes x = M·x. The room has at least half as many values as x, which are lost.
func Smooth(w *Workers, x, room []float32, s Smoothing) {
	if s.none() {
		return
	}
	coarser := s.coarser()
	n := len(x) / (s.Width * s.Height) * coarser.Width * coarser.Height
	coarse := room[:n]
	restrict(w, coarse, Single(x), s)
	Smooth(w, coarse, room[n:], coarser)
	prolong(w, x, coarse, s)
}

// SmoothedSquare returns xᵀMx for n values, sums in float64. Of the room as much is lost as
// by Smooth.
func SmoothedSquare(w *Workers, x Map, n int, room []float32, s Smoothing) float64 {
	square := DotHalf(w, x, x, n)
	if s.none() {
		return square
	}
	coarser := s.coarser()
	n = n / (s.Width * s.Height) * coarser.Width * coarser.Height
	restrict(w, room[:n], x, s)
	return square + float64(s.Gain)*SmoothedSquare(w, Single(room[:n]), n, room[n:], coarser)
}

// between returns the two places of the coarser grid that element i of the finer one lies
// between, of which the first counts by the first weight.
func between(i, coarse int) (a, b int, first float32) {
	if i%2 == 0 {
		return max(i/2-1, 0), i / 2, 0.25
	}
	return i / 2, min(i/2+1, coarse-1), 0.75
}

// share is how much element i of the finer grid counts at place at of the coarser one.
func share(i, at, coarse int) (weight float32) {
	a, b, first := between(i, coarse)
	if a == at {
		weight += first
	}
	if b == at {
		weight += 1 - first
	}
	return weight
}

// restrict computes coarse = Uᵀx, U being bilinear interpolation.
func restrict(w *Workers, coarse []float32, x Map, s Smoothing) {
	c := s.coarser()
	rows := len(coarse) / c.Width
	w.run((rows+smoothedRows-1)/smoothedRows, func(part int, room *workspace) {
		sum := room.float32s(stripSlot, s.Width)
		wide := room.float32s(stripSlot+1, s.Width)
		for row := part * smoothedRows; row < min(rows, (part+1)*smoothedRows); row++ {
			plane, at := row/c.Height, row%c.Height
			clear(sum)
			for i := max(2*at-1, 0); i < min(2*at+3, s.Height); i++ {
				line := x.line(&w.isa.half, wide, (plane*s.Height+i)*s.Width, s.Width)
				w.isa.vector.axpy(sum, line, share(i, at, c.Height))
			}
			restrictRow(coarse[row*c.Width:][:c.Width], sum)
		}
	})
}

// restrictRow is restrict along a row.
func restrictRow(to, x []float32) {
	last := len(to) - 1
	for at := 1; at < last; at++ {
		v := x[2*at-1:][:4]
		to[at] = 0.75*(v[1]+v[2]) + 0.25*(v[0]+v[3])
	}
	for _, at := range []int{0, last} {
		to[at] = 0
		for i := max(2*at-1, 0); i < min(2*at+3, len(x)); i++ {
			to[at] += share(i, at, len(to)) * x[i]
		}
	}
}

// prolong computes x = x + Gain·U·coarse.
func prolong(w *Workers, x, coarse []float32, s Smoothing) {
	c := s.coarser()
	rows := len(x) / s.Width
	w.run((rows+smoothedRows-1)/smoothedRows, func(part int, room *workspace) {
		sum := room.float32s(stripSlot, c.Width)
		for row := part * smoothedRows; row < min(rows, (part+1)*smoothedRows); row++ {
			plane, i := row/s.Height, row%s.Height
			top, bottom, upper := between(i, c.Height)
			clear(sum)
			w.isa.vector.axpy(sum, coarse[(plane*c.Height+top)*c.Width:][:c.Width], s.Gain*upper)
			w.isa.vector.axpy(sum, coarse[(plane*c.Height+bottom)*c.Width:][:c.Width], s.Gain*(1-upper))
			prolongRow(x[row*s.Width:][:s.Width], sum)
		}
	})
}

// prolongRow is prolong along a row.
func prolongRow(x, coarse []float32) {
	last := len(coarse) - 1
	for at, v := range coarse {
		x[2*at] += 0.25*coarse[max(at-1, 0)] + 0.75*v
		if i := 2*at + 1; i < len(x) {
			x[i] += 0.75*v + 0.25*coarse[min(at+1, last)]
		}
	}
}
