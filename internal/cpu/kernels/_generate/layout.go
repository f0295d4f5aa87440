package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose returns the columns of a square of as many rows as a vector has
// lanes: neighbours are interleaved one by one and two by two within 128-bit
// lanes, then those lanes are exchanged. 64 (24) shuffles.
func (w winograd) transpose(rows []reg.VecVirtual) []reg.VecVirtual {
	n := len(rows)
	quads := make([][]reg.VecVirtual, n/4) // by four rows, then by column modulo 4
	for q := range quads {
		r := rows[4*q:]
		low01, high01, low23, high23 := w.register(), w.register(), w.register(), w.register()
		w.VUNPCKLPS(r[1], r[0], low01)
		w.VUNPCKHPS(r[1], r[0], high01)
		w.VUNPCKLPS(r[3], r[2], low23)
		w.VUNPCKHPS(r[3], r[2], high23)
		quads[q] = w.registers(4)
		w.VUNPCKLPD(low23, low01, quads[q][0])
		w.VUNPCKHPD(low23, low01, quads[q][1])
		w.VUNPCKLPD(high23, high01, quads[q][2])
		w.VUNPCKHPD(high23, high01, quads[q][3])
	}
	columns := make([]reg.VecVirtual, n)
	for p := range 4 {
		if n == 8 {
			columns[p], columns[4+p] = w.register(), w.register()
			w.VPERM2F128(operand.U8(0x20), quads[1][p], quads[0][p], columns[p])
			w.VPERM2F128(operand.U8(0x31), quads[1][p], quads[0][p], columns[4+p])
			continue
		}
		low, high, low2, high2 := w.register(), w.register(), w.register(), w.register()
		w.VSHUFF32X4(operand.U8(0x44), quads[1][p], quads[0][p], low)
		w.VSHUFF32X4(operand.U8(0xee), quads[1][p], quads[0][p], high)
		w.VSHUFF32X4(operand.U8(0x44), quads[3][p], quads[2][p], low2)
		w.VSHUFF32X4(operand.U8(0xee), quads[3][p], quads[2][p], high2)
		for l := range 4 {
			columns[4*l+p] = w.register()
		}
		w.VSHUFF32X4(operand.U8(0x88), low2, low, columns[p])
		w.VSHUFF32X4(operand.U8(0xdd), low2, low, columns[4+p])
		w.VSHUFF32X4(operand.U8(0x88), high2, high, columns[8+p])
		w.VSHUFF32X4(operand.U8(0xdd), high2, high, columns[12+p])
	}
	return columns
}

func (w winograd) transposeSquare() {
	w.begin("transpose", "func(to, from []float32, toRow, fromRow int)")
	to, from := w.pointer("to"), w.pointer("from")
	toRow, fromRow := w.stride("toRow"), w.stride("fromRow")
	for column := 0; column < pixelBytes; column += w.bytes {
		source, target := w.GP64(), w.GP64()
		w.LEAQ(operand.Mem{Base: from, Disp: column}, source)
		w.vectorsOfPixel(func(offset int) {
			rows := w.registers(w.lanes())
			for i := range rows {
				w.load(operand.Mem{Base: source}, rows[i])
				w.ADDQ(fromRow, source)
			}
			w.LEAQ(operand.Mem{Base: to, Disp: offset}, target)
			for _, r := range w.transpose(rows) {
				w.store(r, operand.Mem{Base: target})
				w.ADDQ(toRow, target)
			}
		})
		if column+w.bytes < pixelBytes {
			w.MOVQ(toRow, target)
			w.SHLQ(operand.U8(3), target)
			w.ADDQ(target, to)
		}
	}
	w.end()
}

// groups calls body for every lanes pixels with the mask of those that exist.
func (w winograd) groups(label string, n reg.GPVirtual, body func(m mask)) {
	lanes := w.GP64()
	w.MOVQ(operand.U32(uint32(w.lanes())), lanes)
	w.Label(label)
	count := w.GP64()
	w.MOVQ(n, count)
	w.CMPQ(count, lanes)
	w.CMOVQGT(lanes, count)
	body(w.maskOf(count, w.mask))
	w.SUBQ(lanes, n)
	w.JG(operand.LabelRef(label))
}

func (w winograd) gather() {
	w.begin("gather", "func(to, x, gate []float32, plane, n, ahead int)")
	to, x, gate := w.pointer("to"), w.pointer("x"), w.pointer("gate")
	plane, n, ahead := w.stride("plane"), w.value("n"), w.stride("ahead")
	w.TESTQ(gate, gate)
	w.JNZ(operand.LabelRef("gated"))
	w.gatherLoop("loop", to, x, nil, plane, n, ahead)
	w.end()
	w.Label("gated")
	w.gatherLoop("gatedLoop", to, x, &gate, plane, n, ahead)
	w.end()
}

