package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// smallMatrix is how many rows and columns a small matrix has.
const smallMatrix = 32

// emitSweep adds the step of elimination on small matrices. It keeps the pivot's
// row in registers, or with AVX2 half of it at a time.
func emitSweep(ctx *build.Context) {
	for _, isa := range isas {
		k := kernel{ctx, isa, true}
		k.Function("sweep" + k.name)
		k.Attributes(4) // NOSPLIT
		k.Pragma("noescape")
		k.SignatureExpr("func(a []float64, k int, reciprocal float64)")
		k.Doc("sweep" + k.name + " is a sweepKernel.")
		k.sweep()
	}
}

func (k kernel) sweep() {
	const rowBytes = 8 * smallMatrix
	a := k.Load(k.Param("a").Base(), k.GP64()).(reg.GPVirtual)
	pivot := k.Load(k.Param("k"), k.GP64()).(reg.GPVirtual)
	parameter, err := k.Param("reciprocal").Resolve()
	if err != nil {
		panic(err)
	}
	reciprocal := k.register()
	k.VBROADCASTSD(parameter.Addr, reciprocal)
	pivotRow, pivotColumn := k.GP64(), k.GP64()
	k.MOVQ(pivot, pivotRow)
	k.SHLQ(operand.U8(8), pivotRow)
	k.ADDQ(a, pivotRow)
	k.LEAQ(operand.Mem{Base: a, Index: pivot, Scale: 8}, pivotColumn)

	// The column of the pivot is kept, since the rows' vectors go over it.
	column := k.AllocLocal(8 * smallMatrix)
	row, value := k.GP64(), k.XMM()
	k.XORQ(row, row)
	from := k.GP64()
	k.MOVQ(pivotColumn, from)
	k.Label("column")
	k.VMOVSD(operand.Mem{Base: from}, value)
	k.VMOVSD(value, column.Idx(row, 8))
	k.ADDQ(operand.I32(rowBytes), from)
	k.INCQ(row)
	k.CMPQ(row, operand.U8(smallMatrix))
	k.JNE(operand.LabelRef("column"))

	vectors := rowBytes / k.bytes
	together := min(vectors, 4)
	for first := 0; first < vectors; first += together {
		label := func(name string) string { return name + string(rune('0'+first/together)) }
		scaled := k.registers(together)
		for j, s := range scaled {
			m := operand.Mem{Base: pivotRow, Disp: (first + j) * k.bytes}
			k.VMULPD(m, reciprocal, s)
			k.store(s, m)
		}
		k.XORQ(row, row)
		k.MOVQ(a, from)
		k.Label(label("rows"))
		k.CMPQ(row, pivot)
		k.JE(operand.LabelRef(label("next")))
		factor := k.register()
		k.VBROADCASTSD(column.Idx(row, 8), factor)
		for j, s := range scaled {
			m, v := operand.Mem{Base: from, Disp: (first + j) * k.bytes}, k.register()
			k.load(m, v)
			k.VFNMADD231PD(s, factor, v)
			k.store(v, m)
		}
		k.Label(label("next"))
		k.ADDQ(operand.I32(rowBytes), from)
		k.INCQ(row)
		k.CMPQ(row, operand.U8(smallMatrix))
		k.JNE(operand.LabelRef(label("rows")))
	}

	negative := k.register()
	k.zero(negative)
	k.VSUBPD(reciprocal, negative, negative)
	k.XORQ(row, row)
	k.MOVQ(pivotColumn, from)
	k.Label("finish")
	k.VMULSD(column.Idx(row, 8), negative.AsX(), value)
	k.VMOVSD(value, operand.Mem{Base: from})
	k.ADDQ(operand.I32(rowBytes), from)
	k.INCQ(row)
	k.CMPQ(row, operand.U8(smallMatrix))
	k.JNE(operand.LabelRef("finish"))
	k.VMOVSD(reciprocal.AsX(), operand.Mem{Base: pivotRow, Index: pivot, Scale: 8})
	k.VZEROUPPER()
	k.RET()
}
