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
	table := laneTable(ctx, "directMask")
	for _, isa := range isas {
		for vectors := 1; vectors <= tileVectors; vectors++ {
			kernel{ctx, isa, false}.direct("direct", vectors, table)
		}
		if isa.rows > 4 {
			// For the gradient to a picture, which has three channels.
			isa.rows = 4
			for vectors := 1; vectors <= tileVectors; vectors++ {
				kernel{ctx, isa, false}.direct("directNarrow", vectors, table)
			}
		}
	}
}

func (k kernel) direct(name string, vectors int, table operand.Mem) {
	k.function(fmt.Sprintf("%s%sx%d", name, k.name, vectors),
		"func(y []float32, yPlane int, x []float32, xRow, xPlane int, filters []float32, channels int, biases []float32, last, rectify int)",
		fmt.Sprintf("is a directKernel for %d channels by up to %d pixels.", k.rows, vectors*k.lanes()))
	y, yPlane := k.pointer("y"), k.stride("yPlane")
	sums := k.registerTile(k.rows, vectors)
	k.startDirect(sums, y, yPlane, table)

	k.Label("start")
	x := k.pointer("x")
	xRow, xPlane := k.integer("xRow"), k.integer("xPlane")
	k.toBytes(xRow)
	k.toBytes(xPlane)
	filters, channels := k.pointer("filters"), k.integer("channels")
	pixels, weight := k.registers(vectors), k.register()
	k.loop("loop", channels, func() {
		for ky := range 3 {
			for kx := range 3 {
				for v := range pixels {
					from := operand.Mem{Base: x, Disp: 4*kx + v*k.bytes}
					if ky > 0 {
						from.Index, from.Scale = xRow, uint8(ky)
					}
					k.load(from, pixels[v])
				}
				k.outerProduct(sums, func(r int) operand.Mem {
					return operand.Mem{Base: filters, Disp: 4 * (panelRows*(3*ky+kx) + r)}
				}, weight, pixels)
			}
		}
		k.ADDQ(xPlane, x)
		k.ADDQ(operand.U32(4*9*panelRows), filters)
	})

	rectify := k.integer("rectify")
	k.TESTQ(rectify, rectify)
	k.JZ(operand.LabelRef("write"))
	zero := k.zeros(1)[0]
	for r := range sums {
		for _, sum := range sums[r] {
			k.VMAXPS(sum, zero, sum) // in this order of operands NaN stays NaN
		}
	}
	k.Label("write")
	k.writeTile(y, yPlane, sums, k.integer("last"), table)
}

// startDirect makes sums the biases, or what y holds where there are none.
func (k kernel) startDirect(sums [][]reg.VecVirtual, y, yPlane reg.GPVirtual, table operand.Mem) {
	whole := len(sums[0]) - 1
	address, biases := k.GP64(), k.pointer("biases")
	k.TESTQ(biases, biases)
	k.JZ(operand.LabelRef("accumulate"))
	for r := range sums {
		k.broadcast(operand.Mem{Base: biases, Disp: 4 * r}, sums[r][0])
		for _, sum := range sums[r][1:] {
			k.VMOVAPS(sums[r][0], sum)
		}
	}
	k.JMP(operand.LabelRef("start"))
	k.Label("accumulate")
	m := k.firstLanes(k.integer("last"), table)
	k.MOVQ(y, address)
	for r := range sums {
		k.loadRow(address, sums[r][:whole])
		m.load(k.vectorAt(address, whole), sums[r][whole])
		k.ADDQ(yPlane, address)
	}
}

// writeTile stores a register tile to rows that are stride bytes apart and
// returns. Full vectors are stored without a mask: on AMD's processors AVX2's
// masked stores are slow.
func (k kernel) writeTile(to, stride reg.GPVirtual, sums [][]reg.VecVirtual, last reg.GPVirtual, table operand.Mem) {
	whole := len(sums[0]) - 1
	write := func(address reg.GPVirtual, store func(reg.VecVirtual, operand.Mem)) {
		k.MOVQ(to, address)
		for r := range sums {
			k.storeRow(sums[r][:whole], address)
			store(sums[r][whole], k.vectorAt(address, whole))
			if r+1 < len(sums) {
				k.ADDQ(stride, address)
			}
		}
		k.end()
	}
	k.CMPQ(last, operand.U8(k.lanes()))
	k.JNE(operand.LabelRef("writeMasked"))
	address := k.GP64()
	write(address, k.store)
	k.Label("writeMasked")
	m := k.firstLanes(last, table)
	write(address, m.store)
}
