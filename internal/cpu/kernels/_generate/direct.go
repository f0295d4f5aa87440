package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitDirect adds the kernels of direct 3×3 convolution: a register tile of
// rows output channels by up to 3 vectors of neighbouring pixels of one row.
// The input is a padded copy of a band of rows, read in place at its nine
// shifts, so that no patches are unrolled in memory.
func emitDirect(ctx *build.Context) {
	table := maskTable(ctx, "directMask")
	for _, isa := range isas {
		for vectors := 1; vectors <= 3; vectors++ {
			direct(kernel{ctx, isa, false}, "direct", vectors, table)
		}
		if isa.rows > 4 {
			// For the gradient to a picture, which has three channels.
			isa.rows = 4
			for vectors := 1; vectors <= 3; vectors++ {
				direct(kernel{ctx, isa, false}, "directNarrow", vectors, table)
			}
		}
	}
}

func direct(k kernel, name string, vectors int, table operand.Mem) {
	k.Function(fmt.Sprintf("%s%sx%d", name, k.name, vectors))
	k.Attributes(4) // NOSPLIT
	k.Pragma("noescape")
	k.SignatureExpr("func(y []float32, yPlane int, x []float32, xRow, xPlane int, filters []float32, channels int, biases []float32, last, rectify int)")
	k.Doc(fmt.Sprintf("%s%sx%d is a directKernel for %d channels by up to %d pixels.",
		name, k.name, vectors, k.rows, vectors*k.lanes()))

	y := k.Load(k.Param("y").Base(), k.GP64())
	yPlane := k.Load(k.Param("yPlane"), k.GP64())
	k.SHLQ(operand.U8(2), yPlane)
	sums := make([][]reg.VecVirtual, k.rows)
	for r := range sums {
		sums[r] = k.registers(vectors)
	}
	at := func(p reg.Register, v int) operand.Mem { return operand.Mem{Base: p, Disp: v * k.bytes} }
	address := k.GP64()

	// Start from the biases, or from what y holds.
	biases := k.Load(k.Param("biases").Base(), k.GP64())
	k.TESTQ(biases, biases)
	k.JZ(operand.LabelRef("accumulate"))
	for r := range sums {
		k.broadcast(operand.Mem{Base: biases, Disp: 4 * r}, sums[r][0])
		for v := 1; v < vectors; v++ {
			k.VMOVAPS(sums[r][0], sums[r][v])
		}
	}
	k.JMP(operand.LabelRef("start"))
	k.Label("accumulate")
	last := k.Load(k.Param("last"), k.GP64())
	m := k.maskOf(last.(reg.GPVirtual), table)
	k.MOVQ(y, address)
	for r := range sums {
		for v := range vectors - 1 {
			k.load(at(address, v), sums[r][v])
		}
		m.load(at(address, vectors-1), sums[r][vectors-1])
		k.ADDQ(yPlane, address)
	}

	k.Label("start")
	x := k.Load(k.Param("x").Base(), k.GP64())
	xRow := k.Load(k.Param("xRow"), k.GP64())
	xPlane := k.Load(k.Param("xPlane"), k.GP64())
	k.SHLQ(operand.U8(2), xRow)
	k.SHLQ(operand.U8(2), xPlane)
	filters := k.Load(k.Param("filters").Base(), k.GP64())
	channels := k.Load(k.Param("channels"), k.GP64())
	pixels := k.registers(vectors)
	weight := k.register()
	k.Label("loop")
	for ky := range 3 {
		for kx := range 3 {
			for v := range pixels {
				from := operand.Mem{Base: x, Disp: 4*kx + v*k.bytes}
				if ky > 0 {
					from.Index, from.Scale = xRow, uint8(ky)
				}
				k.load(from, pixels[v])
			}
			for r := range sums {
				k.broadcast(operand.Mem{Base: filters, Disp: 4 * (panelRows*(3*ky+kx) + r)}, weight)
				for v := range pixels {
					k.multiplyAdd(weight, pixels[v], sums[r][v])
				}
			}
		}
	}
	k.ADDQ(xPlane, x)
	k.ADDQ(operand.U32(4*9*panelRows), filters)
	k.DECQ(channels)
	k.JNZ(operand.LabelRef("loop"))

	rectify := k.Load(k.Param("rectify"), k.GP64())
	k.TESTQ(rectify, rectify)
	k.JZ(operand.LabelRef("write"))
	zero := k.register()
	k.zero(zero)
	for r := range sums {
		for v := range vectors {
			k.VMAXPS(sums[r][v], zero, sums[r][v]) // in this order NaN stays NaN
		}
	}
	k.Label("write")
	k.writeTile(y.(reg.GPVirtual), yPlane, sums, k.Load(k.Param("last"), k.GP64()).(reg.GPVirtual), table)
}

// writeTile stores a register tile to rows that are stride bytes apart and
// returns. Full vectors are stored without a mask, which AMD's processors do
// slowly for AVX2.
func (k kernel) writeTile(to reg.GPVirtual, stride reg.Register, sums [][]reg.VecVirtual, last reg.GPVirtual, table operand.Mem) {
	vectors := len(sums[0])
	k.CMPQ(last, operand.U8(k.lanes()))
	k.JNE(operand.LabelRef("writeMasked"))
	address := k.GP64()
	k.MOVQ(to, address)
	for r := range sums {
		for v := range vectors {
			k.store(sums[r][v], operand.Mem{Base: address, Disp: v * k.bytes})
		}
		if r+1 < len(sums) {
			k.ADDQ(stride, address)
		}
	}
	k.VZEROUPPER()
	k.RET()
	k.Label("writeMasked")
	m := k.maskOf(last, table)
	k.MOVQ(to, address)
	for r := range sums {
		for v := range vectors - 1 {
			k.store(sums[r][v], operand.Mem{Base: address, Disp: v * k.bytes})
		}
		m.store(sums[r][vectors-1], operand.Mem{Base: address, Disp: (vectors - 1) * k.bytes})
		if r+1 < len(sums) {
			k.ADDQ(stride, address)
		}
	}
	k.VZEROUPPER()
	k.RET()
}
