package neon

import (
	"math"
	"slices"

	"impasto/internal/cpu/_generate/arm64"
)

// form is what the kernels need to know of F(tile×tile, 3×3). The matrices are in
// winograd.go of package kernels.
type form struct {
	tile int
	// pointPairs are the rows of G for interpolation points p and −p: the factors of
	// g0, ±g1 and g2.
	pointPairs [][3]float64
	// transform returns Bᵀ times vectors, which it changes. invert returns Aᵀ times
	// vectors.
	transform, invert                   func(k constants, d []arm64.V) []arm64.V
	transformConstants, invertConstants []float64
}

func (w form) inputs() int { return w.tile + 2 }

// filterConstants are the factors of G as filterPair takes them.
func (w form) filterConstants() []float64 {
	var values []float64
	for _, c := range w.pointPairs {
		for _, v := range []float64{c[0], c[1], math.Abs(c[2])} {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	return values
}

// forms are the two that package kernels uses, by growing tile.
var forms = []form{
	{
		tile:               4,
		pointPairs:         [][3]float64{{1. / 6, math.Sqrt2 / 6, 1. / 3}, {-2. / 3, -math.Sqrt2 / 3, -1. / 3}},
		transform:          transform4,
		transformConstants: []float64{2.5, 2, 0.5, math.Sqrt2, math.Sqrt2 / 2},
		invert:             invert4,
		invertConstants:    []float64{math.Sqrt2, math.Sqrt2 / 2, 2 * math.Sqrt2, math.Sqrt2 / 4, 2, 0.5},
	},
	{
		tile:               6,
		pointPairs:         [][3]float64{{-2. / 9, -2. / 9, -2. / 9}, {1. / 90, 1. / 45, 2. / 45}, {32. / 45, 16. / 45, 8. / 45}},
		transform:          transform6,
		transformConstants: []float64{5.25, 4.25, 1.25, 0.25, 5, 4, 2, 0.5},
		invert:             invert6,
		invertConstants:    []float64{2, 4, 8, 16, 32, 1. / 2, 1. / 4, 1. / 8, 1. / 16, 1. / 32},
	},
}

// plusMinus returns a + p·b and a − p·b, the latter in place of a.
func (k constants) plusMinus(a arm64.V, p float64, b arm64.V) (plus, minus arm64.V) {
	plus = k.copy(a)
	k.addMultiple(plus, p, b)
	k.addMultiple(a, -p, b)
	return plus, a
}

// transform4 is Bᵀ of F(4×4, 3×3): 12 operations.
func transform4(k constants, d []arm64.V) []arm64.V {
	k.addMultiple(d[0], 1, d[4])
	k.addMultiple(d[0], -2.5, d[2])
	k.addMultiple(d[5], 1, d[1])
	k.addMultiple(d[5], -2.5, d[3])
	wideEven, wideOdd := k.copy(d[4]), k.copy(d[3])
	k.addMultiple(wideEven, -2, d[2])
	k.addMultiple(wideOdd, -2, d[1])
	even, odd := d[4], d[3]
	k.addMultiple(even, -0.5, d[2])
	k.addMultiple(odd, -0.5, d[1])
	v1, v2 := k.plusMinus(even, math.Sqrt2, odd)
	v3, v4 := k.plusMinus(wideEven, math.Sqrt2/2, wideOdd)
	return []arm64.V{d[0], v1, v2, v3, v4, d[5]}
}

// transform6 is Bᵀ of F(6×6, 3×3): 24 operations.
func transform6(k constants, d []arm64.V) []arm64.V {
	k.addMultiple(d[0], -1, d[6])
	k.addMultiple(d[0], 5.25, d[4])
	k.addMultiple(d[0], -5.25, d[2])
	k.addMultiple(d[7], -1, d[1])
	k.addMultiple(d[7], 5.25, d[3])
	k.addMultiple(d[7], -5.25, d[5])
	part := func(top, middle, bottom arm64.V, s, t float64) arm64.V {
		k.addMultiple(top, -s, middle)
		k.addMultiple(top, t, bottom)
		return top
	}
	even, odd := part(k.copy(d[6]), d[4], d[2], 4.25, 1), part(k.copy(d[5]), d[3], d[1], 4.25, 1)
	wideEven, wideOdd := part(k.copy(d[6]), d[4], d[2], 1.25, 0.25), part(k.copy(d[5]), d[3], d[1], 1.25, 0.25)
	nearEven, nearOdd := part(d[6], d[4], d[2], 5, 4), part(d[5], d[3], d[1], 5, 4)
	v1, v2 := k.plusMinus(even, 1, odd)
	v3, v4 := k.plusMinus(wideEven, 2, wideOdd)
	v5, v6 := k.plusMinus(nearEven, 0.5, nearOdd)
	return []arm64.V{d[0], v1, v2, v3, v4, v5, v6, d[7]}
}

// sumAndDifference returns a + b and a − b, the latter in place of a.
func (k constants) sumAndDifference(a, b arm64.V) (sum, difference arm64.V) {
	sum = k.Vector()
	k.FADD(arm64.S4, sum, a, b)
	k.FSUB(arm64.S4, a, a, b)
	return sum, a
}

// invert4 is Aᵀ of F(4×4, 3×3): 12 operations.
func invert4(k constants, m []arm64.V) []arm64.V {
	sum, difference := k.sumAndDifference(m[1], m[2])
	wideSum, wideDifference := k.sumAndDifference(m[3], m[4])
	k.addMultiple(m[0], 1, sum)
	k.addMultiple(m[0], 1, wideSum)
	y1 := k.Vector()
	k.times(y1, math.Sqrt2, difference)
	k.addMultiple(y1, math.Sqrt2/2, wideDifference)
	k.addMultiple(m[5], 2*math.Sqrt2, difference)
	k.addMultiple(m[5], math.Sqrt2/4, wideDifference)
	k.times(sum, 2, sum)
	k.addMultiple(sum, 0.5, wideSum)
	return []arm64.V{m[0], y1, sum, m[5]}
}

// invert6 is Aᵀ of F(6×6, 3×3): 20 operations.
func invert6(k constants, m []arm64.V) []arm64.V {
	sum, difference := k.sumAndDifference(m[1], m[2])
	wideSum, wideDifference := k.sumAndDifference(m[3], m[4])
	nearSum, nearDifference := k.sumAndDifference(m[5], m[6])
	row := func(to, wide arm64.V, factor float64, near arm64.V) arm64.V {
		k.addMultiple(to, factor, wide)
		k.addMultiple(to, 1/factor, near)
		return to
	}
	k.addMultiple(m[0], 1, sum)
	k.addMultiple(m[7], 1, difference)
	return []arm64.V{
		row(m[0], wideSum, 1, nearSum),
		row(k.copy(difference), wideDifference, 2, nearDifference),
		row(k.copy(sum), wideSum, 4, nearSum),
		row(difference, wideDifference, 8, nearDifference),
		row(sum, wideSum, 16, nearSum),
		row(m[7], wideDifference, 32, nearDifference),
	}
}
