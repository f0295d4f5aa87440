package neon

import (
	"fmt"

	"impasto/internal/cpu/_generate/arm64"
)

// mostTiles is how many tiles a product takes at a time.
const mostTiles = 5

// multiply keeps 5 tiles × 4 vectors of M in registers. For 4 channels it loads a vector
// of V for each tile and 16 of U: 21 loads, 16 of them in pairs, for 80 multiply-adds.
// For the last tiles there is code for each count below 5. A matrix of U is 16 KB.
func multiply(f *arm64.File) {
	const vectors = 4
	k := begin(f, "multiply", "func(m, v, u []float32, n, depth, accumulate int)")
	m, v, u := k.Base("m"), k.Base("v"), k.Base("u")
	n, depth, accumulate := k.Integer("n"), k.Integer("depth"), k.Integer("accumulate")
	t := multiplyRegisters{
		weights: k.Vectors(vectors), values: k.Vectors(mostTiles), sums: k.tile(mostTiles, vectors),
		to: k.General(), from: k.General(), u: u,
		left: k.General(), right: k.General(), count: k.General(), depth: depth, accumulate: accumulate,
	}
	parts, tiles := k.number(rowBytes/(vectors*vectorBytes)), k.General()
	k.Loop("parts", parts, 1, func() {
		k.Copy(tiles, n)
		k.Copy(t.to, m)
		k.Copy(t.from, v)
		k.Label("tiles")
		k.JumpLess(tiles, mostTiles, "rest")
		k.multiplyTiles(t, mostTiles)
		k.advance(mostTiles*rowBytes, t.to, t.from)
		k.Sub(tiles, mostTiles)
		k.Jump("tiles")
		k.Label("rest")
		for rest := 1; rest < mostTiles; rest++ {
			k.JumpEqual(tiles, rest, fmt.Sprint("rest", rest))
		}
		k.Jump("next")
		for rest := 1; rest < mostTiles; rest++ {
			k.Label(fmt.Sprint("rest", rest))
			k.multiplyTiles(t, rest)
			k.Jump("next")
		}
		k.Label("next")
		k.advance(vectors*vectorBytes, m, u)
	})
	k.End()
}

// multiplyRegisters are shared by the code for every count of tiles.
type multiplyRegisters struct {
	weights, values    []arm64.V
	sums               [][]arm64.V
	to, from, u        arm64.R // of M, V and U
	left, right, count arm64.R
	depth, accumulate  arm64.R
}

// multiplyTiles multiplies so many tiles by four vectors of output channels.
func (k kernel) multiplyTiles(t multiplyRegisters, rows int) {
	label := func(name string) string { return fmt.Sprint(name, rows) }
	sums := t.sums[:rows]
	k.clear(sums)
	k.Copy(t.left, t.from)
	k.Copy(t.right, t.u)
	k.Copy(t.count, t.depth)
	k.Loop(label("depth"), t.count, 4, func() {
		for r := range sums {
			k.Load(at(t.left, r*rowBytes), t.values[r])
		}
		for i := range 4 {
			k.loadRow(at(t.right, i*rowBytes), t.weights)
			for r := range sums {
				for j, w := range t.weights {
					k.FMLAElement(arm64.S4, sums[r][j], w, t.values[r], i)
				}
			}
		}
		k.Add(t.left, 16)
		k.Add(t.right, 4*rowBytes)
	})
	k.JumpZero(t.accumulate, label("store"))
	for r := range sums {
		k.loadRow(at(t.to, r*rowBytes), t.weights)
		for j, w := range t.weights {
			k.FADD(arm64.S4, sums[r][j], sums[r][j], w)
		}
	}
	k.Label(label("store"))
	for r := range sums {
		k.storeRow(sums[r], at(t.to, r*rowBytes))
	}
}
