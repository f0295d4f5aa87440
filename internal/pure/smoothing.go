package pure

// Smoothing is a matrix M for vectors that are the planes of a picture, which adds to a
// vector what coarser grids see of it:
//
//	M = 1 + Gain·U(1 + Gain·U(…)Uᵀ)Uᵀ
//
// U is bilinear interpolation from half of the width and height. M is symmetric and positive
// definite. The zero value stands for M = 1.
type Smoothing struct {
	Width, Height int // of each plane
	Levels        int // of coarser grids at most; there are none with a side below coarsest
	Gain          float64
}

// coarsest is how many elements a side has at least on the finest of two grids.
const coarsest = 4

// None tells whether M is 1.
func (s Smoothing) None() bool {
	return s.Levels == 0 || s.Gain == 0 || min(s.Width, s.Height) < coarsest
}

// Coarser is the smoothing on the next coarser grid.
func (s Smoothing) Coarser() Smoothing {
	return Smoothing{Width: (s.Width + 1) / 2, Height: (s.Height + 1) / 2, Levels: s.Levels - 1, Gain: s.Gain}
}

// Planes is how many planes a vector of n elements has.
func (s Smoothing) Planes(n int) int { return n / (s.Width * s.Height) }

// Between returns the two places of the coarser grid that element i of a finer one lies
// between, of which the first counts by the first weight.
func Between(i, coarse int) (a, b int, first float32) {
	if i%2 == 0 {
		return max(i/2-1, 0), i / 2, 0.25
	}
	return i / 2, min(i/2+1, coarse-1), 0.75
}

// Smooth computes x = M·x for one plane.
func (s Smoothing) Smooth(x []float32) {
	if s.None() {
		return
	}
	coarser := s.Coarser()
	coarse := make([]float32, coarser.Width*coarser.Height)
	interpolate(x, coarse, s, func(x, coarse *float32, weight float32) { *coarse += weight * *x })
	coarser.Smooth(coarse)
	interpolate(x, coarse, s, func(x, coarse *float32, weight float32) { *x += float32(s.Gain) * weight * *coarse })
}

// interpolate calls do with each element of a plane, each of the coarser one that it lies
// between, and that one's weight.
func interpolate(x, coarse []float32, s Smoothing, do func(x, coarse *float32, weight float32)) {
	c := s.Coarser()
	for i := range s.Height {
		top, bottom, upper := Between(i, c.Height)
		for j := range s.Width {
			left, right, near := Between(j, c.Width)
			at := &x[i*s.Width+j]
			do(at, &coarse[top*c.Width+left], upper*near)
			do(at, &coarse[top*c.Width+right], upper*(1-near))
			do(at, &coarse[bottom*c.Width+left], (1-upper)*near)
			do(at, &coarse[bottom*c.Width+right], (1-upper)*(1-near))
		}
	}
}
