package neon

import (
	"fmt"

	"impasto/internal/cpu/_generate/arm64"
)

// Product adds the kernels of matrix products on packed panels: 8 rows by up to 3
// vectors. A step of the depth takes 5 (float64: 7) loads for 24 multiply-adds.
func Product(f *arm64.File) {
	for _, double := range []bool{false, true} {
		for vectors := 1; vectors <= tileVectors; vectors++ {
			product(f, double, vectors)
		}
		pack(f, double)
		packLeft(f, double)
	}
}

func product(f *arm64.File, double bool, vectors int) {
	k := beginTyped(f, double, "product", fmt.Sprint("x", vectors), "func(c []float%[1]d, cRow int, a, b []float%[1]d, depth, accumulate, last int)",
		fmt.Sprintf("is a productKernel for %d rows by up to %d columns.", tileRows, vectors*kernel{double: double}.lanes()))
	sums := k.tile(tileRows, vectors)
	k.clear(sums)
	a, b, depth := k.Base("a"), k.Base("b"), k.Integer("depth")
	right, left := k.Vectors(vectors), k.Vectors(tileRows/k.lanes())
	k.Loop("loop", depth, 1, func() {
		k.loadRow(at(b, 0), right)
		k.loadRow(at(a, 0), left)
		k.outerProduct(sums, left, right)
		k.Add(a, panelRows*k.element())
		k.Add(b, vectors*vectorBytes)
	})
	c, cRow, accumulate := k.Base("c"), k.stride("cRow"), k.Integer("accumulate")
	address := k.copyOf(c)
	k.eachLast(k.Integer("last"), func(n int) {
		write := fmt.Sprint("write", n)
		k.JumpZero(accumulate, write)
		for r := range sums {
			k.loadPart(address, right, n)
			for j, x := range right {
				k.FADD(k.arrangement(), sums[r][j], sums[r][j], x)
			}
			k.AddTo(address, address, cRow, 0)
		}
		k.Label(write)
		k.writeTile(sums, c, cRow, n)
	})
}

// eachLast emits the code for each count of values that may exist in a row's last vector.
// Each ends the function.
func (k kernel) eachLast(last arm64.R, body func(n int)) {
	for n := 1; n < k.lanes(); n++ {
		k.JumpEqual(last, n, fmt.Sprint("last", n))
	}
	body(k.lanes())
	k.End()
	for n := 1; n < k.lanes(); n++ {
		k.Label(fmt.Sprint("last", n))
		body(n)
		k.End()
	}
}

// writeTile stores the rows of a register tile, with n values of each last vector.
func (k kernel) writeTile(sums [][]arm64.V, to, stride arm64.R, n int) {
	for r := range sums {
		k.storePart(sums[r], to, n)
		k.AddTo(to, to, stride, 0)
	}
}

// loadPart loads neighbouring vectors, of the last one n values. The others of that are
// zero.
func (k kernel) loadPart(from arm64.R, to []arm64.V, n int) {
	whole := len(to) - 1
	if n == k.lanes() {
		k.loadRow(at(from, 0), to)
		return
	}
	k.loadRow(at(from, 0), to[:whole])
	k.LoadOne(at(from, whole*vectorBytes), to[whole], n*k.element() >= 8)
	if n == 3 {
		k.third(from, whole, func(address arm64.R) { k.LoadLane(address, to[whole], "S", 2) })
	}
}

// storePart stores neighbouring vectors, of the last one n values.
func (k kernel) storePart(from []arm64.V, to arm64.R, n int) {
	whole := len(from) - 1
	if n == k.lanes() {
		k.storeRow(from, at(to, 0))
		return
	}
	k.storeRow(from[:whole], at(to, 0))
	k.StoreOne(from[whole], at(to, whole*vectorBytes), n*k.element() >= 8)
	if n == 3 {
		k.third(to, whole, func(address arm64.R) { k.StoreLane(from[whole], "S", 2, address) })
	}
}

// third calls body with the address of the third value of a vector.
func (k kernel) third(base arm64.R, vector int, body func(address arm64.R)) {
	k.Scope(func() {
		address := k.General()
		k.Offset(address, base, vector*vectorBytes+8)
		body(address)
	})
}

// pack copies rows of the right operand, as wide as a tile, into a panel.
func pack(f *arm64.File, double bool) {
	k := beginTyped(f, double, "pack", "", "func(to, from []float%d, stride, rows int)", "is a packKernel.")
	to, from, stride, rows := k.Base("to"), k.Base("from"), k.stride("stride"), k.Integer("rows")
	row := k.Vectors(tileVectors)
	k.Loop("loop", rows, 1, func() {
		k.loadRow(at(from, 0), row)
		k.storeRow(row, at(to, 0))
		k.AddTo(from, from, stride, 0)
		k.Add(to, tileVectors*vectorBytes)
	})
	k.End()
}

// packLeft copies 8 rows of the left operand into a panel, column by column.
func packLeft(f *arm64.File, double bool) {
	k := beginTyped(f, double, "packLeft", "", "func(to, from []float%d, stride, depth int)", "is a packLeftKernel.")
	to, from, stride, depth := k.Base("to"), k.Base("from"), k.stride("stride"), k.Integer("depth")
	row := k.General()
	k.Loop("loop", depth, k.lanes(), func() {
		k.Copy(row, from)
		for first := 0; first < panelRows; first += k.lanes() {
			k.Scope(func() {
				rows := k.Vectors(k.lanes())
				for _, r := range rows {
					k.LoadThen(row, stride, r)
				}
				k.transpose(rows)
				for j, column := range rows {
					k.Store(column, at(to, (j*panelRows+first)*k.element()))
				}
			})
		}
		k.Add(from, vectorBytes)
		k.Add(to, k.lanes()*panelRows*k.element())
	})
	k.End()
}

// transpose transposes a square of vectors in place.
func (k kernel) transpose(rows []arm64.V) {
	if !k.double {
		k.transpose4(rows)
		return
	}
	k.Scope(func() {
		first := k.copy(rows[0])
		k.ZIP1(arm64.D2, rows[0], first, rows[1])
		k.ZIP2(arm64.D2, rows[1], first, rows[1])
	})
}
