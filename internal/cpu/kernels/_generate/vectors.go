package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitVectors adds the kernels that go through vectors once, value by value.
// Memory bounds them, not arithmetic, so they keep no more than one vector of
// each operand in flight, and leave the overlap to the processor.
func emitVectors(ctx *build.Context) {
	table := maskTable(ctx, "vectorsMask")
	for _, isa := range isas {
		v := vectors{kernel{ctx, isa, false}, table}
		v.gate()
		v.axpy()
		v.scale()
		v.clamp()
		v.average()
		v.adam()
		v.dot("dot", 2)
		v.dot("sum", 1)
		vectors{kernel{ctx, isa, true}, table}.combine()
	}
}

type vectors struct {
	kernel
	mask operand.Mem
}

// begin starts a kernel on vectors of the length of the first.
func (v vectors) begin(name, parameters, results string) {
	v.Function(name + v.name)
	v.Attributes(4) // NOSPLIT
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(%s) %s", parameters, results))
	v.Doc(fmt.Sprintf("%s%s is %sGo.", name, v.name, name))
}

// access loads and stores the current vector of an operand.
type access struct {
	load  func(p reg.GPVirtual) reg.VecVirtual
	store func(r reg.VecVirtual, p reg.GPVirtual)
}

// each calls body for whole vectors, then for the rest under a mask, with the
// names' slices as operands.
func (v vectors) each(names []string, body func(a access, p []reg.GPVirtual)) {
	n := v.Load(v.Param(names[0]).Len(), v.GP64()).(reg.GPVirtual)
	p := make([]reg.GPVirtual, len(names))
	for i, name := range names {
		p[i] = v.Load(v.Param(name).Base(), v.GP64()).(reg.GPVirtual)
	}
	whole := access{
		load: func(p reg.GPVirtual) reg.VecVirtual {
			r := v.register()
			v.VMOVUPS(operand.Mem{Base: p}, r)
			return r
		},
		store: func(r reg.VecVirtual, p reg.GPVirtual) { v.VMOVUPS(r, operand.Mem{Base: p}) },
	}
	v.Label("loop")
	v.CMPQ(n, operand.U8(v.lanes()))
	v.JL(operand.LabelRef("rest"))
	body(whole, p)
	for _, q := range p {
		v.ADDQ(operand.I32(v.bytes), q)
	}
	v.SUBQ(operand.U8(v.lanes()), n)
	v.JMP(operand.LabelRef("loop"))
	v.Label("rest")
	v.TESTQ(n, n)
	v.JZ(operand.LabelRef("done"))
	m := v.maskOf(n, v.mask)
	body(access{
		load: func(p reg.GPVirtual) reg.VecVirtual {
			r := v.register()
			m.load(operand.Mem{Base: p}, r)
			return r
		},
		store: func(r reg.VecVirtual, p reg.GPVirtual) { m.store(r, operand.Mem{Base: p}) },
	}, p)
	v.Label("done")
}

func (v vectors) end() {
	v.VZEROUPPER()
	v.RET()
}

// scalar broadcasts a parameter.
func (v vectors) scalar(name string) reg.VecVirtual {
	m, err := v.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	r := v.register()
	v.broadcast(m.Addr, r)
	return r
}

func (v vectors) gate() {
	v.begin("gate", "to, x, gate []float32", "")
	zero := v.register()
	v.zero(zero)
	v.each([]string{"to", "x", "gate"}, func(a access, p []reg.GPVirtual) {
		x, open := a.load(p[1]), a.load(p[2])
		const lessThan = operand.U8(17) // ordered, quiet
		if v.bytes == 64 {
			k := v.K()
			v.VCMPPS(lessThan, open, zero, k)
			v.VMOVAPS_Z(x, k, x)
		} else {
			v.VCMPPS(lessThan, open, zero, open)
			v.VANDPS(open, x, x)
		}
		a.store(x, p[0])
	})
	v.end()
}

func (v vectors) axpy() {
	v.begin("axpy", "y, x []float32, alpha float32", "")
	alpha := v.scalar("alpha")
	v.each([]string{"y", "x"}, func(a access, p []reg.GPVirtual) {
		y, x := a.load(p[0]), a.load(p[1])
		v.VFMADD231PS(alpha, x, y)
		a.store(y, p[0])
	})
	v.end()
}

func (v vectors) scale() {
	v.begin("scale", "x []float32, alpha float32", "")
	alpha := v.scalar("alpha")
	v.each([]string{"x"}, func(a access, p []reg.GPVirtual) {
		x := a.load(p[0])
		v.VMULPS(alpha, x, x)
		a.store(x, p[0])
	})
	v.end()
}

func (v vectors) clamp() {
	v.begin("clamp", "x []float32, low, high float32", "")
	low, high := v.scalar("low"), v.scalar("high")
	v.each([]string{"x"}, func(a access, p []reg.GPVirtual) {
		x := a.load(p[0])
		// In this order of operands a NaN stays one.
		v.VMAXPS(x, low, x)
		v.VMINPS(x, high, x)
		a.store(x, p[0])
	})
	v.end()
}

func (v vectors) average() {
	v.begin("average", "mean, x []float32, decay, rest float32", "")
	decay, rest := v.scalar("decay"), v.scalar("rest")
	v.each([]string{"mean", "x"}, func(a access, p []reg.GPVirtual) {
		mean, x := a.load(p[0]), a.load(p[1])
		v.VMULPS(decay, mean, mean)
		v.VFMADD231PS(rest, x, mean)
		a.store(mean, p[0])
	})
	v.end()
}

