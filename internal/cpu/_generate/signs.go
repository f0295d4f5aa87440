package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// signPixels writes a bit for each channel of pixels, 1 where it is positive.
func (w winograd) signPixels() {
	w.begin("signPixels", "func(signs []uint16, x []float32, n int)")
	signs, x, n := w.pointer("signs"), w.pointer("x"), w.integer("n")
	zero := w.zeros(1)[0]
	w.loop("loop", n, func() {
		if w.bytes == 64 {
			positive := w.K()
			w.VCMPPS(less, operand.Mem{Base: x}, zero, positive)
			w.KMOVW(positive, operand.Mem{Base: signs})
		} else {
			low, high, positive := w.GP32(), w.GP32(), w.register()
			w.VCMPPS(less, operand.Mem{Base: x}, zero, positive)
			w.VMOVMSKPS(positive, low)
			w.VCMPPS(less, operand.Mem{Base: x, Disp: w.bytes}, zero, positive)
			w.VMOVMSKPS(positive, high)
			w.SHLL(operand.U8(w.lanes()), high)
			w.ORL(high, low)
			w.MOVW(low.As16(), operand.Mem{Base: signs})
		}
		w.ADDQ(operand.I32(pixelBytes), x)
		w.ADDQ(operand.I32(channelBlock/8), signs)
	})
	w.end()
}

// maskPixels makes channels of pixels zero where their bit is.
func (w winograd) maskPixels() {
	w.begin("maskPixels", "func(x []float32, signs []uint16, n int)")
	x, signs, n := w.pointer("x"), w.pointer("signs"), w.integer("n")
	w.loop("loop", n, func() {
		if w.bytes == 64 {
			positive, r := w.K(), w.register()
			w.KMOVW(operand.Mem{Base: signs}, positive)
			w.VMOVUPS_Z(operand.Mem{Base: x}, positive, r)
			w.store(r, operand.Mem{Base: x})
		} else {
			word := w.register()
			w.VPBROADCASTW(operand.Mem{Base: signs}, word)
			w.vectorsOfPixel(func(offset int) {
				r := w.register()
				w.VPAND(w.channelBits.Offset(offset), word, r)
				w.VPCMPEQD(w.channelBits.Offset(offset), r, r)
				w.VANDPS(operand.Mem{Base: x, Disp: offset}, r, r)
				w.store(r, operand.Mem{Base: x, Disp: offset})
			})
		}
		w.ADDQ(operand.I32(pixelBytes), x)
		w.ADDQ(operand.I32(channelBlock/8), signs)
	})
	w.end()
}

// bitTable adds a read-only table of integers of 32 bits, of which each has the bit of
// one channel of a pixel.
func bitTable(ctx *build.Context, name string) operand.Mem {
	table := ctx.StaticGlobal(name)
	ctx.DataAttributes(readOnlyTable)
	for c := range channelBlock {
		ctx.AddDatum(4*c, operand.U32(1<<c))
	}
	return table
}
