package neon

import (
	"fmt"

	"impasto/internal/cpu/_generate/arm64"
)

// Sizes that Go code and kernels agree on; see winograd.go of package kernels.
const (
	channelBlock = 16
	pixelBytes   = 4 * channelBlock
	rowBytes     = 4 * 64     // of V, U and M: a chunk of channels
	tapBytes     = pixelBytes // between the taps of a filter
)

// Winograd adds the kernels of Winograd's convolutions. The transforms work on vectors
// of neighbouring channels and need no shuffles. They load and store each value of V
// and M once, and each pixel twice, and do 2 (3) operations a value of V or M for tiles
// of 4 (6). Their constants stay in registers.
func Winograd(f *arm64.File) {
	gather(f)
	scatter(f)
	transposeSquare(f)
	poolPixels(f)
	choosePixels(f)
	expandPixels(f)
	f.Table("channelBits", channelBits())
	signPixels(f)
	maskPixels(f)
	multiply(f)
	for _, form := range forms {
		form.transformColumns(f)
		form.transformRows(f)
		form.transformFilter(f)
		form.invertRows(f)
		form.invertColumns(f)
	}
}

// begin begins a kernel of the form, with the constants of that name.
func (w form) begin(f *arm64.File, name, signature string, values []float64) constants {
	name = fmt.Sprint(name, w.tile)
	return begin(f, name, signature).loadConstants(f, name+"Constants", values)
}

// eachVectorOfPixel calls body with the offset of every vector of a pixel.
func (k kernel) eachVectorOfPixel(body func(offset int)) {
	for offset := 0; offset < pixelBytes; offset += vectorBytes {
		k.Scope(func() { body(offset) })
	}
}

// rows returns the addresses of n rows that are a stride apart.
func (k kernel) rows(first arm64.R, stride arm64.R, n int) []arm64.R {
	r := k.Generals(n)
	k.setRows(r, first, stride)
	return r
}

func (k kernel) setRows(rows []arm64.R, first, stride arm64.R) {
	k.Copy(rows[0], first)
	for i := 1; i < len(rows); i++ {
		k.AddTo(rows[i], rows[i-1], stride, 0)
	}
}

// advance moves addresses on.
func (k kernel) advance(by int, addresses ...arm64.R) {
	for _, a := range addresses {
		k.Add(a, by)
	}
}

func (w form) transformColumns(f *arm64.File) {
	k := w.begin(f, "transformColumns", "func(x []float32, row, n int)", w.transformConstants)
	x, row, n := k.Base("x"), k.stride("row"), k.Integer("n")
	rows := k.rows(x, row, w.inputs())
	k.Loop("loop", n, 1, func() {
		k.eachVectorOfPixel(func(offset int) {
			d := k.Vectors(w.inputs())
			for i := range d {
				k.Load(at(rows[i], offset), d[i])
			}
			for i, r := range w.transform(k, d) {
				k.Store(r, at(rows[i], offset))
			}
		})
		k.advance(pixelBytes, rows...)
	})
	k.End()
}

func (w form) transformRows(f *arm64.File) {
	k := w.begin(f, "transformRows", "func(v, x []float32, step, row, n int)", w.transformConstants)
	v, x := k.Base("v"), k.Base("x")
	step, row, n := k.stride("step"), k.stride("row"), k.Integer("n")
	k.eachTile(w, v, x, step, row, n, func(matrices []arm64.R, pixels arm64.R) {
		k.eachVectorOfPixel(func(offset int) {
			d := k.Vectors(w.inputs())
			for j := range d {
				k.Load(at(pixels, j*pixelBytes+offset), d[j])
			}
			for j, r := range w.transform(k, d) {
				k.Store(r, at(matrices[j], offset))
			}
		})
	})
	k.End()
}

// eachTile calls body for the n tiles of every row, with the tile's addresses in the
// matrices of that row, which are step bytes apart, and in the rows of pixels.
func (k constants) eachTile(w form, matrix, pixels, step, row, n arm64.R, body func(matrices []arm64.R, pixels arm64.R)) {
	rows := k.number(w.inputs())
	matrices, tile, left := k.Generals(w.inputs()), k.General(), k.General()
	k.Loop("rows", rows, 1, func() {
		k.setRows(matrices, matrix, step)
		k.AddTo(matrix, matrices[w.inputs()-1], step, 0)
		k.Copy(tile, pixels)
		k.Copy(left, n)
		k.Loop("tiles", left, 1, func() {
			body(matrices, tile)
			k.advance(rowBytes, matrices...)
			k.Add(tile, w.tile*pixelBytes)
		})
		k.AddTo(pixels, pixels, row, 0)
	})
}

