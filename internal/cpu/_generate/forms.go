package main

import (
	"math"

	"github.com/mmcloughlin/avo/reg"
)

// form is what the kernels need to know of F(tile×tile, 3×3). The matrices are in
// winograd.go of package kernels.
type form struct {
	tile int
	// pointPairs are the rows of G for interpolation points p and −p: the factors of
	// g0, ±g1 and g2.
	pointPairs [][3]float64
	// transform replaces vectors by Bᵀ times them and returns them in order.
	transform func(w winograd, d []reg.VecVirtual) []reg.VecVirtual
	// invert returns Aᵀ times vectors. It changes them.
	invert func(w winograd, m []reg.VecVirtual) []reg.VecVirtual
}

func (f form) inputs() int { return f.tile + 2 }

// forms are the two that package kernels uses, by growing tile.
var forms = []form{
	{4, [][3]float64{{1. / 6, math.Sqrt2 / 6, 1. / 3}, {-2. / 3, -math.Sqrt2 / 3, -1. / 3}}, winograd.transform4, winograd.invert4},
	{6, [][3]float64{{-2. / 9, -2. / 9, -2. / 9}, {1. / 90, 1. / 45, 2. / 45}, {32. / 45, 16. / 45, 8. / 45}}, winograd.transform6, winograd.invert6},
}

// addMultiple computes sum += factor·x, or sum −= where the factor is negative.
func (w winograd) addMultiple(sum reg.VecVirtual, factor float64, x reg.VecVirtual) {
	switch {
	case factor == 1:
		w.VADDPS(x, sum, sum)
	case factor == -1:
		w.VSUBPS(x, sum, sum)
	case factor > 0:
		w.VFMADD231PS(w.memory(factor), x, sum)
	default:
		w.VFNMADD231PS(w.memory(-factor), x, sum)
	}
}

// plusMinus returns a + p·b and a − p·b, the latter in place of a.
func (w winograd) plusMinus(a reg.VecVirtual, p float64, b reg.VecVirtual) (plus, minus reg.VecVirtual) {
	plus = w.copy(a)
	w.addMultiple(plus, p, b)
	w.addMultiple(a, -p, b)
	return plus, a
}

// transform4 is Bᵀ of F(4×4, 3×3): 12 operations.
func (w winograd) transform4(d []reg.VecVirtual) []reg.VecVirtual {
	w.addMultiple(d[0], 1, d[4])
	w.addMultiple(d[0], -2.5, d[2])
	w.addMultiple(d[5], 1, d[1])
	w.addMultiple(d[5], -2.5, d[3])
	wideEven, wideOdd := w.copy(d[4]), w.copy(d[3])
	w.addMultiple(wideEven, -2, d[2])
	w.addMultiple(wideOdd, -2, d[1])
	even, odd := d[4], d[3]
	w.addMultiple(even, -0.5, d[2])
	w.addMultiple(odd, -0.5, d[1])
	v1, v2 := w.plusMinus(even, math.Sqrt2, odd)
	v3, v4 := w.plusMinus(wideEven, math.Sqrt2/2, wideOdd)
	return []reg.VecVirtual{d[0], v1, v2, v3, v4, d[5]}
}

// transform6 is Bᵀ of F(6×6, 3×3): 24 operations, with 12 registers at most.
func (w winograd) transform6(d []reg.VecVirtual) []reg.VecVirtual {
	w.addMultiple(d[0], -1, d[6])
	w.addMultiple(d[0], 5.25, d[4])
	w.addMultiple(d[0], -5.25, d[2])
	w.addMultiple(d[7], -1, d[1])
	w.addMultiple(d[7], 5.25, d[3])
	w.addMultiple(d[7], -5.25, d[5])
	part := func(top, middle, bottom reg.VecVirtual, s, t float64) reg.VecVirtual {
		w.addMultiple(top, -s, middle)
		w.addMultiple(top, t, bottom)
		return top
	}
	even, odd := part(w.copy(d[6]), d[4], d[2], 4.25, 1), part(w.copy(d[5]), d[3], d[1], 4.25, 1)
	wideEven, wideOdd := part(w.copy(d[6]), d[4], d[2], 1.25, 0.25), part(w.copy(d[5]), d[3], d[1], 1.25, 0.25)
	nearEven, nearOdd := part(d[6], d[4], d[2], 5, 4), part(d[5], d[3], d[1], 5, 4)
	v1, v2 := w.plusMinus(even, 1, odd)
	v3, v4 := w.plusMinus(wideEven, 2, wideOdd)
	v5, v6 := w.plusMinus(nearEven, 0.5, nearOdd)
	return []reg.VecVirtual{d[0], v1, v2, v3, v4, v5, v6, d[7]}
}

// sumAndDifference returns a + b and a − b, the latter in place of a.
func (w winograd) sumAndDifference(a, b reg.VecVirtual) (sum, difference reg.VecVirtual) {
	sum = w.register()
	w.VADDPS(b, a, sum)
	w.VSUBPS(b, a, a)
	return sum, a
}

// invert4 is Aᵀ of F(4×4, 3×3): 12 operations.
func (w winograd) invert4(m []reg.VecVirtual) []reg.VecVirtual {
	sum, difference := w.sumAndDifference(m[1], m[2])
	wideSum, wideDifference := w.sumAndDifference(m[3], m[4])
	w.addMultiple(m[0], 1, sum)
	w.addMultiple(m[0], 1, wideSum)
	y1 := w.register()
	w.VMULPS(w.memory(math.Sqrt2), difference, y1)
	w.addMultiple(y1, math.Sqrt2/2, wideDifference)
	w.addMultiple(m[5], 2*math.Sqrt2, difference)
	w.addMultiple(m[5], math.Sqrt2/4, wideDifference)
	w.VMULPS(w.memory(2), sum, sum)
	w.addMultiple(sum, 0.5, wideSum)
	return []reg.VecVirtual{m[0], y1, sum, m[5]}
}

// invert6 is Aᵀ of F(6×6, 3×3): 20 operations.
func (w winograd) invert6(m []reg.VecVirtual) []reg.VecVirtual {
	sum, difference := w.sumAndDifference(m[1], m[2])
	wideSum, wideDifference := w.sumAndDifference(m[3], m[4])
	nearSum, nearDifference := w.sumAndDifference(m[5], m[6])
	row := func(to, wide reg.VecVirtual, factor float64, near reg.VecVirtual) reg.VecVirtual {
		w.addMultiple(to, factor, wide)
		w.addMultiple(to, 1/factor, near)
		return to
	}
	w.addMultiple(m[0], 1, sum)
	w.addMultiple(m[7], 1, difference)
	return []reg.VecVirtual{
		row(m[0], wideSum, 1, nearSum),
		row(w.copy(difference), wideDifference, 2, nearDifference),
		row(w.copy(sum), wideSum, 4, nearSum),
		row(difference, wideDifference, 8, nearDifference),
		row(sum, wideSum, 16, nearSum),
		row(m[7], wideDifference, 32, nearDifference),
	}
}
