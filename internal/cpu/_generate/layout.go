package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

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

// groups calls body for every lanes pixels, with the mask and the count of those
// that exist.
func (w winograd) groups(label string, n reg.GPVirtual, body func(m laneMask, count reg.GPVirtual)) {
	lanes := w.GP64()
	w.MOVQ(operand.U32(uint32(w.lanes())), lanes)
	w.Label(label)
	count := w.GP64()
	w.MOVQ(n, count)
	w.CMPQ(count, lanes)
	w.CMOVQGT(lanes, count)
	body(w.firstLanes(count, w.table), count)
	w.SUBQ(lanes, n)
	w.JG(operand.LabelRef(label))
}

// putPixels stores vectors of neighbouring pixels, one of each channel, as pixels.
func (w winograd) putPixels(rows []reg.VecVirtual, to reg.GPVirtual, offset int) {
	for p, column := range w.transpose(rows) {
		w.store(column, operand.Mem{Base: to, Disp: p*pixelBytes + offset})
	}
}

func (w winograd) gather() {
	w.begin("gather", "func(to, x, mask []float32, plane, n, ahead int)")
	to, x, mask := w.pointer("to"), w.pointer("x"), w.pointer("mask")
	plane, n, ahead := w.stride("plane"), w.integer("n"), w.stride("ahead")
	w.TESTQ(mask, mask)
	w.JNZ(operand.LabelRef("masked"))
	w.gatherLoop("loop", to, x, nil, plane, n, ahead)
	w.end()
	w.Label("masked")
	w.gatherLoop("maskedLoop", to, x, &mask, plane, n, ahead)
	w.end()
}

// gatherLoop gathers pixels, under a mask unless that is nil.
func (w winograd) gatherLoop(label string, to, x reg.GPVirtual, mask *reg.GPVirtual, plane, n, ahead reg.GPVirtual) {
	zero := w.register()
	if mask != nil {
		w.zero(zero)
	}
	w.groups(label, n, func(m laneMask, _ reg.GPVirtual) {
		from, masks := w.GP64(), w.GP64()
		w.MOVQ(x, from)
		if mask != nil {
			w.MOVQ(*mask, masks)
		}
		w.vectorsOfPixel(func(offset int) {
			rows := w.registers(w.lanes())
			for _, r := range rows {
				w.PREFETCHT0(operand.Mem{Base: from, Index: ahead, Scale: 1})
				if mask == nil {
					m.load(operand.Mem{Base: from}, r)
				} else {
					w.PREFETCHT0(operand.Mem{Base: masks, Index: ahead, Scale: 1})
					w.loadMasked(m, from, masks, zero, r)
					w.ADDQ(plane, masks)
				}
				w.ADDQ(plane, from)
			}
			w.putPixels(rows, to, offset)
		})
		w.ADDQ(operand.I32(w.bytes), x)
		if mask != nil {
			w.ADDQ(operand.I32(w.bytes), *mask)
		}
		w.ADDQ(operand.I32(w.lanes()*pixelBytes), to)
	})
}

// loadMasked loads the values whose mask is positive, and zeros.
func (k kernel) loadMasked(m laneMask, from, masks reg.GPVirtual, zero, to reg.VecVirtual) {
	if k.bytes == 64 {
		positive := k.K()
		k.VCMPPS(less, operand.Mem{Base: masks}, zero, m.bits, positive)
		k.VMOVUPS_Z(operand.Mem{Base: from}, positive, to)
		return
	}
	mask := k.register()
	m.load(operand.Mem{Base: masks}, mask)
	k.VCMPPS(less, mask, zero, mask)
	m.load(operand.Mem{Base: from}, to)
	k.VANDPS(mask, to, to)
}

func (w winograd) scatter() {
	w.begin("scatter", "func(y, from []float32, plane, n int)")
	y, from := w.pointer("y"), w.pointer("from")
	plane, n := w.stride("plane"), w.integer("n")
	// Whole vectors are stored without a mask: on AMD's processors AVX2's masked
	// stores are slow.
	w.Label("loop")
	w.CMPQ(n, operand.U8(w.lanes()))
	w.JL(operand.LabelRef("rest"))
	w.scatterVectors(y, from, plane, w.store)
	w.ADDQ(operand.I32(w.bytes), y)
	w.ADDQ(operand.I32(w.lanes()*pixelBytes), from)
	w.SUBQ(operand.U8(w.lanes()), n)
	w.JMP(operand.LabelRef("loop"))
	w.Label("rest")
	w.TESTQ(n, n)
	w.JZ(operand.LabelRef("done"))
	m := w.firstLanes(n, w.table)
	w.scatterVectors(y, from, plane, m.store)
	w.Label("done")
	w.end()
}

// scatterVectors stores a vector of neighbouring pixels in each plane, by put.
func (w winograd) scatterVectors(y, from, plane reg.GPVirtual, put func(r reg.VecVirtual, to operand.Mem)) {
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
