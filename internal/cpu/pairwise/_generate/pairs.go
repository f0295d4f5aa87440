package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitPairs adds the kernels that go through all pairs of a tile of rows with a
// tile of columns. Each makes the products of a register tile, AVX-512 with
// 11 loads for 24 multiply-adds a channel, and then, while they are still in
// registers, does with them what it is for. An exponential is some 12
// instructions beside the 64 to 512 multiply-adds of its product.
func emitPairs(ctx *build.Context) {
	c := newConstants(ctx, "pairsConstants")
	for _, isa := range isas {
		k := kernel{ctx, isa, c}
		k.sum()
		k.sumMixture()
		k.store("exponentials", "is exponentialsGo.", func(x reg.VecVirtual) reg.VecVirtual { return k.exp2(x) })
		k.store("slopes", "is slopesGo.", func(x reg.VecVirtual) reg.VecVirtual { return k.slope(k.exp2(k.notPositive(x))) })
		k.greatest()
	}
}

// panels repeats body for the register tiles from number first on, with the
// products in sums. step advances what body keeps.
func (k kernel) panels(first reg.GPVirtual, body func(sums [][vectors]reg.VecVirtual, panel reg.GPVirtual)) {
	rows, columns, bias := k.pointer("rows"), k.pointer("columns"), k.pointer("bias")
	end := k.integer("panels")
	offset := k.GP64()
	k.MOVQ(first, offset)
	k.IMUL3Q(operand.U32(4*k.rows), offset, offset)
	k.ADDQ(offset, rows)
	sums := k.tile()
	k.Label("panel")
	k.CMPQ(first, end)
	k.JGE(operand.LabelRef("done"))
	for v := range vectors {
		k.VMOVUPS(operand.Mem{Base: bias, Disp: v * k.bytes}, sums[0][v])
	}
	for r := 1; r < k.rows; r++ {
		for v := range vectors {
			k.VMOVAPS(sums[0][v], sums[r][v])
		}
	}
	a, b, depth := k.GP64(), k.GP64(), k.GP64()
	k.MOVQ(rows, a)
	k.MOVQ(columns, b)
	k.Load(k.Param("depth"), depth)
	left := k.register()
	var right [vectors]reg.VecVirtual
	for v := range right {
		right[v] = k.register()
	}
	k.Label("loop")
	for v := range right {
		k.VMOVUPS(operand.Mem{Base: b, Disp: v * k.bytes}, right[v])
	}
	for r := range sums {
		k.VBROADCASTSS(operand.Mem{Base: a, Disp: 4 * r}, left)
		for v := range right {
			k.VFMADD231PS(left, right[v], sums[r][v])
		}
	}
	k.ADDQ(operand.I32(k.stride()), a)
	k.ADDQ(operand.I32(k.stride()), b)
	k.DECQ(depth)
	k.JNZ(operand.LabelRef("loop"))
	body(sums, first)
	k.ADDQ(operand.I32(4*k.rows), rows)
	k.INCQ(first)
	k.JMP(operand.LabelRef("panel"))
	k.Label("done")
}

// zeroth is a register that holds panel number 0.
func (k kernel) zeroth() reg.GPVirtual {
	first := k.GP64()
	k.XORQ(first, first)
	return first
}

// shift replaces the products p of a panel by scale·p + rowBias.
func (k kernel) shift(sums [][vectors]reg.VecVirtual, panel reg.GPVirtual) {
	rowBias := k.pointer("rowBias")
	scale, bias := k.register(), k.register()
	k.VBROADCASTSS(k.address("scale"), scale)
	offset := k.GP64()
	k.MOVQ(panel, offset)
	k.IMUL3Q(operand.U32(4*k.rows), offset, offset)
	k.ADDQ(offset, rowBias)
	for r := range sums {
		k.VBROADCASTSS(operand.Mem{Base: rowBias, Disp: 4 * r}, bias)
		for v := range vectors {
			k.VFMADD213PS(bias, scale, sums[r][v])
		}
	}
}

// exp2 replaces x by 2^x, for x up to 127; below −125 it is 2^−125. x is split
// into a whole number, which goes to the exponent's bits, and a rest, whose
// power is a polynomial.
func (k kernel) exp2(x reg.VecVirtual) reg.VecVirtual {
	whole, y := k.register(), k.register()
	k.VMOVUPS(k.constant("low"), y)
	k.VMAXPS(x, y, x) // in this order of operands a NaN stays one
	k.VADDPS(k.constant("magic"), x, whole)
	k.VSUBPS(k.constant("magic"), whole, y)
	k.VSUBPS(y, x, x)
	k.VMOVUPS(k.constant("c5"), y)
	for _, c := range []string{"c4", "c3", "c2", "c1", "c0"} {
		k.VFMADD213PS(k.constant(c), x, y)
	}
	k.VPSLLD(operand.U8(23), whole, whole)
	k.VPADDD(whole, y, y)
	return y
}

// notPositive replaces x by min(x, 0).
func (k kernel) notPositive(x reg.VecVirtual) reg.VecVirtual {
	zero := k.register()
	k.VXORPS(zero, zero, zero)
	k.VMINPS(x, zero, x) // in this order of operands a NaN stays one
	return x
}

// mixture returns u + u² + u⁴ + u⁸ + u¹⁶.
func (k kernel) mixture(u reg.VecVirtual) reg.VecVirtual {
	sum := k.register()
	k.VMOVAPS(u, sum)
	for range 4 {
		k.VMULPS(u, u, u)
		k.VADDPS(u, sum, sum)
	}
	return sum
}

