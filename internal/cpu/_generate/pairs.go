package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitPairs adds the kernels that go through all pairs of a tile of rows with a
// tile of columns. Each makes the products of a register tile, AVX-512 with
// 11 loads for 24 multiply-adds a channel, and uses them while they are still in
// registers. An exponential is some 12 instructions beside the 64 to 512
// multiply-adds of its product.
func emitPairs(ctx *build.Context) {
	c := newConstants(ctx, "pairsConstants")
	for _, v := range append([]float64{sumLimit, lowestExponent, roundingMagic}, append(exponential, mixtureFactors...)...) {
		c.memory(v)
	}
	for _, isa := range isas {
		k := pairs{kernel{ctx, isa, false}, c}
		k.sumExponentials()
		k.sumMixture()
		k.storeWeights("exponentials", k.exp2)
		k.storeWeights("slopes", func(x reg.VecVirtual) reg.VecVirtual { return k.slope(k.exp2(k.notPositive(x))) })
		k.greatest()
	}
}

// Numbers that Go code and kernels agree on; see loops.go of package pairwise.
const (
	sumLimit       = 40
	lowestExponent = -125
	roundingMagic  = 1.5 * (1 << 23)
)

var (
	// exponential is the polynomial of degree 5 with the least relative error,
	// 7.5e-8, for 2^r on [−½, ½], from the constant term on.
	exponential = []float64{
		1.0000001192092896, 0.6931469440460205, 0.24022120237350464, 0.05550713092088699, 0.009675540961325169, 0.001327647129073739,
	}
	mixtureFactors = []float64{2, 4, 8, 16}
)

// pairs are kernels on tiles of clouds. A tile is as wide as a register tile, and
// six register tiles high.
type pairs struct {
	kernel
	*constants
}

// channel is the distance in bytes between a tile's channels.
func (k pairs) channel() int { return tileVectors * k.bytes }

// ofPanel moves a pointer to what belongs to a panel, in bytes a row.
func (k pairs) ofPanel(p, panel reg.GPVirtual, bytes int) {
	offset := k.GP64()
	k.MOVQ(panel, offset)
	k.IMUL3Q(operand.U32(bytes*k.rows), offset, offset)
	k.ADDQ(offset, p)
}

// rowsOf returns the address of what a kernel keeps for the rows of a panel, in
// bytes each.
func (k pairs) rowsOf(name string, panel reg.GPVirtual, bytes int) reg.GPVirtual {
	p := k.pointer(name)
	k.ofPanel(p, panel, bytes)
	return p
}

// panels calls body for the register tiles from number first on, with the
// products in sums.
func (k pairs) panels(first reg.GPVirtual, body func(sums [][]reg.VecVirtual, panel reg.GPVirtual)) {
	rows, columns, bias := k.pointer("rows"), k.pointer("columns"), k.pointer("bias")
	end := k.integer("panels")
	k.ofPanel(rows, first, 4)
	sums := k.registerTile(k.rows, tileVectors)
	k.Label("panel")
	k.CMPQ(first, end)
	k.JGE(operand.LabelRef("done"))
	k.loadRow(bias, sums[0])
	for r := 1; r < k.rows; r++ {
		for v, b := range sums[0] {
			k.VMOVAPS(b, sums[r][v])
		}
	}
	a, b, depth := k.GP64(), k.GP64(), k.GP64()
	k.MOVQ(rows, a)
	k.MOVQ(columns, b)
	k.Load(k.Param("depth"), depth)
	left, right := k.register(), k.registers(tileVectors)
	k.loop("loop", depth, func() {
		k.loadRow(b, right)
		k.outerProduct(sums, func(r int) operand.Mem { return operand.Mem{Base: a, Disp: 4 * r} }, left, right)
		k.ADDQ(operand.I32(k.channel()), a)
		k.ADDQ(operand.I32(k.channel()), b)
	})
	body(sums, first)
	k.ADDQ(operand.I32(4*k.rows), rows)
	k.INCQ(first)
	k.JMP(operand.LabelRef("panel"))
	k.Label("done")
}

// zeroth is a register that holds panel number 0.
func (k pairs) zeroth() reg.GPVirtual {
	first := k.GP64()
	k.XORQ(first, first)
	return first
}

// shift replaces the products p of a panel by scale·p + rowBias.
func (k pairs) shift(sums [][]reg.VecVirtual, panel reg.GPVirtual) {
	rowBias := k.pointer("rowBias")
	scale, bias := k.scalar("scale"), k.register()
	k.ofPanel(rowBias, panel, 4)
	for r := range sums {
		k.broadcast(operand.Mem{Base: rowBias, Disp: 4 * r}, bias)
		for _, sum := range sums[r] {
			k.VFMADD213PS(bias, scale, sum)
		}
	}
}

// exp2 replaces x by 2^x, for x up to 127; below −125 it is 2^−125. x is split
// into a whole number, which goes to the exponent's bits, and a rest, whose
// power is a polynomial.
func (k pairs) exp2(x reg.VecVirtual) reg.VecVirtual {
	whole, y := k.register(), k.register()
	k.load(k.memory(lowestExponent), y)
	k.VMAXPS(x, y, x) // in this order of operands NaN stays NaN
	k.VADDPS(k.memory(roundingMagic), x, whole)
	k.VSUBPS(k.memory(roundingMagic), whole, y)
	k.VSUBPS(y, x, x)
	highest := len(exponential) - 1
	k.load(k.memory(exponential[highest]), y)
	for i := highest - 1; i >= 0; i-- {
		k.VFMADD213PS(k.memory(exponential[i]), x, y)
	}
	k.VPSLLD(operand.U8(23), whole, whole)
	k.VPADDD(whole, y, y)
	return y
}

