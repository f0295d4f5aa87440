package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// smallMatrix is how many rows and columns a small matrix has.
const smallMatrix = 32

// emitSweep adds the step of elimination on small matrices. It keeps the pivot's
// row in registers, or with AVX2 half of it at a time.
func emitSweep(ctx *build.Context) {
	for _, isa := range isas {
		kernel{ctx, isa, true}.sweep()
	}
}

func (k kernel) sweep() {
	const rowBytes = 8 * smallMatrix
	k.function("sweep"+k.name, "func(a []float64, k int, reciprocal float64)", "is a sweepKernel.")
	a, pivot, reciprocal := k.pointer("a"), k.integer("k"), k.scalar("reciprocal")
	pivotRow, pivotColumn := k.GP64(), k.GP64()
	k.MOVQ(pivot, pivotRow)
	k.SHLQ(operand.U8(8), pivotRow)
	k.ADDQ(a, pivotRow)
	k.LEAQ(operand.Mem{Base: a, Index: pivot, Scale: 8}, pivotColumn)
	// eachRow calls body for every row, with a pointer that moves from row to row.
	row, from := k.GP64(), k.GP64()
	eachRow := func(label string, body func()) {
		k.Label(label)
		body()
		k.ADDQ(operand.I32(rowBytes), from)
		k.INCQ(row)
		k.CMPQ(row, operand.U8(smallMatrix))
		k.JNE(operand.LabelRef(label))
	}

	// The pivot's column is copied first, because the rows' vectors overwrite it.
	column, value := k.AllocLocal(8*smallMatrix), k.XMM()
	k.XORQ(row, row)
	k.MOVQ(pivotColumn, from)
	eachRow("column", func() {
		k.VMOVSD(operand.Mem{Base: from}, value)
		k.VMOVSD(value, column.Idx(row, 8))
	})

	vectors := rowBytes / k.bytes
	together := min(vectors, 4)
	for first := 0; first < vectors; first += together {
		scaled := k.registers(together)
		for j, s := range scaled {
			m := k.vectorAt(pivotRow, first+j)
			k.VMULPD(m, reciprocal, s)
			k.store(s, m)
		}
		next := fmt.Sprint("next", first/together)
		k.XORQ(row, row)
		k.MOVQ(a, from)
		eachRow(fmt.Sprint("rows", first/together), func() {
			k.CMPQ(row, pivot)
			k.JE(operand.LabelRef(next))
			factor := k.register()
			k.broadcast(column.Idx(row, 8), factor)
			for j, s := range scaled {
				m, v := k.vectorAt(from, first+j), k.register()
				k.load(m, v)
				k.VFNMADD231PD(s, factor, v)
				k.store(v, m)
			}
			k.Label(next)
		})
	}

	negative := k.zeros(1)[0]
	k.VSUBPD(reciprocal, negative, negative)
	k.XORQ(row, row)
	k.MOVQ(pivotColumn, from)
	eachRow("finish", func() {
		k.VMULSD(column.Idx(row, 8), negative.AsX(), value)
		k.VMOVSD(value, operand.Mem{Base: from})
	})
	k.VMOVSD(reciprocal.AsX(), operand.Mem{Base: pivotRow, Index: pivot, Scale: 8})
	k.end()
}
