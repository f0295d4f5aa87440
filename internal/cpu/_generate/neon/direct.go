package neon

import (
	"fmt"

	"impasto/internal/cpu/_generate/arm64"
)

// Direct adds the kernels of direct 3×3 convolution: a register tile of 8 or 4 output
// channels by up to 3 vectors of neighbouring pixels of one row. The input is a padded
// copy of a band of rows, read in place at its nine shifts. A tap takes 5 (4) loads for
// 24 (12) multiply-adds.
func Direct(f *arm64.File) {
	for vectors := 1; vectors <= tileVectors; vectors++ {
		direct(f, "direct", tileRows, vectors)
		direct(f, "directNarrow", tileRows/2, vectors)
	}
}

func direct(f *arm64.File, name string, rows, vectors int) {
	k := kernel{f.Function(fmt.Sprintf("%sNEONx%d", name, vectors),
		"func(y []float32, yPlane int, x []float32, xRow, xPlane int, filters []float32, channels int, biases []float32, last, rectify int)",
		fmt.Sprintf("is a directKernel for %d channels by up to %d pixels.", rows, vectors*4)), false}
	y, yPlane, last := k.Base("y"), k.stride("yPlane"), k.Integer("last")
	sums := k.tile(rows, vectors)
	pixels, weights := k.Vectors(vectors), k.Vectors(rows/k.lanes())
	k.Scope(func() {
		biases := k.Base("biases")
		k.JumpZero(biases, "accumulate")
		k.loadRow(at(biases, 0), weights)
		for r := range sums {
			for _, s := range sums[r] {
				k.DUPElement(arm64.S4, s, weights[r/4], r%4)
			}
		}
	})
	k.Label("start")
	x, xPlane := k.Base("x"), k.stride("xPlane")
	xRows := k.rows(x, k.stride("xRow"), 3)
	filters, channels := k.Base("filters"), k.Integer("channels")
	k.Loop("loop", channels, 1, func() {
		for tap := range 9 {
			for v, p := range pixels {
				k.Load(at(xRows[tap/3], 4*(tap%3)+v*vectorBytes), p)
			}
			k.loadRow(at(filters, 4*panelRows*tap), weights)
			k.outerProduct(sums, weights, pixels)
		}
		for _, r := range xRows {
			k.AddTo(r, r, xPlane, 0)
		}
		k.Add(filters, 4*9*panelRows)
	})
	rectify := k.Integer("rectify")
	k.JumpZero(rectify, "write")
	k.Zero(weights[0])
	for r := range sums {
		for _, s := range sums[r] {
			k.FMAX(arm64.S4, s, s, weights[0])
		}
	}
	k.Label("write")
	k.eachLast(last, func(n int) { k.writeTile(sums, y, yPlane, n) })

	k.Label("accumulate")
	address := k.copyOf(y)
	for n := 1; n < k.lanes(); n++ {
		k.JumpEqual(last, n, fmt.Sprint("accumulate", n))
	}
	for n := k.lanes(); n > 0; n-- {
		if n < k.lanes() {
			k.Label(fmt.Sprint("accumulate", n))
		}
		for r := range sums {
			k.loadPart(address, sums[r], n)
			k.AddTo(address, address, yPlane, 0)
		}
		k.Jump("start")
	}
}
