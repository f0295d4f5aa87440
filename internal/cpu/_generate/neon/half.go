package neon

import "impasto/internal/cpu/_generate/arm64"

const halfUnit = 16 // see half.go of package kernels

// Half adds the kernels on features of type Half: the float16 of a sixteenth of the
// value. Conversions round as the processor is set, which Go leaves at the nearest, ties
// to even.
func Half(f *arm64.File) {
	convert(f, "widen", "func(to []float32, from []uint16)", "to", func(h half, to, from arm64.R) {
		r := h.Vector()
		h.loadThen(from, h.eight, r)
		h.Store(r, at(to, 0))
		h.Add(to, vectorBytes)
	})
	convert(f, "narrow", "func(to []uint16, from []float32)", "from", func(h half, to, from arm64.R) {
		r := h.Vector()
		h.Load(at(from, 0), r)
		h.Add(from, vectorBytes)
		h.storeThen(r, to, h.eight)
	})
	maskHalf(f)
	gatherHalf(f)
	gatherMaskedHalf(f)
	scatterHalf(f)
}

// half are kernels on values of type Half, for a positive multiple of four of them.
type half struct {
	constants
	eight arm64.R // bytes of four values
}

func beginHalf(f *arm64.File, name, signature string) half {
	k := begin(f, name, signature)
	return half{k.loadConstants(f, name+"Constants", []float64{halfUnit, 1. / halfUnit}), k.number(8)}
}

// loadThen loads four values as float32 and moves the address on by step.
func (h half) loadThen(from, step arm64.R, to arm64.V) {
	h.LoadHalvesThen(from, step, to)
	h.FCVTL(arm64.S4, to, to)
	h.times(to, halfUnit, to)
}

// storeThen rounds four float32 values, which it changes, and moves the address on.
func (h half) storeThen(from arm64.V, to, step arm64.R) {
	h.times(from, 1./halfUnit, from)
	h.FCVTN(arm64.S4, from, from)
	h.StoreHalvesThen(from, to, step)
}

// applyMask makes values zero where what a mask holds isn't positive, and moves the
// mask's address on. A Half has the sign of its float16.
func (h half) applyMask(values arm64.V, mask, step arm64.R) {
	h.Scope(func() {
		r := h.Vector()
		h.LoadHalvesThen(mask, step, r)
		h.FCVTL(arm64.S4, r, r)
		h.keepWherePositive(values, r)
	})
}

// convert adds a kernel that converts values one by one. count names the operand whose
// length it takes. body converts four and moves the addresses on.
func convert(f *arm64.File, name, signature, count string, body func(h half, to, from arm64.R)) {
	h := beginHalf(f, name, signature)
	n, to, from := h.Length(count), h.Base("to"), h.Base("from")
	h.Loop("loop", n, 4, func() { body(h, to, from) })
	h.End()
}

func maskHalf(f *arm64.File) {
	h := beginHalf(f, "maskHalf", "func(to, x []float32, mask []uint16)")
	n, to, x, mask := h.Length("to"), h.Base("to"), h.Base("x"), h.Base("mask")
	h.Loop("loop", n, 4, func() {
		r := h.Vector()
		h.Load(at(x, 0), r)
		h.applyMask(r, mask, h.eight)
		h.Store(r, at(to, 0))
		h.advance(vectorBytes, to, x)
	})
	h.End()
}

func gatherHalf(f *arm64.File) {
	h := beginHalf(f, "gatherHalf", "func(to []float32, x []uint16, plane, n, ahead int)")
	to, x, plane, n := h.Base("to"), h.Base("x"), h.Integer("plane"), h.Integer("n")
	h.ShiftLeft(plane, 1)
	from := h.General()
	h.Loop("loop", n, 4, func() {
		h.Copy(from, x)
		h.gatherFour(to, func(r arm64.V, _ int) { h.loadThen(from, plane, r) })
		h.Add(x, 8)
		h.Add(to, 4*pixelBytes)
	})
	h.End()
}

func gatherMaskedHalf(f *arm64.File) {
	h := beginHalf(f, "gatherMaskedHalf", "func(to, x []float32, mask []uint16, plane, n, ahead int)")
	to, x, mask, plane, n := h.Base("to"), h.Base("x"), h.Base("mask"), h.stride("plane"), h.Integer("n")
	from, masks, halfPlane := h.General(), h.General(), h.copyOf(plane)
	h.ShiftRight(halfPlane, 1)
	h.Loop("loop", n, 4, func() {
		h.Copy(from, x)
		h.Copy(masks, mask)
		h.gatherFour(to, func(r arm64.V, _ int) {
			h.LoadThen(from, plane, r)
			h.applyMask(r, masks, halfPlane)
		})
		h.Add(x, 16)
		h.Add(mask, 8)
		h.Add(to, 4*pixelBytes)
	})
	h.End()
}

func scatterHalf(f *arm64.File) {
	h := beginHalf(f, "scatterHalf", "func(y []uint16, from []float32, plane, n int)")
	y, from, plane, n := h.Base("y"), h.Base("from"), h.Integer("plane"), h.Integer("n")
	h.ShiftLeft(plane, 1)
	to := h.General()
	h.Loop("loop", n, 4, func() {
		h.Copy(to, y)
		h.scatterFour(from, func(r arm64.V) { h.storeThen(r, to, plane) })
		h.Add(y, 8)
		h.Add(from, 4*pixelBytes)
	})
	h.End()
}
