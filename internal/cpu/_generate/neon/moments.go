package neon

import (
	"fmt"

	"impasto/internal/cpu/_generate/arm64"
)

// The block of second moments that the kernels compute.
const (
	momentRows    = 4
	momentColumns = 6
)

// Moments adds the kernels of second moments: dot products of 4 rows of pixels with 6
// others, 24 vectors of sums, 10 loads for 24 multiply-adds. In float64, values are
// widened as they are loaded, two of a row at a time.
func Moments(f *arm64.File) {
	moments(f, false)
	moments(f, true)
}

func moments(f *arm64.File, double bool) {
	bits := kernel{double: double}.element() * 8
	k := kernel{f.Function(fmt.Sprintf("moments%dNEON", bits), "func(c []float64, cRow int, a, b []float32, stride, n int)",
		fmt.Sprintf("is a momentKernel for %d rows by %d columns.", momentRows, momentColumns)), double}
	sums := k.tile(momentRows, momentColumns)
	k.clear(sums)
	k.Scope(func() {
		stride, n := k.Integer("stride"), k.Integer("n")
		k.ShiftLeft(stride, 2)
		left, right := k.rows(k.Base("a"), stride, momentRows), k.rows(k.Base("b"), stride, momentColumns)
		kept, passing := k.Vectors(momentRows), k.Vectors(2)
		k.Loop("loop", n, 4, func() {
			for value := 0; value < 4; value += k.lanes() {
				for i, r := range kept {
					k.loadSingles(at(left[i], 4*value), r)
				}
				for j := range right {
					p := passing[j%2]
					k.loadSingles(at(right[j], 4*value), p)
					for i, r := range kept {
						k.FMLA(k.arrangement(), sums[i][j], r, p)
					}
				}
			}
			k.advance(vectorBytes, left...)
			k.advance(vectorBytes, right...)
		})
	})

	// The sum of each vector's lanes is added to C, two at a time.
	c, cRow := k.Base("c"), k.Integer("cRow")
	k.ShiftLeft(cRow, 3)
	upper := k.Vector()
	for i := range sums {
		for _, s := range sums[i] {
			if !double {
				k.FCVTL2(arm64.D2, upper, s)
				k.FCVTL(arm64.D2, s, s)
				k.FADD(arm64.D2, s, s, upper)
			}
		}
		for j := 0; j < momentColumns; j += 2 {
			s := sums[i][j]
			k.FADDP(arm64.D2, s, s, sums[i][j+1])
			k.Load(at(c, 8*j), upper)
			k.FADD(arm64.D2, s, s, upper)
			k.Store(s, at(c, 8*j))
		}
		k.AddTo(c, c, cRow, 0)
	}
	k.End()
}

// loadSingles loads float32 values as elements.
func (k kernel) loadSingles(from arm64.Mem, to arm64.V) {
	if !k.double {
		k.Load(from, to)
		return
	}
	k.LoadOne(from, to, true) // two of them
	k.FCVTL(arm64.D2, to, to)
}
