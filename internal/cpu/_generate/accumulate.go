package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitAccumulate adds the kernel that multiplies a tile of weights with the
// features of a cloud's tile: 11 (AVX2: 7) loads for 24 (12) multiply-adds.
func emitAccumulate(ctx *build.Context) {
	for _, isa := range isas {
		pairs{kernel: kernel{ctx, isa, false}}.accumulate()
	}
}

func (k pairs) accumulate() {
	k.begin("accumulate", "func(to, features, weights []float32, channels, points int)")
	to, features, channels := k.pointer("to"), k.pointer("features"), k.integer("channels")
	sums := k.registerTile(k.rows, tileVectors)
	// eachSum calls f with every sum and its place in memory.
	eachSum := func(f func(sum reg.VecVirtual, at operand.Mem)) {
		for r := range sums {
			for v, sum := range sums[r] {
				f(sum, k.vectorAt(to, r*tileVectors+v))
			}
		}
	}
	k.Label("channels")
	eachSum(func(sum reg.VecVirtual, at operand.Mem) { k.load(at, sum) })
	a, b, points := k.GP64(), k.pointer("weights"), k.integer("points")
	k.MOVQ(features, a)
	left, right := k.register(), k.registers(tileVectors)
	k.loop("loop", points, func() {
		k.loadRow(b, right)
		k.outerProduct(sums, func(r int) operand.Mem { return operand.Mem{Base: a, Disp: r * k.channel()} }, left, right)
		k.ADDQ(operand.I32(4), a)
		k.ADDQ(operand.I32(k.channel()), b)
	})
	eachSum(func(sum reg.VecVirtual, at operand.Mem) { k.store(sum, at) })
	k.ADDQ(operand.I32(k.rows*k.channel()), to)
	k.ADDQ(operand.I32(k.rows*k.channel()), features)
	k.SUBQ(operand.I8(k.rows), channels)
	k.JNZ(operand.LabelRef("channels"))
	k.end()
}