func (w form) transformFilter(f *arm64.File) {
	k := w.begin(f, "transformFilter", "func(u, filters []float32, step, turned int)", w.filterConstants())
	u, g, step, turned := k.Base("u"), k.Base("filters"), k.stride("step"), k.Integer("turned")
	tap := k.number(tapBytes)
	k.JumpZero(turned, "start")
	k.Add(g, 8*tapBytes)
	k.Set(tap, -tapBytes)
	k.Label("start")
	taps := k.rows(g, tap, 9)
	channels := k.number(channelBlock)
	to := k.General()
	k.Loop("loop", channels, 1, func() {
		k.eachVectorOfPixel(func(offset int) {
			k.Copy(to, u)
			// put transforms a row of G times the filter and stores it.
			put := func(row []arm64.V) {
				k.Scope(func() {
					for _, r := range w.filter(k, row) {
						k.Store(r, at(to, offset))
						k.AddTo(to, to, step, 0)
					}
				})
			}
			load := func(row int) []arm64.V {
				t := k.Vectors(3)
				for j := range t {
					k.Load(at(taps[3*row+j], offset), t[j])
				}
				return t
			}
			top, middle, bottom := load(0), load(1), load(2)
			put(top)
			for _, c := range w.pointPairs {
				k.Scope(func() {
					plus, minus := k.Vectors(3), k.Vectors(3)
					for j := range plus {
						w.filterPair(k, c, [3]arm64.V{top[j], middle[j], bottom[j]}, plus[j], minus[j])
					}
					put(plus)
					put(minus)
				})
			}
			put(bottom)
		})
		k.advance(9*tapBytes, taps...)
		k.Add(u, rowBytes)
	})
	k.End()
}

// filterPair computes the two rows of G for a pair of points, times g.
func (w form) filterPair(k constants, c [3]float64, g [3]arm64.V, plus, minus arm64.V) {
	k.Scope(func() {
		odd := k.Vector()
		k.times(plus, c[0], g[0])
		k.addMultiple(plus, c[2], g[2])
		k.times(odd, c[1], g[1])
		k.FSUB(arm64.S4, minus, plus, odd)
		k.FADD(arm64.S4, plus, plus, odd)
	})
}

// filter returns G times three vectors, which it doesn't change.
func (w form) filter(k constants, g []arm64.V) []arm64.V {
	rows := []arm64.V{g[0]}
	for _, c := range w.pointPairs {
		plus, minus := k.Vector(), k.Vector()
		w.filterPair(k, c, [3]arm64.V(g), plus, minus)
		rows = append(rows, plus, minus)
	}
	return append(rows, g[2])
}

func (w form) invertRows(f *arm64.File) {
	k := w.begin(f, "invertRows", "func(y, m []float32, step, row, n int)", w.invertConstants)
	y, m := k.Base("y"), k.Base("m")
	step, row, n := k.stride("step"), k.stride("row"), k.Integer("n")
	k.eachTile(w, m, y, step, row, n, func(matrices []arm64.R, pixels arm64.R) {
		k.eachVectorOfPixel(func(offset int) {
			d := k.Vectors(w.inputs())
			for j := range d {
				k.Load(at(matrices[j], offset), d[j])
			}
			for j, r := range w.invert(k, d) {
				k.Store(r, at(pixels, j*pixelBytes+offset))
			}
		})
	})
	k.End()
}

func (w form) invertColumns(f *arm64.File) {
	k := w.begin(f, "invertColumns", "func(y, biases []float32, row, n, rectify int)", w.invertConstants)
	y, biases, row, n, rectify := k.Base("y"), k.Base("biases"), k.stride("row"), k.Integer("n"), k.Integer("rectify")
	rows := k.rows(y, row, w.inputs())
	bias, zero := k.Vectors(4), k.Vector()
	k.loadRow(at(biases, 0), bias)
	pixels := func(label string, finish func(arm64.V)) {
		k.Loop(label, n, 1, func() {
			k.eachVectorOfPixel(func(offset int) {
				d := k.Vectors(w.inputs())
				for i := range d {
					k.Load(at(rows[i], offset), d[i])
				}
				for i, r := range w.invert(k, d) {
					k.FADD(arm64.S4, r, r, bias[offset/vectorBytes])
					finish(r)
					k.Store(r, at(rows[i], offset))
				}
			})
			k.advance(pixelBytes, rows...)
		})
		k.End()
	}
	k.JumpNotZero(rectify, "rectified")
	pixels("loop", func(arm64.V) {})
	k.Label("rectified")
	k.Zero(zero)
	pixels("rectifiedLoop", func(r arm64.V) { k.FMAX(arm64.S4, r, r, zero) })
}
