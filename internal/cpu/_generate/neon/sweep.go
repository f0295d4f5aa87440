package neon

import "impasto/internal/cpu/_generate/arm64"

// smallMatrix is how many rows and columns a small matrix has.
const smallMatrix = 32

// Sweep adds the step of elimination on small matrices. It keeps the pivot's row in 16
// registers.
func Sweep(f *arm64.File) {
	const rowBytes = 8 * smallMatrix
	k := function(f, "sweep", "func(a []float64, k int, reciprocal float64)", "is a sweepKernel.")
	k.double = true
	a, pivot := k.Base("a"), k.Integer("k")
	reciprocal := k.scalar("reciprocal")
	pivotRow, factors, row := k.General(), k.General(), k.General()
	k.AddTo(pivotRow, a, pivot, 8)
	k.AddTo(factors, a, pivot, 3) // the pivot's column
	scaled := k.Vectors(rowBytes / vectorBytes)
	k.loadRow(at(pivotRow, 0), scaled)
	for _, s := range scaled {
		k.FMUL(arm64.D2, s, s, reciprocal)
	}
	k.storeRow(scaled, at(pivotRow, 0))
	negative, factor, values := k.Vector(), k.Vector(), k.Vectors(4)
	k.FNEG(arm64.D2, negative, reciprocal)
	k.Set(row, 0)
	k.Label("rows")
	k.JumpEqual(row, pivot, "next")
	k.LoadOne(at(factors, 0), factor, true)
	for first := 0; first < len(scaled); first += len(values) {
		m := at(a, first*vectorBytes)
		k.loadRow(m, values)
		for j, v := range values {
			k.FMLSElement(arm64.D2, v, scaled[first+j], factor, 0)
		}
		k.storeRow(values, m)
	}
	k.FMUL(arm64.D2, factor, factor, negative)
	k.StoreOne(factor, at(factors, 0), true)
	k.Label("next")
	k.advance(rowBytes, a, factors)
	k.Add(row, 1)
	k.JumpLess(row, smallMatrix, "rows")
	k.AddTo(pivotRow, pivotRow, pivot, 3)
	k.StoreOne(reciprocal, at(pivotRow, 0), true)
	k.End()
}
