package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitMoments adds the kernels of second moments: dot products of 4 rows of
// pixels with 6 (AVX2: 3) others, 24 (12) vectors of sums. In float64, values
// are widened as they are loaded: 10 (7) conversions for 24 (12) multiply-adds,
// on AMD's processors by units that don't multiply: 129 of 133
// GFLOP/s on Zen 5 (AVX2: 71 of 71).
func emitMoments(ctx *build.Context) {
	for _, isa := range isas {
		moments(kernel{ctx, isa, false})
		moments(kernel{ctx, isa, true})
	}
}

func moments(k kernel) {
	rows, columns := 4, 6
	if k.bytes == 32 {
		columns = 3
	}
	name := fmt.Sprintf("moments%d%s", 8*k.element(), k.name)
	k.Function(name)
	k.Attributes(4) // NOSPLIT
	k.Pragma("noescape")
	k.SignatureExpr("func(c []float64, cRow int, a, b []float32, stride, n int)")
	k.Doc(fmt.Sprintf("%s is a momentKernel for %d rows by %d columns.", name, rows, columns))
	a := k.Load(k.Param("a").Base(), k.GP64()).(reg.GPVirtual)
	b := k.Load(k.Param("b").Base(), k.GP64()).(reg.GPVirtual)
	n := k.Load(k.Param("n"), k.GP64()).(reg.GPVirtual)
	stride := k.Load(k.Param("stride"), k.GP64()).(reg.GPVirtual)
	k.SHLQ(operand.U8(2), stride)
	stride3, a3, b3 := k.GP64(), k.GP64(), k.GP64()
	k.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	k.LEAQ(operand.Mem{Base: b, Index: stride3, Scale: 1}, b3)
	k.MOVQ(a, a3)
	row := func(base, base3 reg.GPVirtual, i int) operand.Mem {
		if i >= 3 {
			base, i = base3, i-3
		}
		m := operand.Mem{Base: base}
		if i > 0 {
			m.Index, m.Scale = stride, uint8(i)
		}
		return m
	}
	k.ADDQ(stride3, a3)
	sums := make([][]reg.VecVirtual, rows)
	for i := range sums {
		sums[i] = k.registers(columns)
		for _, s := range sums[i] {
			k.zero(s)
		}
	}
	left, right := k.registers(min(rows, columns)), k.register()
	k.Label("loop")
	if rows <= columns {
		for i := range left {
			k.widen(row(a, a3, i), left[i])
		}
		for j := range columns {
			k.widen(row(b, b3, j), right)
			for i := range left {
				k.multiplyAdd(left[i], right, sums[i][j])
			}
		}
	} else {
		for j := range left {
			k.widen(row(b, b3, j), left[j])
		}
		for i := range rows {
			k.widen(row(a, a3, i), right)
			for j := range left {
				k.multiplyAdd(left[j], right, sums[i][j])
			}
		}
	}
	for _, p := range []reg.GPVirtual{a, a3, b, b3} {
		k.ADDQ(operand.U8(4*k.lanes()), p)
	}
	k.SUBQ(operand.U8(k.lanes()), n)
	k.JG(operand.LabelRef("loop"))

	c := k.Load(k.Param("c").Base(), k.GP64()).(reg.GPVirtual)
	cRow := k.Load(k.Param("cRow"), k.GP64()).(reg.GPVirtual)
	k.SHLQ(operand.U8(3), cRow)
	for i := range sums {
		for j, s := range sums[i] {
			k.horizontalSum(s)
			k.VADDSD(operand.Mem{Base: c, Disp: 8 * j}, s.AsX(), s.AsX())
			k.VMOVSD(s.AsX(), operand.Mem{Base: c, Disp: 8 * j})
		}
		k.ADDQ(cRow, c)
	}
	k.VZEROUPPER()
	k.RET()
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
