package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// emitProduct adds the kernels of matrix products on packed panels. From the
// first-level cache they run at the peak: 268 GFLOP/s a core on Zen 5 in float32
// and half of that in float64 (AVX2: 130).
func emitProduct(ctx *build.Context) {
	table := laneTable(ctx, "productMask")
	for _, isa := range isas {
		for _, double := range []bool{false, true} {
			k := kernel{ctx, isa, double}
			for vectors := 1; vectors <= tileVectors; vectors++ {
				k.product(vectors, table)
			}
			k.pack()
			k.packLeft()
		}
	}
}

// beginTyped begins a function whose name and signature have the element's bits.
func (k kernel) beginTyped(name, suffix, signature, doc string) {
	bits := 8 * k.element()
	k.function(fmt.Sprint(name, bits, k.name, suffix), fmt.Sprintf(signature, bits), doc)
}

func (k kernel) product(vectors int, table operand.Mem) {
	k.beginTyped("product", fmt.Sprint("x", vectors), "func(c []float%[1]d, cRow int, a, b []float%[1]d, depth, accumulate, last int)",
		fmt.Sprintf("is a productKernel for %d rows by up to %d columns.", k.rows, vectors*k.lanes()))
	c, cRow := k.pointer("c"), k.stride("cRow")
	sums := k.registerTile(k.rows, vectors)

	// C is prefetched while products are summed.
	address := k.GP64()
	k.MOVQ(c, address)
	for r := range sums {
		for v, sum := range sums[r] {
			k.zero(sum)
			k.PREFETCHT0(k.vectorAt(address, v))
		}
		k.ADDQ(cRow, address)
	}
	a, b, depth := k.pointer("a"), k.pointer("b"), k.integer("depth")
	right, left := k.registers(vectors), k.register()
	k.loop("loop", depth, func() {
		k.loadRow(b, right)
		k.outerProduct(sums, func(r int) operand.Mem { return operand.Mem{Base: a, Disp: r * k.element()} }, left, right)
		k.ADDQ(operand.U32(panelRows*k.element()), a)
		k.ADDQ(operand.U32(vectors*k.bytes), b)
	})

	last, accumulate := k.integer("last"), k.integer("accumulate")
	k.TESTQ(accumulate, accumulate)
	k.JZ(operand.LabelRef("write"))
	m := k.firstLanes(last, table)
	k.MOVQ(c, address)
	for r := range sums {
		for v, sum := range sums[r][:vectors-1] {
			k.add(k.vectorAt(address, v), sum)
		}
		m.load(k.vectorAt(address, vectors-1), left)
		k.add(left, sums[r][vectors-1])
		k.ADDQ(cRow, address)
	}
	k.Label("write")
	k.writeTile(c, cRow, sums, last, table)
}

// pack copies rows of the right operand, as wide as a tile, into a panel.
func (k kernel) pack() {
	k.beginTyped("pack", "", "func(to, from []float%d, stride, rows int)", "is a packKernel.")
	to, from, stride, rows := k.pointer("to"), k.pointer("from"), k.integer("stride"), k.integer("rows")
	k.toBytes(stride)
	row := k.registers(tileVectors)
	k.loop("loop", rows, func() {
		k.loadRow(from, row)
		k.storeRow(row, to)
		k.ADDQ(stride, from)
		k.ADDQ(operand.I32(int32(tileVectors*k.bytes)), to)
	})
	k.end()
}

// packLeft copies 8 rows of the left operand into a panel, column by column. Both
// instruction sets transpose squares of float32 in vectors of 8.
func (k kernel) packLeft() {
	k.beginTyped("packLeft", "", "func(to, from []float%d, stride, depth int)", "is a packLeftKernel.")
	to, from, stride, depth := k.pointer("to"), k.pointer("from"), k.integer("stride"), k.integer("depth")
	k.toBytes(stride)
	if !k.double {
		k.isa = isas[1]
	}
	k.Label("loop")
	row := k.GP64()
	k.MOVQ(from, row)
	for first := 0; first < panelRows; first += k.lanes() {
		rows := k.registers(k.lanes())
		for r := range rows {
			k.load(operand.Mem{Base: row}, rows[r])
			k.ADDQ(stride, row)
		}
		for j, column := range k.transpose(rows) {
			k.store(column, operand.Mem{Base: to, Disp: (j*panelRows + first) * k.element()})
		}
	}
	k.ADDQ(operand.I32(int32(k.bytes)), from)
	k.ADDQ(operand.I32(int32(k.lanes()*panelRows*k.element())), to)
	k.SUBQ(operand.U8(k.lanes()), depth)
	k.JNZ(operand.LabelRef("loop"))
	k.end()
}
