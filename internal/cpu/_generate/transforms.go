package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (w winograd) transformColumns() {
	w.beginForm("transformColumns", "func(x []float32, row, n int)")
	x, n := w.pointer("x"), w.integer("n")
	rows := w.newSteps(w.stride("row"), w.inputs())
	d := w.registers(w.inputs())
	w.loop("loop", n, func() {
		w.vectorsOfPixel(func(offset int) {
			for i := range d {
				w.load(rows.at(x, i, offset), d[i])
			}
			for i, r := range w.transform(w, d) {
				w.store(r, rows.at(x, i, offset))
			}
		})
		w.ADDQ(operand.I32(pixelBytes), x)
	})
	w.end()
}

func (w winograd) transformRows() {
	w.beginForm("transformRows", "func(v, x []float32, step, row, n int)")
	w.transformAllRows(rowBytes, w.store)
	w.end()
}

// transformAllRows transforms the rows of tiles and stores them by put. The tiles are
// tileBytes apart in each matrix.
func (w winograd) transformAllRows(tileBytes int, put func(r reg.VecVirtual, to operand.Mem)) {
	v, x, n, row := w.pointer("v"), w.pointer("x"), w.integer("n"), w.stride("row")
	matrices := w.newSteps(w.stride("step"), w.inputs())
	d := w.registers(w.inputs())
	w.eachTile(v, x, n, tileBytes, w.tile*pixelBytes, func(to, from reg.GPVirtual, offset int) {
		for j := range d {
			w.load(operand.Mem{Base: from, Disp: j*pixelBytes + offset}, d[j])
		}
		for j, r := range w.transform(w, d) {
			put(r, matrices.at(to, j, offset))
		}
	}, func() {
		w.ADDQ(row, x)
		w.LEAQ(matrices.at(v, w.inputs(), 0), v)
	})
}

// eachTile calls body for every vector of the n tiles of every row, with the
// addresses of the tile in the result and in the operand, which advance by so many
// bytes from tile to tile; next moves to and from to the next row.
func (w winograd) eachTile(to, from, n reg.GPVirtual, toBytes, fromBytes int, body func(to, from reg.GPVirtual, offset int), next func()) {
	rows := w.GP64()
	w.MOVQ(operand.U32(uint32(w.inputs())), rows)
	w.loop("rows", rows, func() {
		tileTo, tileFrom, left := w.GP64(), w.GP64(), w.GP64()
		w.MOVQ(to, tileTo)
		w.MOVQ(from, tileFrom)
		w.MOVQ(n, left)
		w.loop("tiles", left, func() {
			w.vectorsOfPixel(func(offset int) { body(tileTo, tileFrom, offset) })
			w.ADDQ(operand.I32(int32(fromBytes)), tileFrom)
			w.ADDQ(operand.I32(int32(toBytes)), tileTo)
		})
		next()
	})
}

// transformFilterRow returns G times three vectors, which it doesn't change.
func (w winograd) transformFilterRow(g []reg.VecVirtual) []reg.VecVirtual {
	rows := []reg.VecVirtual{g[0]}
	for _, c := range w.pointPairs {
		even, odd, less := w.register(), w.register(), w.register()
		w.VMULPS(w.memory(c[0]), g[0], even)
		w.VFMADD231PS(w.memory(c[2]), g[2], even)
		w.VMULPS(w.memory(c[1]), g[1], odd)
		w.VSUBPS(odd, even, less)
		w.VADDPS(odd, even, even)
		rows = append(rows, even, less)
	}
	return append(rows, g[2])
}

func (w winograd) transformFilter() {
	w.beginForm("transformFilter", "func(u, filters []float32, step, turned int)")
	u, g := w.pointer("u"), w.pointer("filters")
	matrices := w.newSteps(w.stride("step"), w.inputs())
	taps := w.taps(g)
	channels := w.GP64()
	w.MOVQ(operand.U32(channelBlock), channels)
	w.loop("loop", channels, func() {
		w.vectorsOfPixel(func(offset int) {
			to := w.GP64()
			w.MOVQ(u, to)
			for _, rows := range w.filterRows(taps, g, offset) {
				for _, row := range rows() {
					for j, r := range w.transformFilterRow(row) {
						w.store(r, matrices.at(to, j, offset))
					}
					w.LEAQ(matrices.at(to, w.inputs(), 0), to)
				}
			}
		})
		for tap := range 9 { // of the same filter in the next block
			w.PREFETCHT0(operand.Mem{Base: g, Disp: 9*tapBytes*channelBlock + tap*tapBytes})
		}
		w.ADDQ(operand.I32(9*tapBytes), g)
		w.ADDQ(operand.I32(rowBytes), u)
	})
	w.end()
}

