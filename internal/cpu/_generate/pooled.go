package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pooledGather gathers a row of the rectified gradient of a maximum pooling: the
// window's gradient where x is the window's first maximum, and positive.
type pooledGather struct {
	winograd
	to, x, beside, dy            reg.GPVirtual
	plane, pooledPlane, n, ahead reg.GPVirtual

	below bool // the row is the lower one of its windows
	zero  reg.VecVirtual
	left  reg.OpmaskVirtual // AVX-512: the left pixels of windows
}

func (w winograd) gatherPooled() {
	w.begin("gatherPooled", "func(to, x, beside, dy []float32, plane, pooledPlane, n, ahead, below int)")
	g := pooledGather{
		winograd: w, to: w.pointer("to"), x: w.pointer("x"), beside: w.pointer("beside"), dy: w.pointer("dy"),
		plane: w.stride("plane"), pooledPlane: w.stride("pooledPlane"), n: w.integer("n"), ahead: w.stride("ahead"),
	}
	below := w.integer("below")
	w.TESTQ(below, below)
	w.JNZ(operand.LabelRef("below"))
	g.rows("aboveLoop", false)
	w.end()
	w.Label("below")
	g.rows("belowLoop", true)
	w.end()
}

// rows gathers a row that lies above the other of its windows, or below.
func (g pooledGather) rows(label string, below bool) {
	g.below, g.zero, g.left = below, g.zeros(1)[0], g.K()
	if g.bytes == 64 {
		bits := g.GP32()
		g.MOVL(operand.U32(0x5555), bits)
		g.KMOVW(bits, g.left)
	}
	g.groups(label, g.n, func(pixels laneMask, count reg.GPVirtual) {
		g.SHRQ(operand.U8(1), count)
		windows := g.firstLanes(count, g.table)
		from, others, gradients := g.GP64(), g.GP64(), g.GP64()
		g.MOVQ(g.x, from)
		g.MOVQ(g.beside, others)
		g.MOVQ(g.dy, gradients)
		g.vectorsOfPixel(func(offset int) {
			rows := g.registers(g.lanes())
			for _, x := range rows {
				g.PREFETCHT0(operand.Mem{Base: from, Index: g.ahead, Scale: 1})
				g.PREFETCHT0(operand.Mem{Base: others, Index: g.ahead, Scale: 1})
				pixels.load(operand.Mem{Base: from}, x)
				other, most, pair := g.register(), g.register(), g.register()
				pixels.load(operand.Mem{Base: others}, other)
				g.maxima(x, other, most, pair)
				if g.bytes == 64 {
					g.gradientAVX512(x, other, most, pair, operand.Mem{Base: gradients}, windows)
				} else {
					g.gradientAVX2(x, other, most, pair, operand.Mem{Base: gradients}, windows)
				}
				g.ADDQ(g.plane, from)
				g.ADDQ(g.plane, others)
				g.ADDQ(g.pooledPlane, gradients)
			}
			g.putPixels(rows, g.to, offset)
		})
		g.ADDQ(operand.I32(g.bytes), g.x)
		g.ADDQ(operand.I32(g.bytes), g.beside)
		g.ADDQ(operand.I32(g.bytes/2), g.dy)
		g.ADDQ(operand.I32(g.lanes()*pixelBytes), g.to)
	})
}

// maxima makes most the maximum of the window that each pixel of x lies in, and
// other that of its pixels in the other row. It uses pair.
func (g pooledGather) maxima(x, other, most, pair reg.VecVirtual) {
	const swapPairs = operand.U8(0xb1)
	g.VPERMILPS(swapPairs, other, pair)
	g.VMAXPS(pair, other, other)
	g.VPERMILPS(swapPairs, x, pair)
	g.VMAXPS(pair, x, most)
	g.VMAXPS(other, most, most)
}

// gradientAVX512 replaces pixels of x by the gradients of their windows where they
// are the first maximum, and positive, and by zero elsewhere. It uses pair.
func (g pooledGather) gradientAVX512(x, other, most, pair reg.VecVirtual, gradients operand.Mem, windows laneMask) {
	chosen, first := g.K(), g.K()
	g.VCMPPS(less, most, g.zero, chosen)
	g.VCMPPS(equal, most, x, chosen, chosen)
	if g.below {
		g.VCMPPS(notEqual, most, other, chosen, chosen)
	}
	// Of two that are chosen, the right one is dropped.
	g.KANDW(g.left, chosen, first)
	g.KSHIFTLW(operand.U8(1), first, first)
	g.KANDNW(chosen, first, chosen)
	g.VPMOVZXDQ_Z(gradients, windows.bits, pair)
	g.VMOVSLDUP_Z(pair, chosen, x)
}

// gradientAVX2 is gradientAVX512 for AVX2. It changes the other registers.
func (g pooledGather) gradientAVX2(x, other, most, pair reg.VecVirtual, gradients operand.Mem, windows laneMask) {
	const leftToRight = operand.U8(32)
	g.VCMPPS(equal, most, x, x)
	g.VCMPPS(less, most, g.zero, pair)
	g.VANDPS(pair, x, x)
	if g.below {
		g.VCMPPS(notEqual, most, other, other)
		g.VANDPS(other, x, x)
	}
	// Of two that are chosen, the right one is dropped.
	g.VPSLLQ(leftToRight, x, pair)
	g.VANDNPS(x, pair, x)
	g.VMASKMOVPS(gradients, windows.sign.AsX(), most.AsX())
	g.VPMOVZXDQ(most.AsX(), most)
	g.VMOVSLDUP(most, most)
	g.VANDPS(most, x, x)
}