// notPositive replaces x by min(x, 0).
func (k pairs) notPositive(x reg.VecVirtual) reg.VecVirtual {
	zero := k.register()
	k.VXORPS(zero, zero, zero)
	k.VMINPS(x, zero, x) // in this order of operands NaN stays NaN
	return x
}

// mixture returns u + u² + u⁴ + u⁸ + u¹⁶.
func (k pairs) mixture(u reg.VecVirtual) reg.VecVirtual {
	sum := k.copy(u)
	for range mixtureFactors {
		k.VMULPS(u, u, u)
		k.VADDPS(u, sum, sum)
	}
	return sum
}

// slope returns u + 2u² + 4u⁴ + 8u⁸ + 16u¹⁶.
func (k pairs) slope(u reg.VecVirtual) reg.VecVirtual {
	sum := k.copy(u)
	for _, factor := range mixtureFactors {
		k.VMULPS(u, u, u)
		k.VFMADD231PS(k.memory(factor), u, sum)
	}
	return sum
}

func (k pairs) sumExponentials() {
	k.begin("sum", "func(sums, rows, columns, bias, rowBias []float32, scale float32, depth, first, panels int) int")
	first := k.integer("first")
	k.panels(first, func(sums [][]reg.VecVirtual, panel reg.GPVirtual) {
		k.shift(sums, panel)
		k.stopAbove(sums)
		to := k.rowsOf("sums", panel, k.bytes)
		for r := range sums {
			total := k.register()
			k.load(k.vectorAt(to, r), total)
			for _, x := range sums[r] {
				k.VADDPS(k.exp2(x), total, total)
			}
			k.store(total, k.vectorAt(to, r))
		}
	})
	k.Store(first, k.ReturnIndex(0))
	k.end()
}

// stopAbove leaves the panels if one of the sums is greater than sumLimit.
func (k pairs) stopAbove(sums [][]reg.VecVirtual) {
	most := k.copy(sums[0][0])
	for r := range sums {
		for v, x := range sums[r] {
			if r+v > 0 {
				k.VMAXPS(x, most, most)
			}
		}
	}
	if k.bytes == 64 {
		above := k.K()
		k.VCMPPS(greater, k.memory(sumLimit), most, above)
		k.KORTESTW(above, above)
	} else {
		k.VCMPPS(greater, k.memory(sumLimit), most, most)
		above := k.GP32()
		k.VMOVMSKPS(most, above)
		k.TESTL(above, above)
	}
	k.JNZ(operand.LabelRef("done"))
}

func (k pairs) sumMixture() {
	k.begin("sumMixture", "func(sums, rows, columns, bias, rowBias []float32, scale float32, depth, panels int)")
	k.panels(k.zeroth(), func(sums [][]reg.VecVirtual, panel reg.GPVirtual) {
		k.shift(sums, panel)
		to := k.rowsOf("sums", panel, k.bytes)
		for r := range sums {
			for _, x := range sums[r] {
				y := k.mixture(k.exp2(k.notPositive(x)))
				k.VADDPS(k.vectorAt(to, r), y, y)
				k.store(y, k.vectorAt(to, r))
			}
		}
	})
	k.end()
}

// storeWeights adds a kernel that stores a function of every pair's argument.
func (k pairs) storeWeights(name string, f func(x reg.VecVirtual) reg.VecVirtual) {
	k.begin(name, "func(to, rows, columns, bias, rowBias []float32, scale float32, depth, panels int)")
	k.panels(k.zeroth(), func(sums [][]reg.VecVirtual, panel reg.GPVirtual) {
		k.shift(sums, panel)
		to := k.rowsOf("to", panel, k.channel())
		for r := range sums {
			for v, x := range sums[r] {
				k.store(f(x), k.vectorAt(to, r*tileVectors+v))
			}
		}
	})
	k.end()
}

func (k pairs) greatest() {
	k.begin("greatest", "func(best []float32, index []int32, rows, columns, bias []float32, depth, number, panels int)")
	k.panels(k.zeroth(), func(sums [][]reg.VecVirtual, panel reg.GPVirtual) {
		best := k.rowsOf("best", panel, k.bytes)
		index := k.rowsOf("index", panel, k.bytes)
		number := k.integer("number")
		for v := range tileVectors {
			low := k.XMM()
			k.VMOVD(number.As32(), low)
			current := k.register()
			k.VPBROADCASTD(low, current)
			for r := range sums {
				k.keepGreater(sums[r][v], current, k.vectorAt(best, r), k.vectorAt(index, r))
			}
			if v+1 < tileVectors {
				k.INCQ(number)
			}
		}
	})
	k.end()
}

// keepGreater stores the lanes of x that are greater than the best so far, and
// for these the vector's number.
func (k pairs) keepGreater(x, number reg.VecVirtual, best, index operand.Mem) {
	most := k.register()
	k.load(best, most)
	if k.bytes == 64 {
		better := k.K()
		k.VCMPPS(greater, most, x, better)
		k.VMOVUPS(x, better, best)
		k.VMOVDQU32(number, better, index)
		return
	}
	better := k.register()
	k.VCMPPS(greater, most, x, better)
	k.VBLENDVPS(better, x, most, most)
	k.store(most, best)
	k.load(index, most)
	k.VBLENDVPS(better, number, most, most)
	k.store(most, index)
}