// slope returns u + 2u² + 4u⁴ + 8u⁸ + 16u¹⁶.
func (k kernel) slope(u reg.VecVirtual) reg.VecVirtual {
	sum := k.register()
	k.VMOVAPS(u, sum)
	for _, factor := range []string{"2", "4", "8", "16"} {
		k.VMULPS(u, u, u)
		k.VFMADD231PS(k.constant(factor), u, sum)
	}
	return sum
}

func (k kernel) end() {
	k.VZEROUPPER()
	k.RET()
}

// rowsOf returns the address of what a kernel keeps for the rows of a panel, in
// bytes each.
func (k kernel) rowsOf(name string, panel reg.GPVirtual, bytes int) reg.GPVirtual {
	p, offset := k.pointer(name), k.GP64()
	k.MOVQ(panel, offset)
	k.IMUL3Q(operand.U32(bytes*k.rows), offset, offset)
	k.ADDQ(offset, p)
	return p
}

func (k kernel) sum() {
	k.begin("sum", "func(sums, rows, columns, bias, rowBias []float32, scale float32, depth, first, panels int) int", "is sumGo.")
	first := k.integer("first")
	k.panels(first, func(sums [][vectors]reg.VecVirtual, panel reg.GPVirtual) {
		k.shift(sums, panel)
		most := k.register()
		k.VMOVAPS(sums[0][0], most)
		for r := range sums {
			for v := range vectors {
				if r+v > 0 {
					k.VMAXPS(sums[r][v], most, most)
				}
			}
		}
		const greater = operand.U8(30) // ordered, quiet
		if k.bytes == 64 {
			above := k.K()
			k.VCMPPS(greater, k.constant("limit"), most, above)
			k.KORTESTW(above, above)
		} else {
			k.VCMPPS(greater, k.constant("limit"), most, most)
			above := k.GP32()
			k.VMOVMSKPS(most, above)
			k.TESTL(above, above)
		}
		k.JNZ(operand.LabelRef("done"))
		to := k.rowsOf("sums", panel, k.bytes)
		for r := range sums {
			total := k.register()
			k.VMOVUPS(operand.Mem{Base: to, Disp: r * k.bytes}, total)
			for v := range vectors {
				k.VADDPS(k.exp2(sums[r][v]), total, total)
			}
			k.VMOVUPS(total, operand.Mem{Base: to, Disp: r * k.bytes})
		}
	})
	k.Store(first, k.ReturnIndex(0))
	k.end()
}

func (k kernel) sumMixture() {
	k.begin("sumMixture", "func(sums, rows, columns, bias, rowBias []float32, scale float32, depth, panels int)", "is sumMixtureGo.")
	k.panels(k.zeroth(), func(sums [][vectors]reg.VecVirtual, panel reg.GPVirtual) {
		k.shift(sums, panel)
		to := k.rowsOf("sums", panel, k.bytes)
		for r := range sums {
			for v := range vectors {
				y := k.mixture(k.exp2(k.notPositive(sums[r][v])))
				k.VADDPS(operand.Mem{Base: to, Disp: r * k.bytes}, y, y)
				k.VMOVUPS(y, operand.Mem{Base: to, Disp: r * k.bytes})
			}
		}
	})
	k.end()
}

func (k kernel) store(name, doc string, f func(x reg.VecVirtual) reg.VecVirtual) {
	k.begin(name, "func(to, rows, columns, bias, rowBias []float32, scale float32, depth, panels int)", doc)
	k.panels(k.zeroth(), func(sums [][vectors]reg.VecVirtual, panel reg.GPVirtual) {
		k.shift(sums, panel)
		to := k.rowsOf("to", panel, k.stride())
		for r := range sums {
			for v := range vectors {
				k.VMOVUPS(f(sums[r][v]), operand.Mem{Base: to, Disp: r*k.stride() + v*k.bytes})
			}
		}
	})
	k.end()
}

func (k kernel) greatest() {
	k.begin("greatest", "func(best []float32, index []int32, rows, columns, bias []float32, depth, number, panels int)", "is greatestGo.")
	k.panels(k.zeroth(), func(sums [][vectors]reg.VecVirtual, panel reg.GPVirtual) {
		best := k.rowsOf("best", panel, k.bytes)
		index := k.rowsOf("index", panel, k.bytes)
		number := k.integer("number")
		for v := range vectors {
			low := k.XMM()
			k.VMOVD(number.As32(), low)
			current := k.register()
			k.VPBROADCASTD(low, current)
			for r := range sums {
				most, at := k.register(), operand.Mem{Base: best, Disp: r * k.bytes}
				k.VMOVUPS(at, most)
				where := operand.Mem{Base: index, Disp: r * k.bytes}
				const greater = operand.U8(30) // ordered, quiet
				if k.bytes == 64 {
					better := k.K()
					k.VCMPPS(greater, most, sums[r][v], better)
					k.VMOVUPS(sums[r][v], better, at)
					k.VMOVDQU32(current, better, where)
				} else {
					better := k.register()
					k.VCMPPS(greater, most, sums[r][v], better)
					k.VBLENDVPS(better, sums[r][v], most, most)
					k.VMOVUPS(most, at)
					k.VMOVUPS(where, most)
					k.VBLENDVPS(better, current, most, most)
					k.VMOVUPS(most, where)
				}
			}
			if v+1 < vectors {
				k.INCQ(number)
			}
		}
	})
	k.end()
}