func (v vectors) combine() {
	v.begin("combine", "to, x, y []float64, a, b float64", "")
	alpha, beta := v.scalar("a"), v.scalar("b")
	v.each([]string{"to", "x", "y"}, func(a access, p []reg.GPVirtual) {
		x, y := a.load(p[1]), a.load(p[2])
		v.VMULPD(beta, y, y)
		v.VFMADD231PD(alpha, x, y)
		a.store(y, p[0])
	})
	v.end()
}

func (v vectors) adam() {
	v.begin("adam", "point, gradient, mean, square []float32, keepMean, addMean, keepSquare, addSquare, step, root, epsilon float32", "")
	keepMean, addMean := v.scalar("keepMean"), v.scalar("addMean")
	keepSquare, addSquare := v.scalar("keepSquare"), v.scalar("addSquare")
	step, root, epsilon := v.scalar("step"), v.scalar("root"), v.scalar("epsilon")
	v.each([]string{"point", "gradient", "mean", "square"}, func(a access, p []reg.GPVirtual) {
		g, mean := a.load(p[1]), a.load(p[2])
		v.VMULPS(keepMean, mean, mean)
		v.VFMADD231PS(addMean, g, mean)
		a.store(mean, p[2])
		square := a.load(p[3])
		v.VMULPS(g, g, g)
		v.VMULPS(keepSquare, square, square)
		v.VFMADD231PS(addSquare, g, square)
		a.store(square, p[3])
		v.VSQRTPS(square, square)
		v.VMULPS(root, square, square)
		v.VADDPS(epsilon, square, square)
		v.VMULPS(step, mean, mean)
		v.VDIVPS(square, mean, mean)
		point := a.load(p[0])
		v.VSUBPS(mean, point, point)
		a.store(point, p[0])
	})
	v.end()
}

// dot sums products of two vectors, or the values of one, in float64, in which
// products are exact. Four sums run beside each other, since one would wait for
// itself; they are added up at the end in a fixed order.
func (v vectors) dot(name string, operands int) {
	parameters := "x, y []float32"
	if operands == 1 {
		parameters = "x []float32"
	}
	v.begin(name, parameters, "float64")
	sums := v.registers(4)
	for _, s := range sums {
		v.zero(s)
	}
	n := v.Load(v.Param("x").Len(), v.GP64()).(reg.GPVirtual)
	x := v.Load(v.Param("x").Base(), v.GP64()).(reg.GPVirtual)
	y := x
	if operands == 2 {
		y = v.Load(v.Param("y").Base(), v.GP64()).(reg.GPVirtual)
	}
	add := func(a, b operand.Op, sum reg.VecVirtual) {
		wide := v.register()
		v.VCVTPS2PD(a, wide)
		if operands == 1 {
			v.VADDPD(wide, sum, sum)
			return
		}
		wide2 := v.register()
		v.VCVTPS2PD(b, wide2)
		v.VFMADD231PD(wide, wide2, sum)
	}
	step := v.bytes / 2 // values at a time, and bytes of a vector of them
	v.Label("loop")
	v.CMPQ(n, operand.U8(step))
	v.JL(operand.LabelRef("single"))
	for i, s := range sums {
		add(operand.Mem{Base: x, Disp: i * step}, operand.Mem{Base: y, Disp: i * step}, s)
	}
	v.ADDQ(operand.I32(4*step), x)
	if operands == 2 {
		v.ADDQ(operand.I32(4*step), y)
	}
	v.SUBQ(operand.U8(step), n)
	v.JMP(operand.LabelRef("loop"))

	v.Label("single")
	v.TESTQ(n, n)
	v.JZ(operand.LabelRef("done"))
	a := v.XMM()
	v.VMOVSS(operand.Mem{Base: x}, a)
	v.VCVTSS2SD(a, a, a)
	if operands == 2 {
		b := v.XMM()
		v.VMOVSS(operand.Mem{Base: y}, b)
		v.VCVTSS2SD(b, b, b)
		v.VMULSD(b, a, a)
	}
	// VMOVQ clears all but the lowest value.
	lone := v.register()
	v.VMOVQ(a, lone.AsX())
	v.VADDPD(lone, sums[0], sums[0])
	v.ADDQ(operand.I32(4), x)
	if operands == 2 {
		v.ADDQ(operand.I32(4), y)
	}
	v.DECQ(n)
	v.JMP(operand.LabelRef("single"))

	v.Label("done")
	v.VADDPD(sums[1], sums[0], sums[0])
	v.VADDPD(sums[3], sums[2], sums[2])
	v.VADDPD(sums[2], sums[0], sums[0])
	total := sums[0]
	if v.bytes == 64 {
		upper := v.YMM()
		v.VEXTRACTF64X4(operand.U8(1), total, upper)
		v.VADDPD(upper, total.AsY(), total.AsY())
	}
	upper := v.XMM()
	v.VEXTRACTF128(operand.U8(1), total.AsY(), upper)
	v.VADDPD(upper, total.AsX(), total.AsX())
	v.VHADDPD(total.AsX(), total.AsX(), total.AsX())
	v.Store(total.AsX(), v.ReturnIndex(0))
	v.end()
}
