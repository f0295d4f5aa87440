package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitHalf adds the kernels on features of half.go, float16 of a sixteenth of the
// value. A conversion and a multiplication a vector disappear behind the caches;
// to and from memory there is half as much.
func emitHalf(ctx *build.Context) {
	constants := newConstants(ctx, "halfConstants")
	for _, isa := range isas {
		h := half{winograd{kernel: kernel{ctx, isa, false}, constants: constants}}
		h.widen()
		h.narrow()
		h.gate()
		h.gather()
		h.gatherGated()
		h.scatter()
	}
}

type half struct{ winograd }

const halfUnit = 16

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

// keepOpen makes values zero where what a gate holds isn't positive. A Half has the
// sign of its float16.
func (h half) keepOpen(values, zero reg.VecVirtual, gate operand.Mem) {
	const lessThan = operand.U8(17) // ordered, quiet
	open := h.register()
	h.VCVTPH2PS(gate, open)
	if h.bytes == 64 {
		mask := h.K()
		h.VCMPPS(lessThan, open, zero, mask)
		h.VMOVAPS_Z(values, mask, values)
		return
	}
	h.VCMPPS(lessThan, open, zero, open)
	h.VANDPS(open, values, values)
}

// moving is a pointer to elements of so many bytes.
type moving struct {
	pointer reg.GPVirtual
	element int
}

// eachVector repeats body for count elements, a vector at a time, and ends.
func (h half) eachVector(count reg.GPVirtual, body func(), pointers ...moving) {
	h.Label("loop")
	body()
	for _, p := range pointers {
		h.ADDQ(operand.I32(int32(h.lanes()*p.element)), p.pointer)
	}
	h.SUBQ(operand.U8(h.lanes()), count)
	h.JG(operand.LabelRef("loop"))
	h.end()
}

func (h half) length(name string) reg.GPVirtual {
	return h.Load(h.Param(name).Len(), h.GP64()).(reg.GPVirtual)
}

func (h half) widen() {
	h.begin("widen", "func(to []float32, from []uint16)")
	n, to, from := h.length("to"), h.pointer("to"), h.pointer("from")
	h.eachVector(n, func() {
		r := h.register()
		h.loadHalf(operand.Mem{Base: from}, r)
		h.store(r, operand.Mem{Base: to})
	}, moving{to, 4}, moving{from, 2})
}

func (h half) narrow() {
	h.begin("narrow", "func(to []uint16, from []float32)")
	n, to, from := h.length("from"), h.pointer("to"), h.pointer("from")
	h.eachVector(n, func() {
		r := h.register()
		h.load(operand.Mem{Base: from}, r)
		h.storeHalf(r, operand.Mem{Base: to})
	}, moving{to, 2}, moving{from, 4})
}

func (h half) gate() {
	h.begin("gateHalf", "func(to, x []float32, gate []uint16)")
	n, to, x, gate := h.length("to"), h.pointer("to"), h.pointer("x"), h.pointer("gate")
	zero := h.register()
	h.zero(zero)
	h.eachVector(n, func() {
		r := h.register()
		h.load(operand.Mem{Base: x}, r)
		h.keepOpen(r, zero, operand.Mem{Base: gate})
		h.store(r, operand.Mem{Base: to})
	}, moving{to, 4}, moving{x, 4}, moving{gate, 2})
}

// put stores vectors of neighbouring pixels, one of each channel, as pixels.
func (h half) put(rows []reg.VecVirtual, to reg.GPVirtual, offset int) {
	for p, column := range h.transpose(rows) {
		h.store(column, operand.Mem{Base: to, Disp: p*pixelBytes + offset})
	}
}

func (h half) gather() {
	h.begin("gatherHalf", "func(to []float32, x []uint16, plane, n, ahead int)")
	to, x := h.pointer("to"), h.pointer("x")
	plane, n, ahead := h.value("plane"), h.value("n"), h.value("ahead")
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
			h.put(rows, to, offset)
		})
	}, moving{to, pixelBytes}, moving{x, 2})
}

func (h half) gatherGated() {
	h.begin("gatherGatedHalf", "func(to, x []float32, gate []uint16, plane, n, ahead int)")
	to, x, gate := h.pointer("to"), h.pointer("x"), h.pointer("gate")
	plane, n, ahead := h.value("plane"), h.value("n"), h.value("ahead")
	zero := h.register()
	h.zero(zero)
	h.eachVector(n, func() {
		from, gates := h.GP64(), h.GP64()
		h.MOVQ(x, from)
		h.MOVQ(gate, gates)
		h.vectorsOfPixel(func(offset int) {
			rows := h.registers(h.lanes())
			for _, r := range rows {
				h.PREFETCHT0(operand.Mem{Base: from, Index: ahead, Scale: 4})
				h.load(operand.Mem{Base: from}, r)
				h.PREFETCHT0(operand.Mem{Base: gates, Index: ahead, Scale: 2})
				h.keepOpen(r, zero, operand.Mem{Base: gates})
				h.LEAQ(operand.Mem{Base: from, Index: plane, Scale: 4}, from)
				h.LEAQ(operand.Mem{Base: gates, Index: plane, Scale: 2}, gates)
			}
			h.put(rows, to, offset)
		})
	}, moving{to, pixelBytes}, moving{x, 4}, moving{gate, 2})
}

func (h half) scatter() {
	h.begin("scatterHalf", "func(y []uint16, from []float32, plane, n int)")
	y, from, plane, n := h.pointer("y"), h.pointer("from"), h.value("plane"), h.value("n")
	h.ADDQ(plane, plane)
	h.eachVector(n, func() {
		to := h.GP64()
		h.MOVQ(y, to)
		h.vectorsOfPixel(func(offset int) {
			pixels := h.registers(h.lanes())
			for p := range pixels {
				h.load(operand.Mem{Base: from, Disp: p*pixelBytes + offset}, pixels[p])
			}
			for _, row := range h.transpose(pixels) {
				h.storeHalf(row, operand.Mem{Base: to})
				h.ADDQ(plane, to)
			}
		})
	}, moving{y, 2}, moving{from, pixelBytes})
}