// taps addresses the taps of a filter. Where turned is set, it moves g to the last
// tap and goes backwards.
func (w winograd) taps(g reg.GPVirtual) steps {
	tap, turned := w.GP64(), w.integer("turned")
	w.MOVQ(operand.I32(tapBytes), tap)
	w.TESTQ(turned, turned)
	w.JZ(operand.LabelRef("start"))
	w.ADDQ(operand.I32(8*tapBytes), g)
	w.NEGQ(tap)
	w.Label("start")
	return w.newSteps(tap, 9)
}

// filterRows returns functions that compute the rows of G times a filter, one or two
// rows each.
func (w winograd) filterRows(taps steps, g reg.GPVirtual, offset int) []func() [][]reg.VecVirtual {
	edge := func(row int) func() [][]reg.VecVirtual {
		return func() [][]reg.VecVirtual {
			t := w.registers(3)
			for j := range t {
				w.load(taps.at(g, 3*row+j, offset), t[j])
			}
			return [][]reg.VecVirtual{t}
		}
	}
	rows := []func() [][]reg.VecVirtual{edge(0)}
	for _, c := range w.pointPairs {
		rows = append(rows, func() [][]reg.VecVirtual {
			plus, minus := w.registers(3), w.registers(3)
			for j := range plus {
				odd := w.register()
				w.load(taps.at(g, j, offset), plus[j])
				w.VMULPS(w.memory(c[0]), plus[j], plus[j])
				w.load(taps.at(g, 6+j, offset), odd)
				w.VFMADD231PS(w.memory(c[2]), odd, plus[j])
				w.load(taps.at(g, 3+j, offset), odd)
				w.VMULPS(w.memory(c[1]), odd, odd)
				w.VSUBPS(odd, plus[j], minus[j])
				w.VADDPS(odd, plus[j], plus[j])
			}
			return [][]reg.VecVirtual{plus, minus}
		})
	}
	return append(rows, edge(2))
}

func (w winograd) invertRows() {
	w.beginForm("invertRows", "func(y, m []float32, step, row, n int)")
	y, m, n, row := w.pointer("y"), w.pointer("m"), w.integer("n"), w.stride("row")
	matrices := w.newSteps(w.stride("step"), w.inputs())
	d := w.registers(w.inputs())
	w.eachTile(y, m, n, w.tile*pixelBytes, rowBytes, func(to, from reg.GPVirtual, offset int) {
		for j := range d {
			w.load(matrices.at(from, j, offset), d[j])
		}
		for j, r := range w.invert(w, d) {
			w.store(r, operand.Mem{Base: to, Disp: j*pixelBytes + offset})
		}
	}, func() {
		w.ADDQ(row, y)
		w.LEAQ(matrices.at(m, w.inputs(), 0), m)
	})
	w.end()
}

func (w winograd) invertColumns() {
	w.beginForm("invertColumns", "func(y, biases []float32, row, n, rectify int)")
	y, biases, n := w.pointer("y"), w.pointer("biases"), w.integer("n")
	rows := w.newSteps(w.stride("row"), w.inputs())
	rectify := w.integer("rectify")
	d := w.registers(w.inputs())
	pixels := func(label string, finish func(reg.VecVirtual)) {
		w.loop(label, n, func() {
			w.vectorsOfPixel(func(offset int) {
				for i := range d {
					w.load(rows.at(y, i, offset), d[i])
				}
				for i, r := range w.invert(w, d) {
					w.VADDPS(operand.Mem{Base: biases, Disp: offset}, r, r)
					finish(r)
					w.store(r, rows.at(y, i, offset))
				}
			})
			w.ADDQ(operand.I32(pixelBytes), y)
		})
	}
	w.TESTQ(rectify, rectify)
	w.JNZ(operand.LabelRef("rectified"))
	pixels("loop", func(reg.VecVirtual) {})
	w.end()
	w.Label("rectified")
	zero := w.zeros(1)[0]
	pixels("rectifiedLoop", func(r reg.VecVirtual) { w.VMAXPS(r, zero, r) }) // in this order of operands NaN stays NaN
	w.end()
}
