package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitPool adds the kernels of pooling. Two vectors of a row are separated into
// even and odd columns, and the gradient's put together again; all work on
// whole vectors of y only. Memory bounds them.
func emitPool(ctx *build.Context) {
	even, odd := permutation(ctx, "poolEven", func(i int) int { return 2 * i }), permutation(ctx, "poolOdd", func(i int) int { return 2*i + 1 })
	low := permutation(ctx, "poolLow", func(i int) int { return i/2 + i%2*16 })
	high := permutation(ctx, "poolHigh", func(i int) int { return 8 + i/2 + i%2*16 })
	for _, isa := range isas {
		p := pool{vectors: vectors{kernel: kernel{ctx, isa, false}}}
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
	ctx.DataAttributes(24) // RODATA|NOPTR
	for i := range 16 {
		ctx.AddDatum(4*i, operand.U32(uint32(index(i))))
	}
	return table
}

type pool struct {
	vectors
	tables  [4]operand.Mem
	indices [4]reg.VecVirtual // AVX-512: even, odd, low, high
}

func (p *pool) loadIndices(n ...int) {
	if p.bytes != 64 {
		return
	}
	for _, i := range n {
		p.indices[i] = p.register()
		p.VMOVUPS(p.tables[i], p.indices[i])
	}
}

// separate returns the even and the odd columns of two neighbouring vectors.
func (p *pool) separate(from reg.GPVirtual) (even, odd reg.VecVirtual) {
	a, b := p.register(), p.register()
	p.VMOVUPS(operand.Mem{Base: from}, a)
	p.VMOVUPS(operand.Mem{Base: from, Disp: p.bytes}, b)
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
	p.VMOVUPS(a, operand.Mem{Base: to})
	p.VMOVUPS(b, operand.Mem{Base: to, Disp: p.bytes})
}

func (p *pool) slice(name string) reg.GPVirtual {
	return p.Load(p.Param(name).Base(), p.GP64()).(reg.GPVirtual)
}

// forward adds a kernel that makes a vector of y from the four values of every
// window.
func (p *pool) forward(name, parameters string, window func(a, b, c, d reg.VecVirtual) reg.VecVirtual) {
	p.begin(name, "y, top, bottom []float32"+parameters, "")
	p.loadIndices(0, 1)
	n := p.Load(p.Param("y").Len(), p.GP64()).(reg.GPVirtual)
	y, top, bottom := p.slice("y"), p.slice("top"), p.slice("bottom")
	p.Label("loop")
	a, b := p.separate(top)
	c, d := p.separate(bottom)
	p.VMOVUPS(window(a, b, c, d), operand.Mem{Base: y})
	p.ADDQ(operand.I32(p.bytes), y)
	p.ADDQ(operand.I32(2*p.bytes), top)
	p.ADDQ(operand.I32(2*p.bytes), bottom)
	p.SUBQ(operand.U8(p.lanes()), n)
	p.JG(operand.LabelRef("loop"))
	p.end()
}

// backward adds a kernel that makes the gradients of the four values of every
// window, in their places, from a vector of the gradient of y.
func (p *pool) backward(name, parameters string, window func(dy, a, b, c, d reg.VecVirtual)) {
	p.begin(name, "dTop, dBottom, dy, top, bottom []float32"+parameters, "")
	p.loadIndices(0, 1, 2, 3)
	n := p.Load(p.Param("dy").Len(), p.GP64()).(reg.GPVirtual)
	dTop, dBottom, dy, top, bottom := p.slice("dTop"), p.slice("dBottom"), p.slice("dy"), p.slice("top"), p.slice("bottom")
	p.Label("loop")
	a, b := p.separate(top)
	c, d := p.separate(bottom)
	gradient := p.register()
	p.VMOVUPS(operand.Mem{Base: dy}, gradient)
	window(gradient, a, b, c, d)
	p.join(a, b, dTop)
	p.join(c, d, dBottom)
	p.ADDQ(operand.I32(p.bytes), dy)
	for _, q := range []reg.GPVirtual{top, bottom, dTop, dBottom} {
		p.ADDQ(operand.I32(2*p.bytes), q)
	}
	p.SUBQ(operand.U8(p.lanes()), n)
	p.JG(operand.LabelRef("loop"))
	p.end()
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
	p.begin("meanPoolGradient", "dTop, dBottom, dy []float32, scale float32", "")
	p.loadIndices(2, 3)
	n := p.Load(p.Param("dy").Len(), p.GP64()).(reg.GPVirtual)
	dTop, dBottom, dy := p.slice("dTop"), p.slice("dBottom"), p.slice("dy")
	scale := p.scalar("scale")
	p.Label("loop")
	d := p.register()
	p.VMULPS(operand.Mem{Base: dy}, scale, d)
	p.join(d, d, dTop)
	p.join(d, d, dBottom)
	p.ADDQ(operand.I32(p.bytes), dy)
	p.ADDQ(operand.I32(2*p.bytes), dTop)
	p.ADDQ(operand.I32(2*p.bytes), dBottom)
	p.SUBQ(operand.U8(p.lanes()), n)
	p.JG(operand.LabelRef("loop"))
	p.end()
}

// norm returns the root of the sum of squares, and leaves the values.
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
		// Where the norm is zero the quotient isn't a number.
		p.zero(zero)
		const less = operand.U8(17) // ordered, quiet
		if p.bytes == 64 {
			positive := p.K()
			p.VCMPPS(less, n, zero, positive)
			p.VMOVAPS_Z(dy, positive, dy)
		} else {
			p.VCMPPS(less, n, zero, n)
			p.VANDPS(n, dy, dy)
		}
		for _, x := range []reg.VecVirtual{a, b, c, d} {
			p.VMULPS(dy, x, x)
		}
	})
}

// take replaces x by what is left of the gradient where x is the maximum, else
// by zero, and takes that from what is left.
func (p *pool) take(x, most, left reg.VecVirtual) {
	const equal = operand.U8(0) // ordered, quiet
	if p.bytes == 64 {
		chosen := p.K()
		p.VCMPPS(equal, most, x, chosen)
		p.VMOVAPS_Z(left, chosen, x)
		p.KNOTW(chosen, chosen)
		p.VMOVAPS_Z(left, chosen, left)
		return
	}
	p.VCMPPS(equal, most, x, x)
	mask := p.register()
	p.VMOVAPS(x, mask)
	p.VANDPS(left, mask, x)
	p.VANDNPS(left, mask, left)
}
