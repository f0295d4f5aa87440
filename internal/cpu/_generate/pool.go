package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitPool adds the kernels of pooling. Two vectors of a row are separated into
// even and odd columns, and those of the gradient joined again. The kernels work
// on whole vectors of y only. Memory bounds them.
func emitPool(ctx *build.Context) {
	even, odd := permutation(ctx, "poolEven", func(i int) int { return 2 * i }), permutation(ctx, "poolOdd", func(i int) int { return 2*i + 1 })
	low := permutation(ctx, "poolLow", func(i int) int { return i/2 + i%2*16 })
	high := permutation(ctx, "poolHigh", func(i int) int { return 8 + i/2 + i%2*16 })
	for _, isa := range isas {
		p := pool{kernel: kernel{ctx, isa, false}}
		if isa.bytes == 64 {
			p.tables = [4]operand.Mem{even, odd, low, high}
		}
		p.maxPool()
		p.maxPoolGradient()
		p.meanPool()
		p.meanPoolGradient()
		p.l2Pool()
		p.l2PoolGradient()
	}
}

// permutation is a table of indices into two vectors of 16 values.
func permutation(ctx *build.Context, name string, index func(i int) int) operand.Mem {
	table := ctx.StaticGlobal(name)
	ctx.DataAttributes(readOnlyTable)
	for i := range 16 {
		ctx.AddDatum(4*i, operand.U32(uint32(index(i))))
	}
	return table
}

// pool are kernels on windows of 2×2. Their tables are of indices for AVX-512's
// permutations.
type pool struct {
	kernel
	tables  [4]operand.Mem
	indices [4]reg.VecVirtual // AVX-512: even, odd, low, high
}

// loadIndices loads the tables with these numbers.
func (p *pool) loadIndices(n ...int) {
	if p.bytes != 64 {
		return
	}
	for _, i := range n {
		p.indices[i] = p.register()
		p.load(p.tables[i], p.indices[i])
	}
}

// separate returns the even and the odd columns of two neighbouring vectors.
func (p *pool) separate(from reg.GPVirtual) (even, odd reg.VecVirtual) {
	a, b := p.register(), p.register()
	p.loadRow(from, []reg.VecVirtual{a, b})
	even, odd = p.register(), p.register()
	if p.bytes == 64 {
		p.VMOVAPS(p.indices[0], even)
		p.VPERMI2PS(b, a, even)
		p.VMOVAPS(p.indices[1], odd)
		p.VPERMI2PS(b, a, odd)
		return even, odd
	}
	p.VSHUFPS(operand.U8(0x88), b, a, even)
	p.VSHUFPS(operand.U8(0xdd), b, a, odd)
	p.VPERMPD(operand.U8(0xd8), even, even)
	p.VPERMPD(operand.U8(0xd8), odd, odd)
	return even, odd
}

// join stores two vectors as the even and odd columns of two neighbours.
func (p *pool) join(even, odd reg.VecVirtual, to reg.GPVirtual) {
	a, b := p.register(), p.register()
	if p.bytes == 64 {
		p.VMOVAPS(p.indices[2], a)
		p.VPERMI2PS(odd, even, a)
		p.VMOVAPS(p.indices[3], b)
		p.VPERMI2PS(odd, even, b)
	} else {
		low, high := p.register(), p.register()
		p.VUNPCKLPS(odd, even, low)
		p.VUNPCKHPS(odd, even, high)
		p.VPERM2F128(operand.U8(0x20), high, low, a)
		p.VPERM2F128(operand.U8(0x31), high, low, b)
	}
	p.storeRow([]reg.VecVirtual{a, b}, to)
}

// forward adds a kernel that makes a vector of y from the four values of every
// window.
func (p *pool) forward(name, parameters string, window func(a, b, c, d reg.VecVirtual) reg.VecVirtual) {
	p.begin(name, "func(y, top, bottom []float32"+parameters+")")
	p.loadIndices(0, 1)
	n := p.length("y")
	y, top, bottom := p.pointer("y"), p.pointer("top"), p.pointer("bottom")
	p.eachVector(n, func() {
		a, b := p.separate(top)
		c, d := p.separate(bottom)
		p.store(window(a, b, c, d), operand.Mem{Base: y})
	}, cursor{y, 4}, cursor{top, 8}, cursor{bottom, 8})
}

