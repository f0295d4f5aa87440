package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// notPositive is the choice in a window without a positive value; see winograd.go of
// package kernels.
const notPositive = 4

// poolPixels writes the maximum of every two by two pixels of two rows.
func (w winograd) poolPixels() {
	w.begin("poolPixels", "func(to, x []float32, row, n int)")
	w.eachWindow(func(window) {}, func() {})
	w.end()
}

// choosePixels is poolPixels, and writes which pixel of the window is its maximum. Of
// those that are, the first is written over the later ones.
func (w winograd) choosePixels() {
	w.begin("choosePixels", "func(to []float32, choices []uint8, x []float32, row, n int)")
	choices := w.pointer("choices")
	zero := w.zeros(1)[0]
	w.eachWindow(func(v window) {
		choice, chosen := w.register(), w.register()
		w.load(w.integer32(3), choice)
		for i := 2; i >= 0; i-- {
			w.compare(equal, v.pixel(i), v.most, func(m laneMask) { m.blend(w.integer32(uint32(i)), choice) })
		}
		w.load(w.integer32(notPositive), chosen)
		w.compare(less, v.most, zero, func(m laneMask) { m.blend(choice, chosen) })
		w.storeBytes(chosen, operand.Mem{Base: choices, Disp: v.offset / 4})
	}, func() { w.ADDQ(operand.I32(channelBlock), choices) })
	w.end()
}

// window is a vector of two by two pixels and their maximum.
type window struct {
	pixel  func(i int) operand.Mem // row by row
	most   reg.VecVirtual
	offset int // of the vector in a pixel
}

// eachWindow stores the maximum of every window. It calls also with each vector of a
// window, and next after each window.
func (w winograd) eachWindow(also func(window), next func()) {
	to, x, n, row := w.pointer("to"), w.pointer("x"), w.integer("n"), w.stride("row")
	w.loop("loop", n, func() {
		w.vectorsOfPixel(func(offset int) {
			v := window{most: w.register(), offset: offset, pixel: func(i int) operand.Mem {
				m := operand.Mem{Base: x, Disp: i%2*pixelBytes + offset}
				if i >= 2 {
					m.Index, m.Scale = row, 1
				}
				return m
			}}
			w.load(v.pixel(0), v.most)
			for i := 1; i < 4; i++ {
				w.VMAXPS(v.pixel(i), v.most, v.most)
			}
			also(v)
			w.store(v.most, operand.Mem{Base: to, Disp: offset})
		})
		w.ADDQ(operand.I32(2*pixelBytes), x)
		w.ADDQ(operand.I32(pixelBytes), to)
		next()
	})
}

// expandPixels writes one row of windows from a pixel of each, which goes to the place
// in the window that was chosen.
func (w winograd) expandPixels() {
	w.begin("expandPixels", "func(to, dy []float32, choices []uint8, n, below int)")
	to, dy, choices, n := w.pointer("to"), w.pointer("dy"), w.pointer("choices"), w.integer("n")
	position := w.integer("below")
	w.ADDQ(position, position)
	left := w.broadcast32(position)
	w.INCQ(position)
	right := w.broadcast32(position)
	w.loop("loop", n, func() {
		w.vectorsOfPixel(func(offset int) {
			d, choice := w.register(), w.register()
			w.load(operand.Mem{Base: dy, Disp: offset}, d)
			w.VPMOVZXBD(operand.Mem{Base: choices, Disp: offset / 4}, choice)
			w.store(w.whereSame(choice, left, d), operand.Mem{Base: to, Disp: offset})
			w.store(w.whereSame(choice, right, d), operand.Mem{Base: to, Disp: pixelBytes + offset})
		})
		w.ADDQ(operand.I32(pixelBytes), dy)
		w.ADDQ(operand.I32(channelBlock), choices)
		w.ADDQ(operand.I32(2*pixelBytes), to)
	})
	w.end()
}

// compare calls then with the lanes in which y < x, or as the predicate says.
func (k kernel) compare(predicate operand.U8, x operand.Op, y reg.VecVirtual, then func(laneMask)) {
	m := laneMask{k: k}
	if k.bytes == 64 {
		m.bits = k.K()
		k.VCMPPS(predicate, x, y, m.bits)
	} else {
		m.sign = k.register()
		k.VCMPPS(predicate, x, y, m.sign)
	}
	then(m)
}

// blend writes lanes of from over those of to.
func (m laneMask) blend(from operand.Op, to reg.VecVirtual) {
	if m.k.bytes == 64 {
		m.k.VMOVUPS(from, m.bits, to)
	} else {
		m.k.VBLENDVPS(m.sign, from, to, to)
	}
}

// whereSame are the values in the lanes in which integers of 32 bits are the same, and
// zeros.
func (k kernel) whereSame(a operand.Op, b, values reg.VecVirtual) reg.VecVirtual {
	r := k.register()
	if k.bytes == 64 {
		same := k.K()
		k.VPCMPEQD(a, b, same)
		k.VMOVAPS_Z(values, same, r)
		return r
	}
	k.VPCMPEQD(a, b, r)
	k.VANDPS(values, r, r)
	return r
}

// broadcast32 fills the lanes with an integer of 32 bits.
func (k kernel) broadcast32(from reg.GPVirtual) reg.VecVirtual {
	low, r := k.XMM(), k.register()
	k.VMOVQ(from, low)
	k.VPBROADCASTD(low, r)
	return r
}

// storeBytes stores lanes of 32 bits, which hold integers below 128, as bytes.
func (k kernel) storeBytes(from reg.VecVirtual, to operand.Mem) {
	if k.bytes == 64 {
		k.VPMOVDB(from, to)
		return
	}
	high := k.XMM()
	k.VEXTRACTF128(operand.U8(1), from, high)
	k.VPACKUSDW(high, from.AsX(), high)
	k.VPACKUSWB(high, high, high)
	k.VMOVQ(high, to)
}
