package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitMoments adds the kernels of second moments: dot products of 4 rows of
// pixels with 6 (AVX2: 3) others, 24 (12) vectors of sums. In float64, values
// are widened as they are loaded: 10 (7) conversions for 24 (12) multiply-adds.
// AMD's processors convert in other units than those that multiply: 129 of 133
// GFLOP/s on Zen 5 (AVX2: 71 of 71).
func emitMoments(ctx *build.Context) {
	for _, isa := range isas {
		kernel{ctx, isa, false}.moments()
		kernel{ctx, isa, true}.moments()
	}
}

func (k kernel) moments() {
	rows, columns := 4, 6
	if k.bytes == 32 {
		columns = 3
	}
	k.function(fmt.Sprintf("moments%d%s", 8*k.element(), k.name), "func(c []float64, cRow int, a, b []float32, stride, n int)",
		fmt.Sprintf("is a momentKernel for %d rows by %d columns.", rows, columns))
	a, b, n, stride := k.pointer("a"), k.pointer("b"), k.integer("n"), k.integer("stride")
	k.SHLQ(operand.U8(2), stride)
	stride3, a3, b3 := k.GP64(), k.GP64(), k.GP64()
	k.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	k.LEAQ(operand.Mem{Base: b, Index: stride3, Scale: 1}, b3)
	k.MOVQ(a, a3)
	k.ADDQ(stride3, a3)
	// row addresses row i, from the first or from the fourth.
	row := func(first, fourth reg.GPVirtual, i int) operand.Mem {
		if i >= 3 {
			first, i = fourth, i-3
		}
		m := operand.Mem{Base: first}
		if i > 0 {
			m.Index, m.Scale = stride, uint8(i)
		}
		return m
	}
	sums := k.registerTile(rows, columns)
	for i := range sums {
		for _, s := range sums[i] {
			k.zero(s)
		}
	}
	kept, passing := k.registers(min(rows, columns)), k.register()
	rowOfA := func(i int) operand.Mem { return row(a, a3, i) }
	rowOfB := func(j int) operand.Mem { return row(b, b3, j) }
	k.Label("loop")
	if rows <= columns {
		k.addDots(kept, passing, rowOfA, rowOfB, columns, func(i, j int) reg.VecVirtual { return sums[i][j] })
	} else {
		k.addDots(kept, passing, rowOfB, rowOfA, rows, func(j, i int) reg.VecVirtual { return sums[i][j] })
	}
	for _, p := range []reg.GPVirtual{a, a3, b, b3} {
		k.ADDQ(operand.U8(4*k.lanes()), p)
	}
	k.SUBQ(operand.U8(k.lanes()), n)
	k.JG(operand.LabelRef("loop"))
	k.addMoments(sums)
	k.end()
}

// addDots adds the products of two groups of rows to their sums. Those of the first
// group stay in registers, while the count rows of the second pass one by one.
func (k kernel) addDots(kept []reg.VecVirtual, passing reg.VecVirtual, first, second func(i int) operand.Mem, count int, sum func(i, j int) reg.VecVirtual) {
	for i, r := range kept {
		k.widen(first(i), r)
	}
	for j := range count {
		k.widen(second(j), passing)
		for i, r := range kept {
			k.multiplyAdd(r, passing, sum(i, j))
		}
	}
}

// addMoments adds the sum of each vector's lanes to C.
func (k kernel) addMoments(sums [][]reg.VecVirtual) {
	c, cRow := k.pointer("c"), k.integer("cRow")
	k.SHLQ(operand.U8(3), cRow)
	for i := range sums {
		for j, s := range sums[i] {
			to := operand.Mem{Base: c, Disp: 8 * j}
			k.horizontalSum(s)
			k.VADDSD(to, s.AsX(), s.AsX())
			k.VMOVSD(s.AsX(), to)
		}
		k.ADDQ(cRow, c)
	}
}

// widen loads float32 values as elements.
func (k kernel) widen(m operand.Mem, r reg.VecVirtual) {
	if k.double {
		k.VCVTPS2PD(m, r)
	} else {
		k.load(m, r)
	}
}

// horizontalSum leaves the sum of a vector's lanes, as a float64, in its lowest.
func (k kernel) horizontalSum(s reg.VecVirtual) {
	add := func(upper, lower reg.Register) {
		if k.double {
			k.VADDPD(upper, lower, lower)
		} else {
			k.VADDPS(upper, lower, lower)
		}
	}
	if k.bytes == 64 {
		upper := k.YMM()
		k.VEXTRACTF64X4(operand.U8(1), s, upper)
		add(upper, s.AsY())
	}
	upper := k.XMM()
	if k.bytes == 64 {
		k.VEXTRACTF64X2(operand.U8(1), s.AsY(), upper)
	} else {
		k.VEXTRACTF128(operand.U8(1), s, upper)
	}
	add(upper, s.AsX())
	k.VPERMILPD(operand.U8(1), s.AsX(), upper)
	if k.double {
		k.VADDSD(upper, s.AsX(), s.AsX())
		return
	}
	k.VADDPS(upper, s.AsX(), s.AsX())
	k.VMOVSHDUP(s.AsX(), upper)
	k.VADDSS(upper, s.AsX(), s.AsX())
	k.VCVTSS2SD(s.AsX(), s.AsX(), s.AsX())
}