func (w winograd) gatherLoop(label string, to, x reg.GPVirtual, gate *reg.GPVirtual, plane, n, ahead reg.GPVirtual) {
	zero := w.register()
	if gate != nil {
		w.zero(zero)
	}
	w.groups(label, n, func(m mask) {
		from, gates := w.GP64(), w.GP64()
		w.MOVQ(x, from)
		if gate != nil {
			w.MOVQ(*gate, gates)
		}
		w.vectorsOfPixel(func(offset int) {
			rows := w.registers(w.lanes())
			for r := range rows {
				w.PREFETCHT0(operand.Mem{Base: from, Index: ahead, Scale: 1})
				if gate == nil {
					m.load(operand.Mem{Base: from}, rows[r])
				} else {
					w.PREFETCHT0(operand.Mem{Base: gates, Index: ahead, Scale: 1})
					w.loadGated(m, from, gates, zero, rows[r])
					w.ADDQ(plane, gates)
				}
				w.ADDQ(plane, from)
			}
			for p, column := range w.transpose(rows) {
				w.store(column, operand.Mem{Base: to, Disp: p*pixelBytes + offset})
			}
		})
		w.ADDQ(operand.I32(w.bytes), x)
		if gate != nil {
			w.ADDQ(operand.I32(w.bytes), *gate)
		}
		w.ADDQ(operand.I32(w.lanes()*pixelBytes), to)
	})
}

// gatherPooled gathers a row of the rectified gradient of a maximum pooling: the
// window's gradient where x is the window's first maximum, and positive.
func (w winograd) gatherPooled() {
	w.begin("gatherPooled", "func(to, x, beside, dy []float32, plane, pooledPlane, n, ahead, below int)")
	to, x, beside, dy := w.pointer("to"), w.pointer("x"), w.pointer("beside"), w.pointer("dy")
	plane, pooledPlane, n, ahead := w.stride("plane"), w.stride("pooledPlane"), w.value("n"), w.stride("ahead")
	below := w.value("below")
	w.TESTQ(below, below)
	w.JNZ(operand.LabelRef("below"))
	w.gatherPooledLoop("aboveLoop", to, x, beside, dy, plane, pooledPlane, n, ahead, false)
	w.end()
	w.Label("below")
	w.gatherPooledLoop("belowLoop", to, x, beside, dy, plane, pooledPlane, n, ahead, true)
	w.end()
}

func (w winograd) gatherPooledLoop(label string, to, x, beside, dy, plane, pooledPlane, n, ahead reg.GPVirtual, below bool) {
	zero := w.register()
	w.zero(zero)
	left := w.K()
	if w.bytes == 64 {
		bits := w.GP32()
		w.MOVL(operand.U32(0x5555), bits)
		w.KMOVW(bits, left)
	}
	lanes := w.GP64()
	w.MOVQ(operand.U32(uint32(w.lanes())), lanes)
	w.Label(label)
	count := w.GP64()
	w.MOVQ(n, count)
	w.CMPQ(count, lanes)
	w.CMOVQGT(lanes, count)
	m := w.maskOf(count, w.mask)
	w.SHRQ(operand.U8(1), count)
	windows := w.maskOf(count, w.mask)
	from, others, gradients := w.GP64(), w.GP64(), w.GP64()
	w.MOVQ(x, from)
	w.MOVQ(beside, others)
	w.MOVQ(dy, gradients)
	w.vectorsOfPixel(func(offset int) {
		rows := w.registers(w.lanes())
		for r := range rows {
			w.PREFETCHT0(operand.Mem{Base: from, Index: ahead, Scale: 1})
			w.PREFETCHT0(operand.Mem{Base: others, Index: ahead, Scale: 1})
			w.pooledGradient(m, windows, from, others, gradients, zero, left, rows[r], below)
			w.ADDQ(plane, from)
			w.ADDQ(plane, others)
			w.ADDQ(pooledPlane, gradients)
		}
		for p, column := range w.transpose(rows) {
			w.store(column, operand.Mem{Base: to, Disp: p*pixelBytes + offset})
		}
	})
	w.ADDQ(operand.I32(w.bytes), x)
	w.ADDQ(operand.I32(w.bytes), beside)
	w.ADDQ(operand.I32(w.bytes/2), dy)
	w.ADDQ(operand.I32(w.lanes()*pixelBytes), to)
	w.SUBQ(lanes, n)
	w.JG(operand.LabelRef(label))
}

