package kernels

import "impasto/internal/pure"

// smoothedRows is how many rows a part works on.
const smoothedRows = 16

// Smooth computes x = M·x. The room has at least half as many values as x, which are lost.
func Smooth(w *Workers, x, room []float32, s pure.Smoothing) {
	if s.None() {
		return
	}
	coarser := s.Coarser()
	n := s.Planes(len(x)) * coarser.Width * coarser.Height
	coarse := room[:n]
	restrict(w, coarse, Single(x), s)
	Smooth(w, coarse, room[n:], coarser)
	prolong(w, x, coarse, s)
}

// SmoothedSquare returns xᵀMx for n values, sums in float64. Of the room as much is lost as
// by Smooth.
func SmoothedSquare(w *Workers, x Map, n int, room []float32, s pure.Smoothing) float64 {
	square := DotHalf(w, x, x, n)
	if s.None() {
		return square
	}
	coarser := s.Coarser()
	n = s.Planes(n) * coarser.Width * coarser.Height
	restrict(w, room[:n], x, s)
	return square + float64(float32(s.Gain))*SmoothedSquare(w, Single(room[:n]), n, room[n:], coarser)
}

// share is how much element i of the finer grid counts at place at of the coarser one.
func share(i, at, coarse int) (weight float32) {
	a, b, first := pure.Between(i, coarse)
	if a == at {
		weight += first
	}
	if b == at {
		weight += 1 - first
	}
	return weight
}

// restrict computes coarse = Uᵀx, U being bilinear interpolation.
func restrict(w *Workers, coarse []float32, x Map, s pure.Smoothing) {
	c := s.Coarser()
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
func prolong(w *Workers, x, coarse []float32, s pure.Smoothing) {
	c := s.Coarser()
	rows := len(x) / s.Width
	w.run((rows+smoothedRows-1)/smoothedRows, func(part int, room *workspace) {
		sum := room.float32s(stripSlot, c.Width)
		for row := part * smoothedRows; row < min(rows, (part+1)*smoothedRows); row++ {
			plane, i := row/s.Height, row%s.Height
			top, bottom, upper := pure.Between(i, c.Height)
			clear(sum)
			w.isa.vector.axpy(sum, coarse[(plane*c.Height+top)*c.Width:][:c.Width], float32(s.Gain)*upper)
			w.isa.vector.axpy(sum, coarse[(plane*c.Height+bottom)*c.Width:][:c.Width], float32(s.Gain)*(1-upper))
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
