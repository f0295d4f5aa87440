package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// emitAccumulate adds the kernel that multiplies a tile of weights with the
// features of a cloud's tile: 11 (AVX2: 7) loads for 24 (12) multiply-adds.
func emitAccumulate(ctx *build.Context) {
	for _, isa := range isas {
		kernel{Context: ctx, isa: isa}.accumulate()
	}
}

func (k kernel) accumulate() {
	k.begin("accumulate", "func(to, features, weights []float32, channels, points int)", "is accumulateGo.")
	to, features, channels := k.pointer("to"), k.pointer("features"), k.integer("channels")
	sums := k.tile()
	k.Label("channels")
	for r := range sums {
		for v := range vectors {
			k.VMOVUPS(operand.Mem{Base: to, Disp: r*k.stride() + v*k.bytes}, sums[r][v])
		}
	}
	a, b, points := k.GP64(), k.pointer("weights"), k.integer("points")
	k.MOVQ(features, a)
	left := k.register()
	right := [vectors]operand.Op{k.register(), k.register(), k.register()}
	k.Label("loop")
	for v := range right {
		k.VMOVUPS(operand.Mem{Base: b, Disp: v * k.bytes}, right[v])
	}
	for r := range sums {
		k.VBROADCASTSS(operand.Mem{Base: a, Disp: r * k.stride()}, left)
		for v := range right {
			k.VFMADD231PS(left, right[v], sums[r][v])
		}
	}
	k.ADDQ(operand.I32(4), a)
	k.ADDQ(operand.I32(k.stride()), b)
	k.DECQ(points)
	k.JNZ(operand.LabelRef("loop"))
	for r := range sums {
		for v := range vectors {
			k.VMOVUPS(sums[r][v], operand.Mem{Base: to, Disp: r*k.stride() + v*k.bytes})
		}
	}
	k.ADDQ(operand.I32(k.rows*k.stride()), to)
	k.ADDQ(operand.I32(k.rows*k.stride()), features)
	k.SUBQ(operand.I8(k.rows), channels)
	k.JNZ(operand.LabelRef("channels"))
	k.VZEROUPPER()
	k.RET()
}
