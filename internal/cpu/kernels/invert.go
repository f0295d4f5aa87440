package kernels

// SmallMatrix is how many rows and columns InvertSmall takes.
const SmallMatrix = 32

// sweepKernel is a step of Gauss–Jordan elimination on a SmallMatrix×SmallMatrix
// matrix with the pivot a[k*SmallMatrix+k], of which it takes the reciprocal. sweepGo
// is its definition.
type sweepKernel func(a []float64, k int, reciprocal float64)

// InvertSmall replaces a symmetric positive definite matrix of SmallMatrix rows and
// columns by its inverse, on the calling thread. It returns false if the matrix isn't
// positive definite. The inverse is symmetric except for rounding.
func (w *Workers) InvertSmall(a []float64) bool {
	a = a[:SmallMatrix*SmallMatrix]
	for k := range SmallMatrix {
		pivot := a[k*SmallMatrix+k]
		if !(pivot > 0) {
			return false
		}
		w.isa.sweep(a, k, 1/pivot)
	}
	return true
}

func sweepGo(a []float64, k int, reciprocal float64) {
	row := a[k*SmallMatrix:][:SmallMatrix]
	for j := range row {
		row[j] *= reciprocal
	}
	for i := range SmallMatrix {
		if i == k {
			continue
		}
		other := a[i*SmallMatrix:][:SmallMatrix]
		factor := other[k]
		for j, v := range row {
			other[j] -= factor * v
		}
		other[k] = -factor * reciprocal
	}
	row[k] = reciprocal
}
