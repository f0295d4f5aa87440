package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitHalf adds the kernels on features of type Half: the float16 of a sixteenth of
// the value. The conversion and the multiplication of each vector are hidden by the
// time that its memory takes, of which there is half as much.
func emitHalf(ctx *build.Context) {
	constants := newConstants(ctx, "halfConstants")
	for _, isa := range isas {
		h := half{winograd{kernel: kernel{ctx, isa, false}, constants: constants}}
		h.conversions()
		h.mask()
		h.gather()
		h.gatherMasked()
		h.scatter()
	}
}

// half are kernels on values of type Half.
type half struct{ winograd }

const halfUnit = 16 // see half.go of package kernels

// loadHalf loads a vector of Half as float32.
func (h half) loadHalf(from operand.Mem, to reg.VecVirtual) {
	h.VCVTPH2PS(from, to)
	h.VMULPS(h.memory(halfUnit), to, to)
}

// storeHalf rounds a vector of float32, which it changes.
func (h half) storeHalf(from reg.VecVirtual, to operand.Mem) {
	const nearestEven = operand.U8(0)
	h.VMULPS(h.memory(1./halfUnit), from, from)
	h.VCVTPS2PH(nearestEven, from, to)
}

// applyMask makes values zero where what a mask holds isn't positive. A Half has
// the sign of its float16.
func (h half) applyMask(values, zero reg.VecVirtual, mask operand.Mem) {
	r := h.register()
	h.VCVTPH2PS(mask, r)
	h.keepWherePositive(values, r, zero)
}

// convert adds a kernel that converts values one by one, from elements of so many
// bytes to others. count names the operand whose length it takes.
func (h half) convert(name, signature, count string, toBytes, fromBytes int, body func(r reg.VecVirtual, to, from operand.Mem)) {
	h.begin(name, signature)
	n, to, from := h.length(count), h.pointer("to"), h.pointer("from")
	h.eachVector(n, func() {
		body(h.register(), operand.Mem{Base: to}, operand.Mem{Base: from})
	}, cursor{to, toBytes}, cursor{from, fromBytes})
}

func (h half) conversions() {
	h.convert("widen", "func(to []float32, from []uint16)", "to", 4, 2, func(r reg.VecVirtual, to, from operand.Mem) {
		h.loadHalf(from, r)
		h.store(r, to)
	})
	h.convert("narrow", "func(to []uint16, from []float32)", "from", 2, 4, func(r reg.VecVirtual, to, from operand.Mem) {
		h.load(from, r)
		h.storeHalf(r, to)
	})
}

func (h half) mask() {
	h.begin("maskHalf", "func(to, x []float32, mask []uint16)")
	n, to, x, mask := h.length("to"), h.pointer("to"), h.pointer("x"), h.pointer("mask")
	zero := h.zeros(1)[0]
	h.eachVector(n, func() {
		r := h.register()
		h.load(operand.Mem{Base: x}, r)
		h.applyMask(r, zero, operand.Mem{Base: mask})
		h.store(r, operand.Mem{Base: to})
	}, cursor{to, 4}, cursor{x, 4}, cursor{mask, 2})
}

func (h half) gather() {
	h.begin("gatherHalf", "func(to []float32, x []uint16, plane, n, ahead int)")
	to, x := h.pointer("to"), h.pointer("x")
	plane, n, ahead := h.integer("plane"), h.integer("n"), h.integer("ahead")
	h.ADDQ(plane, plane)
	h.ADDQ(ahead, ahead)
	h.eachVector(n, func() {
		from := h.GP64()
		h.MOVQ(x, from)
		h.vectorsOfPixel(func(offset int) {
			rows := h.registers(h.lanes())
			for _, r := range rows {
				h.PREFETCHT0(operand.Mem{Base: from, Index: ahead, Scale: 1})
				h.loadHalf(operand.Mem{Base: from}, r)
				h.ADDQ(plane, from)
			}
			h.putPixels(rows, to, offset)
		})
	}, cursor{to, pixelBytes}, cursor{x, 2})
}

func (h half) gatherMasked() {
	h.begin("gatherMaskedHalf", "func(to, x []float32, mask []uint16, plane, n, ahead int)")
	to, x, mask := h.pointer("to"), h.pointer("x"), h.pointer("mask")
	plane, n, ahead := h.integer("plane"), h.integer("n"), h.integer("ahead")
	zero := h.zeros(1)[0]
	h.eachVector(n, func() {
		from, masks := h.GP64(), h.GP64()
		h.MOVQ(x, from)
		h.MOVQ(mask, masks)
		h.vectorsOfPixel(func(offset int) {
			rows := h.registers(h.lanes())
			for _, r := range rows {
				h.PREFETCHT0(operand.Mem{Base: from, Index: ahead, Scale: 4})
				h.load(operand.Mem{Base: from}, r)
				h.PREFETCHT0(operand.Mem{Base: masks, Index: ahead, Scale: 2})
				h.applyMask(r, zero, operand.Mem{Base: masks})
				h.LEAQ(operand.Mem{Base: from, Index: plane, Scale: 4}, from)
				h.LEAQ(operand.Mem{Base: masks, Index: plane, Scale: 2}, masks)
			}
			h.putPixels(rows, to, offset)
		})
	}, cursor{to, pixelBytes}, cursor{x, 4}, cursor{mask, 2})
}

func (h half) scatter() {
	h.begin("scatterHalf", "func(y []uint16, from []float32, plane, n int)")
	y, from, plane, n := h.pointer("y"), h.pointer("from"), h.integer("plane"), h.integer("n")
	h.ADDQ(plane, plane)
	h.eachVector(n, func() { h.scatterVectors(y, from, plane, h.storeHalf) }, cursor{y, 2}, cursor{from, pixelBytes})
}
