package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	pairRowBytes = rowBytes / 2 // of V in bfloat16: a chunk of channels, two a word
	roundUp      = 0x8000       // half of a bfloat16's last place
)

// emitBFloat16 adds the kernels of Winograd's convolution with products of
// bfloat16, for processors with AVX512_BF16. V and U hold pairs of channels, the
// even one in a word's lower half; see winograd_bfloat16.go of package kernels.
func emitBFloat16(ctx *build.Context) {
	w := winograd{kernel: kernel{ctx, isas[0], false}, constants: newConstants(ctx, "bfloat16Constants"), form: forms[0]}
	w.transformRowsBFloat16()
	w.transformFilterBFloat16()
	w.multiplyBFloat16()
}

// round leaves the nearest bfloat16 in the upper halves of r.
func (w winograd) round(r reg.VecVirtual) {
	w.VPADDD(w.memory(float64(math.Float32frombits(roundUp))), r, r)
}

func (w winograd) transformRowsBFloat16() {
	w.begin("transformRowsBFloat16", "func(v, x []float32, step, row, n int)")
	w.transformAllRows(pairRowBytes, func(r reg.VecVirtual, to operand.Mem) {
		w.round(r)
		w.VPSRLD(operand.U8(16), r, r)
		w.VPMOVDW(r, to)
	})
	w.end()
}

// transformFilterBFloat16 transforms the filters of two input channels at a
// time.
func (w winograd) transformFilterBFloat16() {
	w.begin("transformFilterBFloat16", "func(u, filters []float32, step, turned int)")
	u, even := w.pointer("u"), w.pointer("filters")
	matrices := w.newSteps(w.stride("step"), w.inputs())
	taps := w.taps(even)
	bits, lower := w.GP32(), w.K()
	w.MOVL(operand.U32(0x55555555), bits)
	w.KMOVD(bits, lower)
	pairs := w.GP64()
	w.MOVQ(operand.U32(channelBlock/2), pairs)
	w.loop("loop", pairs, func() {
		to, odd := w.GP64(), w.GP64()
		w.MOVQ(u, to)
		w.LEAQ(operand.Mem{Base: even, Disp: 9 * tapBytes}, odd)
		evenRows, oddRows := w.filterRows(taps, even, 0), w.filterRows(taps, odd, 0)
		for i := range evenRows {
			a, b := evenRows[i](), oddRows[i]()
			for row := range a {
				first, second := w.transformFilterRow(a[row]), w.transformFilterRow(b[row])
				for j := range first {
					low, high := w.copy(first[j]), w.copy(second[j])
					w.round(low)
					w.round(high)
					w.VPSRLD(operand.U8(16), low, low)
					w.VMOVDQU16(low, lower, high)
					w.store(high, matrices.at(to, j, 0))
				}
				w.LEAQ(matrices.at(to, w.inputs(), 0), to)
			}
		}
		w.ADDQ(operand.I32(2*9*tapBytes), even)
		w.ADDQ(operand.I32(rowBytes), u)
	})
	w.end()
}

// multiplyBFloat16 is multiply with an instruction that adds two products, of a pair
// of channels. The assembler doesn't know it, so its registers are fixed.
func (w winograd) multiplyBFloat16() {
	w.begin("multiplyBFloat16", "func(m, v, u []float32, n, depth, accumulate int)")
	m, v, u := w.pointer("m"), w.pointer("v"), w.pointer("u")
	n, depth, accumulate := w.integer("n"), w.integer("depth"), w.integer("accumulate")
	w.SHRQ(operand.U8(2), depth)
	left, right, count := w.GP64(), w.GP64(), w.GP64()
	tiles := func(rows int) { w.multiplyTilesBFloat16(rows, m, v, u, depth, accumulate, left, right, count) }
	w.eachGroup(n, func() {
		tiles(mostTiles)
		w.ADDQ(operand.I32(mostTiles*rowBytes), m)
		w.ADDQ(operand.I32(mostTiles*pairRowBytes), v)
	}, tiles)
	w.end()
}

// multiplyTilesBFloat16 is multiplyTiles for multiplyBFloat16. Each row keeps vectors
// sums, from register 0 on.
func (w winograd) multiplyTilesBFloat16(rows int, m, v, u, depth, accumulate, left, right, count reg.GPVirtual) {
	const vectors, value, firstWeight = 4, 28, 24
	label := func(name string) string { return fmt.Sprint(name, rows) }
	eachSum := func(f func(sum int, at operand.Mem)) {
		for r := range rows {
			for j := range vectors {
				f(r*vectors+j, operand.Mem{Base: m, Disp: r*rowBytes + j*w.bytes})
			}
		}
	}
	w.TESTQ(accumulate, accumulate)
	w.JNZ(operand.LabelRef(label("accumulate")))
	eachSum(func(sum int, _ operand.Mem) { w.VPXORD(zmm(sum), zmm(sum), zmm(sum)) })
	w.JMP(operand.LabelRef(label("start")))
	w.Label(label("accumulate"))
	eachSum(func(sum int, at operand.Mem) { w.VMOVUPS(at, zmm(sum)) })
	w.Label(label("start"))
	w.MOVQ(v, left)
	w.MOVQ(u, right)
	w.MOVQ(depth, count)
	w.loop(label("depth"), count, func() {
		for pair := range 2 {
			for j := range vectors {
				w.VMOVUPS(operand.Mem{Base: right, Disp: pair*rowBytes + j*w.bytes}, zmm(firstWeight+j))
			}
			for r := range rows {
				w.VBROADCASTSS(operand.Mem{Base: left, Disp: r*pairRowBytes + 4*pair}, zmm(value))
				for j := range vectors {
					w.dotBFloat16(value, firstWeight+j, r*vectors+j)
				}
			}
		}
		w.ADDQ(operand.I32(8), left)
		w.ADDQ(operand.I32(2*rowBytes), right)
	})
	eachSum(func(sum int, at operand.Mem) { w.VMOVUPS(zmm(sum), at) })
}

func zmm(i int) reg.VecPhysical {
	return []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}[i]
}

// dotBFloat16 is VDPBF16PS, sum += a·b by pairs, on the vector registers with
// these numbers: EVEX.512.F3.0F38.W0 52 /r (Intel 64 and IA-32 Architectures
// Software Developer's Manual, volume 2).
func (w winograd) dotBFloat16(a, b, sum int) {
	inverted := func(number, bit int) uint32 { return uint32(^number>>bit) & 1 }
	const evex, map0F38, prefixF3, length512, opcode, registers = 0x62, 2, 2, 2 << 5, 0x52, 3 << 6
	p0 := inverted(sum, 3)<<7 | inverted(b, 4)<<6 | inverted(b, 3)<<5 | inverted(sum, 4)<<4 | map0F38
	p1 := uint32(^a&15)<<3 | 1<<2 | prefixF3
	p2 := length512 | inverted(a, 4)<<3
	w.Comment(fmt.Sprintf("VDPBF16PS Z%d, Z%d, Z%d", b, a, sum))
	w.Instruction(&ir.Instruction{Opcode: "LONG", Operands: []operand.Op{operand.U32(evex | p0<<8 | p1<<16 | p2<<24)}})
	w.Instruction(&ir.Instruction{Opcode: "WORD", Operands: []operand.Op{operand.U16(opcode | registers<<8 | uint16(sum&7)<<11 | uint16(b&7)<<8)}})
}