// backward adds a kernel that replaces the four values of every window by their
// gradients, from a vector of the gradient of y.
func (p *pool) backward(name, parameters string, window func(dy, a, b, c, d reg.VecVirtual)) {
	p.begin(name, "func(dTop, dBottom, dy, top, bottom []float32"+parameters+")")
	p.loadIndices(0, 1, 2, 3)
	n := p.length("dy")
	dTop, dBottom, dy, top, bottom := p.pointer("dTop"), p.pointer("dBottom"), p.pointer("dy"), p.pointer("top"), p.pointer("bottom")
	p.eachVector(n, func() {
		a, b := p.separate(top)
		c, d := p.separate(bottom)
		gradient := p.register()
		p.load(operand.Mem{Base: dy}, gradient)
		window(gradient, a, b, c, d)
		p.join(a, b, dTop)
		p.join(c, d, dBottom)
	}, cursor{dy, 4}, cursor{top, 8}, cursor{bottom, 8}, cursor{dTop, 8}, cursor{dBottom, 8})
}

func (p *pool) maxPool() {
	p.forward("maxPool", "", func(a, b, c, d reg.VecVirtual) reg.VecVirtual {
		p.VMAXPS(b, a, a)
		p.VMAXPS(d, c, c)
		p.VMAXPS(c, a, a)
		return a
	})
}

func (p *pool) maxPoolGradient() {
	p.backward("maxPoolGradient", "", func(dy, a, b, c, d reg.VecVirtual) {
		most, other := p.register(), p.register()
		p.VMAXPS(b, a, most)
		p.VMAXPS(d, c, other)
		p.VMAXPS(other, most, most)
		for _, x := range []reg.VecVirtual{a, b, c, d} {
			p.take(x, most, dy)
		}
	})
}

func (p *pool) meanPool() {
	p.forward("meanPool", ", scale float32", func(a, b, c, d reg.VecVirtual) reg.VecVirtual {
		p.VADDPS(b, a, a)
		p.VADDPS(d, c, c)
		p.VADDPS(c, a, a)
		p.VMULPS(p.scalar("scale"), a, a)
		return a
	})
}

func (p *pool) meanPoolGradient() {
	p.begin("meanPoolGradient", "func(dTop, dBottom, dy []float32, scale float32)")
	p.loadIndices(2, 3)
	n := p.length("dy")
	dTop, dBottom, dy := p.pointer("dTop"), p.pointer("dBottom"), p.pointer("dy")
	scale := p.scalar("scale")
	p.eachVector(n, func() {
		d := p.register()
		p.VMULPS(operand.Mem{Base: dy}, scale, d)
		p.join(d, d, dTop)
		p.join(d, d, dBottom)
	}, cursor{dy, 4}, cursor{dTop, 8}, cursor{dBottom, 8})
}

// norm returns the root of the sum of squares. It doesn't change the values.
func (p *pool) norm(a, b, c, d reg.VecVirtual) reg.VecVirtual {
	sum := p.register()
	p.VMULPS(a, a, sum)
	p.VFMADD231PS(b, b, sum)
	p.VFMADD231PS(c, c, sum)
	p.VFMADD231PS(d, d, sum)
	p.VSQRTPS(sum, sum)
	return sum
}

func (p *pool) l2Pool() {
	p.forward("l2Pool", ", scale float32", func(a, b, c, d reg.VecVirtual) reg.VecVirtual {
		n := p.norm(a, b, c, d)
		p.VMULPS(p.scalar("scale"), n, n)
		return n
	})
}

func (p *pool) l2PoolGradient() {
	p.backward("l2PoolGradient", ", scale float32", func(dy, a, b, c, d reg.VecVirtual) {
		n, zero := p.norm(a, b, c, d), p.register()
		p.VMULPS(p.scalar("scale"), dy, dy)
		p.VDIVPS(n, dy, dy)
		// Where the norm is zero, the quotient is NaN and is replaced by zero.
		p.zero(zero)
		p.keepWherePositive(dy, n, zero)
		for _, x := range []reg.VecVirtual{a, b, c, d} {
			p.VMULPS(dy, x, x)
		}
	})
}

// take replaces x by the gradient where x is the maximum, and by zero elsewhere. It
// clears the gradient where x has taken it, so that the first maximum of a window
// gets all.
func (p *pool) take(x, most, gradient reg.VecVirtual) {
	if p.bytes == 64 {
		chosen := p.K()
		p.VCMPPS(equal, most, x, chosen)
		p.VMOVAPS_Z(gradient, chosen, x)
		p.KNOTW(chosen, chosen)
		p.VMOVAPS_Z(gradient, chosen, gradient)
		return
	}
	p.VCMPPS(equal, most, x, x)
	mask := p.register()
	p.VMOVAPS(x, mask)
	p.VANDPS(gradient, mask, x)
	p.VANDNPS(gradient, mask, gradient)
}