// pooledGradient makes a vector of the gradient of a row that lies above the other
// of its windows or below.
func (w winograd) pooledGradient(m, windows mask, from, others, gradients reg.GPVirtual, zero reg.VecVirtual, left reg.OpmaskVirtual, x reg.VecVirtual, below bool) {
	const (
		swapPairs             = operand.U8(0xb1)
		equal, less           = operand.U8(0), operand.U8(17) // ordered, quiet
		notEqual, leftToRight = operand.U8(4), operand.U8(32)
	)
	m.load(operand.Mem{Base: from}, x)
	other, most, pair := w.register(), w.register(), w.register()
	m.load(operand.Mem{Base: others}, other)
	w.VPERMILPS(swapPairs, other, pair)
	w.VMAXPS(pair, other, other)
	w.VPERMILPS(swapPairs, x, pair)
	w.VMAXPS(pair, x, most)
	w.VMAXPS(other, most, most)
	if w.bytes == 64 {
		chosen, first := w.K(), w.K()
		w.VCMPPS(less, most, zero, chosen)
		w.VCMPPS(equal, most, x, chosen, chosen)
		if below {
			w.VCMPPS(notEqual, most, other, chosen, chosen)
		}
		w.KANDW(left, chosen, first)
		w.KSHIFTLW(operand.U8(1), first, first)
		w.KANDNW(chosen, first, chosen)
		w.VPMOVZXDQ_Z(operand.Mem{Base: gradients}, windows.bits, pair)
		w.VMOVSLDUP_Z(pair, chosen, x)
		return
	}
	w.VCMPPS(equal, most, x, x)
	w.VCMPPS(less, most, zero, pair)
	w.VANDPS(pair, x, x)
	if below {
		w.VCMPPS(notEqual, most, other, other)
		w.VANDPS(other, x, x)
	}
	w.VPSLLQ(leftToRight, x, pair)
	w.VANDNPS(x, pair, x)
	w.VMASKMOVPS(operand.Mem{Base: gradients}, windows.sign.AsX(), most.AsX())
	w.VPMOVZXDQ(most.AsX(), most)
	w.VMOVSLDUP(most, most)
	w.VANDPS(most, x, x)
}

// loadGated loads the values whose gate is positive, and zeros.
func (k kernel) loadGated(m mask, from, gates reg.GPVirtual, zero, to reg.VecVirtual) {
	const lessThan = operand.U8(17) // ordered, quiet
	if k.bytes == 64 {
		open := k.K()
		k.VCMPPS(lessThan, operand.Mem{Base: gates}, zero, m.bits, open)
		k.VMOVUPS_Z(operand.Mem{Base: from}, open, to)
		return
	}
	open := k.register()
	m.load(operand.Mem{Base: gates}, open)
	k.VCMPPS(lessThan, open, zero, open)
	m.load(operand.Mem{Base: from}, to)
	k.VANDPS(open, to, to)
}

func (w winograd) scatter() {
	w.begin("scatter", "func(y, from []float32, plane, n int)")
	y, from := w.pointer("y"), w.pointer("from")
	plane, n := w.stride("plane"), w.value("n")
	body := func(put func(r reg.VecVirtual, to operand.Mem)) {
		to := w.GP64()
		w.MOVQ(y, to)
		w.vectorsOfPixel(func(offset int) {
			pixels := w.registers(w.lanes())
			for p := range pixels {
				w.load(operand.Mem{Base: from, Disp: p*pixelBytes + offset}, pixels[p])
			}
			for _, row := range w.transpose(pixels) {
				put(row, operand.Mem{Base: to})
				w.ADDQ(plane, to)
			}
		})
	}
	// Whole vectors first: AMD's processors store under an AVX2 mask slowly.
	w.Label("loop")
	w.CMPQ(n, operand.U8(w.lanes()))
	w.JL(operand.LabelRef("rest"))
	body(w.store)
	w.ADDQ(operand.I32(w.bytes), y)
	w.ADDQ(operand.I32(w.lanes()*pixelBytes), from)
	w.SUBQ(operand.U8(w.lanes()), n)
	w.JMP(operand.LabelRef("loop"))
	w.Label("rest")
	w.TESTQ(n, n)
	w.JZ(operand.LabelRef("done"))
	m := w.maskOf(n, w.mask)
	body(m.store)
	w.Label("done")
	w.end()
}
