package main

import (
	"fmt"
	"slices"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitAMX adds the kernels of convolutions by AMX, whose registers are tiles of up to 16
// rows of 64 bytes; see tiles.go of package kernels.
func emitAMX(ctx *build.Context) {
	vectors := isas[0]
	vectors.name = "AMX"
	w := winograd{kernel: kernel{ctx, vectors, false}, constants: newConstants(ctx, "amxConstants")}
	w.packPixels()
	w.packFilters()
	t := tiles{w.kernel, configuration(ctx)}
	t.convolve()
	t.inUse()
}

// The tiles' numbers. Sums are two rows of tiles by two columns.
const (
	sumTile   = 0
	leftTile  = 4
	rightTile = 6
	allTiles  = 8
)

// The sizes of tiles, in bytes but for rows.
const (
	tileRows    = 16
	tileBytes   = 64 // of a row
	tileSize    = tileRows * tileBytes
	filterBytes = 9 * tileSize // of a chunk of input channels by 16 of the output
)

// configuration adds the table that gives all tiles their whole size: from byte 16 on,
// the bytes in a row of each in 16 bits, and from byte 48 on the count of rows.
func configuration(ctx *build.Context) operand.Mem {
	table := ctx.StaticGlobal("tileConfiguration")
	ctx.DataAttributes(readOnlyTable)
	all := [64]byte{0: 1} // the only palette
	for tile := range allTiles {
		all[16+2*tile], all[48+tile] = tileBytes, tileRows
	}
	for i, b := range all {
		ctx.AddDatum(i, operand.U8(b))
	}
	return table
}

// packPixels rounds pixels.
func (w winograd) packPixels() {
	w.begin("packPixels", "func(v, x []float32, n int)")
	v, x, n := w.pointer("v"), w.pointer("x"), w.integer("n")
	w.loop("loop", n, func() {
		r := w.register()
		w.load(operand.Mem{Base: x}, r)
		w.round(r)
		w.VPSRLD(operand.U8(16), r, r)
		w.VPMOVDW(r, operand.Mem{Base: v})
		w.ADDQ(operand.I32(pixelBytes), x)
		w.ADDQ(operand.I32(tileBytes), v)
	})
	w.end()
}

// packFilters rounds the filters of two input channels at a time.
func (w winograd) packFilters() {
	w.begin("packFilters", "func(u, filters []float32, turned int)")
	u, filters, turned := w.pointer("u"), w.pointer("filters"), w.integer("turned")
	step := w.GP64()
	w.MOVQ(operand.I32(tileSize), step)
	w.TESTQ(turned, turned)
	w.JZ(operand.LabelRef("pairs"))
	w.ADDQ(operand.I32(8*tileSize), u)
	w.NEGQ(step)
	w.Label("pairs")
	bits, lower := w.GP32(), w.K()
	w.MOVL(operand.U32(0x55555555), bits)
	w.KMOVD(bits, lower)
	pairs, to := w.GP64(), w.GP64()
	w.MOVQ(operand.U32(channelBlock/2), pairs)
	w.loop("loop", pairs, func() {
		w.MOVQ(u, to)
		for tap := range 9 {
			even, odd := w.register(), w.register()
			w.load(operand.Mem{Base: filters, Disp: tap * tapBytes}, even)
			w.load(operand.Mem{Base: filters, Disp: (9 + tap) * tapBytes}, odd)
			w.round(even)
			w.round(odd)
			w.VPSRLD(operand.U8(16), even, even)
			w.VMOVDQU16(even, lower, odd)
			w.store(odd, operand.Mem{Base: to})
			w.ADDQ(step, to)
		}
		w.ADDQ(operand.I32(2*9*tapBytes), filters)
		w.ADDQ(operand.I32(tileBytes), u)
	})
	w.end()
}

// tiles are kernels by AMX. Avo and Go's assembler don't know its instructions, so
// registers are fixed.
type tiles struct {
	kernel
	configuration operand.Mem
}

// convolve keeps 2 × 2 tiles of sums, 32 pixels by 32 output channels, over all taps and
// input channels: 4 loads for 4 products of 16×16 by 32 channels. It releases the tiles at
// its end, so that they are in use nowhere but here: where Go stops a thread in between,
// the system saves them, and none outlives the call.
//
// On an Intel Xeon with AMX it reaches 2.6 to 3.3 TFLOP/s a core where all that it reads
// is in the second-level cache, 13 times multiplyAVX512's rate.
func (t tiles) convolve() {
	t.function("convolveTilesAMX", "func(m, v, u, biases []float32, n, row, plane, chunks, rectify int)", "is convolveTilesGo.")
	var (
		sums, otherSums       = reg.RDI, reg.RBX // other: of the second 16 channels
		filters, otherFilters = reg.RDX, reg.R15
		right, otherRight     = reg.R10, reg.R11
		pixels, left, tap     = reg.RSI, reg.R9, reg.R14
		plane, row, stride    = reg.R12, reg.R13, reg.R8
		chunks, other, rest   = reg.RAX, reg.RAX, reg.RCX
	)
	t.LEAQ(t.configuration, other)
	t.configure(other)
	t.Load(t.Param("m").Base(), sums)
	t.Load(t.Param("v").Base(), pixels)
	t.Load(t.Param("u").Base(), filters)
	t.Load(t.Param("n"), rest)
	t.Load(t.Param("row"), row)
	t.Load(t.Param("plane"), plane)
	t.Load(t.Param("chunks"), otherFilters)
	t.SHLQ(operand.U8(2), row)
	t.SHLQ(operand.U8(2), plane)
	t.IMUL3Q(operand.U32(filterBytes), otherFilters, otherFilters)
	t.ADDQ(filters, otherFilters)
	t.MOVQ(rest, otherSums)
	t.SHLQ(operand.U8(6), otherSums)
	t.ADDQ(sums, otherSums)
	t.MOVQ(operand.U32(tileBytes), stride)
	at := func(base reg.Register, tile int) operand.Mem {
		return operand.Mem{Base: base, Index: stride, Scale: 1, Disp: tile * tileSize}
	}

	t.Label("pixels")
	t.Load(t.Param("biases").Base(), other)
	for i := range 4 { // without an index all rows are the same
		t.loadTile(sumTile+i, operand.Mem{Base: other, Disp: i % 2 * pixelBytes})
	}
	t.MOVQ(pixels, left)
	t.MOVQ(filters, right)
	t.MOVQ(otherFilters, otherRight)
	t.Load(t.Param("chunks"), chunks)
	t.Label("depth")
	t.MOVQ(left, tap)
	for i := range 9 {
		t.loadTile(rightTile, at(right, i))
		t.loadTile(rightTile+1, at(otherRight, i))
		for half := range 2 {
			from := at(tap, half)
			from.Disp += i % 3 * tileBytes
			t.loadTile(leftTile+half, from)
			for j := range 2 {
				t.addProduct(sumTile+2*half+j, leftTile+half, rightTile+j)
			}
		}
		if i%3 == 2 {
			t.ADDQ(row, tap)
		}
	}
	t.ADDQ(plane, left)
	t.ADDQ(operand.U32(filterBytes), right)
	t.ADDQ(operand.U32(filterBytes), otherRight)
	t.DECQ(chunks)
	t.JNZ(operand.LabelRef("depth"))
	for i := range 2 {
		t.storeTile(sumTile+2*i, at(sums, i))
		t.storeTile(sumTile+2*i+1, at(otherSums, i))
	}
	t.Load(t.Param("rectify"), other)
	t.TESTQ(other, other)
	t.JZ(operand.LabelRef("next"))
	t.VPXORD(reg.Z0, reg.Z0, reg.Z0)
	for _, base := range []reg.Register{sums, otherSums} {
		for i := range 2 * tileRows {
			pixel := operand.Mem{Base: base, Disp: i * pixelBytes}
			t.VMAXPS(pixel, reg.Z0, reg.Z1) // in this order of operands NaN stays NaN
			t.VMOVUPS(reg.Z1, pixel)
		}
	}
	t.Label("next")
	for _, r := range []reg.Register{sums, otherSums, pixels} {
		t.ADDQ(operand.U32(2*tileSize), r)
	}
	t.SUBQ(operand.U8(2*tileRows), rest)
	t.JNZ(operand.LabelRef("pixels"))
	t.release()
	t.VZEROUPPER()
	t.RET()
}

// inUse reads which registers aren't in their first state (XINUSE).
func (t tiles) inUse() {
	const tileData = 18
	t.function("tilesInUse", "func() bool", "tells whether this thread's tiles hold values.")
	t.MOVL(operand.U32(1), reg.ECX)
	t.XGETBV()
	t.BTL(operand.U8(tileData), reg.EAX)
	t.SETCS(reg.AL)
	t.Store(reg.AL, t.ReturnIndex(0))
	t.RET()
}

// The instructions' prefixes, as Intel's manual writes them: all are VEX.128.0F38.W0.
const (
	prefixNone = iota
	prefix66
	prefixF3
	prefixF2
)

// configure clears all tiles and gives them the sizes in memory.
func (t tiles) configure(at reg.Register) {
	t.Comment("LDTILECFG (AX)")
	t.encode(prefixNone, 0x49, 0, operand.Mem{Base: at})
}

func (t tiles) release() {
	t.Comment("TILERELEASE")
	t.encodeRegisters(prefixNone, 0, 0x49, 0, 0)
}

func (t tiles) loadTile(tile int, from operand.Mem) {
	t.Comment(fmt.Sprintf("TILELOADD %s, T%d", from.Asm(), tile))
	t.encode(prefixF2, 0x4b, tile, from)
}

func (t tiles) storeTile(tile int, to operand.Mem) {
	t.Comment(fmt.Sprintf("TILESTORED T%d, %s", tile, to.Asm()))
	t.encode(prefixF3, 0x4b, tile, to)
}

// addProduct is TDPBF16PS, sum += left·right, where rows of left and columns of right
// hold pairs of bfloat16.
func (t tiles) addProduct(sum, left, right int) {
	t.Comment(fmt.Sprintf("TDPBF16PS T%d, T%d, T%d", right, left, sum))
	t.encodeRegisters(prefixF3, right, 0x5c, sum, left)
}

// encodeRegisters writes an instruction on tiles, of which second is the one in VEX.
func (t tiles) encodeRegisters(prefix, second, opcode, tile, of int) {
	t.bytes(0xc4, 0xe2, vex(prefix, second), opcode, 0xc0|tile<<3|of)
}

// encode writes an instruction on a tile and memory, where an index counts single bytes.
func (t tiles) encode(prefix, opcode, tile int, m operand.Mem) {
	const longDisplacement, indexed, none = 0x80, 4, 4
	base, index := number(m.Base), none
	if m.Index != nil {
		index = number(m.Index)
	}
	t.bytes(0xc4, 0x82|(^index>>3&1)<<6|(^base>>3&1)<<5, vex(prefix, 0), opcode, longDisplacement|tile<<3|indexed, index&7<<3|base&7)
	t.Instruction(&ir.Instruction{Opcode: "LONG", Operands: []operand.Op{operand.U32(m.Disp)}})
}

// vex is the third byte of a VEX prefix.
func vex(prefix, second int) int { return (^second&15)<<3 | prefix }

// number is the number of a register in instructions.
func number(r reg.Register) int {
	return slices.Index([]reg.Register{
		reg.RAX, reg.RCX, reg.RDX, reg.RBX, reg.RSP, reg.RBP, reg.RSI, reg.RDI,
		reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R14, reg.R15,
	}, r)
}

func (t tiles) bytes(all ...int) {
	for _, b := range all {
		t.Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []operand.Op{operand.U8(b)}})
	}
}
