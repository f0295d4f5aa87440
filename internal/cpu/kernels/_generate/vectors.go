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
		v.dot("dot", productOfTwo)
		v.dot("sum", plain)
		v.dot("spread", squaredDifference)
		v.pull()
		vectors{kernel{ctx, isa, true}, table}.combine()
		for _, double := range []bool{false, true} {
			d := vectors{kernel{ctx, isa, double}, table}
			d.sumDifference()
			d.slope()
		}
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

func (v vectors) pull() {
	v.begin("pull", "to, x, y []float32, alpha float32", "")
	alpha := v.scalar("alpha")
	v.each([]string{"to", "x", "y"}, func(a access, p []reg.GPVirtual) {
		to, x, y := a.load(p[0]), a.load(p[1]), a.load(p[2])
		v.VSUBPS(y, x, x)
		v.VFMADD231PS(alpha, x, to)
		a.store(to, p[0])
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

// reduction is what dot sums.
type reduction int

const (
	plain             reduction = iota // x
	productOfTwo                       // x·y
	squaredDifference                  // (x − y)², x − y being a float32
)

// dot sums what two vectors, or one, come to value by value, in float64, in which
// products are exact. Four sums run beside each other, since one would wait for
// itself; they are added up at the end in a fixed order.
func (v vectors) dot(name string, what reduction) {
	parameters, operands := "x, y []float32", []string{"x", "y"}
	if what == plain {
		parameters, operands = "x []float32", []string{"x"}
	}
	v.begin(name, parameters, "float64")
	sums := v.zeros(4)
	v.reduce(operands, len(sums), func(part int, load func(i int) reg.VecVirtual) {
		x, sum := load(0), sums[part]
		switch what {
		case plain:
			v.VADDPD(v.wide(x), sum, sum)
		case productOfTwo:
			v.VFMADD231PD(v.wide(load(1)), v.wide(x), sum)
		case squaredDifference:
			v.subtractSingles(load(1), x)
			d := v.wide(x)
			v.VFMADD231PD(d, d, sum)
		}
	})
	v.VADDPD(sums[1], sums[0], sums[0])
	v.VADDPD(sums[3], sums[2], sums[2])
	v.VADDPD(sums[2], sums[0], sums[0])
	v.result(0, sums[0])
	v.end()
}

// sumDifference sums d², |d| and target² for d = x − target, in float64.
func (v vectors) sumDifference() {
	element := fmt.Sprintf("[]float%d", 8*v.element())
	v.begin(fmt.Sprint("sumDifference", 8*v.element()), "x, target "+element, "(squares, magnitudes, targetSquares float64)")
	sums := [2][]reg.VecVirtual{v.zeros(3), v.zeros(3)}
	zero := v.zeros(1)[0]
	v.reduce([]string{"x", "target"}, 2, func(part int, load func(i int) reg.VecVirtual) {
		s, d, target := sums[part], v.wide(load(0)), v.wide(load(1))
		v.VSUBPD(target, d, d)
		v.VFMADD231PD(d, d, s[0])
		v.VFMADD231PD(target, target, s[2])
		magnitude := v.register()
		v.VSUBPD(d, zero, magnitude)
		v.VMAXPD(d, magnitude, magnitude)
		v.VADDPD(magnitude, s[1], s[1])
	})
	for i, s := range sums[0] {
		v.VADDPD(sums[1][i], s, s)
		v.result(i, s)
	}
	v.end()
}

// slope computes factor·d − copysign(magnitude, d) for d = x − target, and 0 for
// 0.
func (v vectors) slope() {
	bits := 8 * v.element()
	v.begin(fmt.Sprint("slope", bits), fmt.Sprintf("dx, x, target []float%[1]d, factor, magnitude, negativeZero float%[1]d", bits), "")
	factor, magnitude, sign := v.scalar("factor"), v.scalar("magnitude"), v.scalar("negativeZero")
	zero := v.zeros(1)[0]
	const notEqual = operand.U8(4) // or unordered, quiet
	v.each([]string{"dx", "x", "target"}, func(a access, p []reg.GPVirtual) {
		d, target, signed := a.load(p[1]), a.load(p[2]), v.register()
		if v.double {
			v.VSUBPD(target, d, d)
			v.VANDPD(sign, d, signed)
			v.VXORPD(magnitude, signed, signed)
		} else {
			v.VSUBPS(target, d, d)
			v.VANDPS(sign, d, signed)
			v.VXORPS(magnitude, signed, signed)
		}
		if v.bytes == 64 {
			k := v.K()
			if v.double {
				v.VCMPPD(notEqual, zero, d, k)
				v.VFMSUB132PD_Z(factor, signed, k, d)
			} else {
				v.VCMPPS(notEqual, zero, d, k)
				v.VFMSUB132PS_Z(factor, signed, k, d)
			}
			a.store(d, p[0])
			return
		}
		open := v.register()
		if v.double {
			v.VCMPPD(notEqual, zero, d, open)
			v.VFMSUB132PD(factor, signed, d)
			v.VANDPD(open, d, d)
		} else {
			v.VCMPPS(notEqual, zero, d, open)
			v.VFMSUB132PS(factor, signed, d)
			v.VANDPS(open, d, d)
		}
		a.store(d, p[0])
	})
	v.end()
}

func (v vectors) zeros(n int) []reg.VecVirtual {
	r := v.registers(n)
	for _, s := range r {
		v.zero(s)
	}
	return r
}

// reduce calls body for parts vectors of float64 at a time, then for single
// values, with what loads those of an operand, as they are, the rest being zero.
func (v vectors) reduce(names []string, parts int, body func(part int, load func(i int) reg.VecVirtual)) {
	n := v.Load(v.Param(names[0]).Len(), v.GP64()).(reg.GPVirtual)
	p := make([]reg.GPVirtual, len(names))
	for i, name := range names {
		p[i] = v.Load(v.Param(name).Base(), v.GP64()).(reg.GPVirtual)
	}
	lanes := v.bytes / 8
	advance := func(values int) {
		for _, q := range p {
			v.ADDQ(operand.I32(int32(values*v.element())), q)
		}
		v.SUBQ(operand.U8(values), n)
	}
	v.Label("loop")
	v.CMPQ(n, operand.U8(parts*lanes))
	v.JL(operand.LabelRef("single"))
	for part := range parts {
		body(part, func(i int) reg.VecVirtual {
			r, from := v.register(), operand.Mem{Base: p[i], Disp: part * lanes * v.element()}
			switch {
			case v.double:
				v.VMOVUPD(from, r)
			case v.bytes == 64:
				v.VMOVUPS(from, r.AsY())
			default:
				v.VMOVUPS(from, r.AsX())
			}
			return r
		})
	}
	advance(parts * lanes)
	v.JMP(operand.LabelRef("loop"))
	v.Label("single")
	v.TESTQ(n, n)
	v.JZ(operand.LabelRef("done"))
	body(0, func(i int) reg.VecVirtual {
		r := v.register()
		if v.double {
			v.VMOVSD(operand.Mem{Base: p[i]}, r.AsX())
		} else {
			v.VMOVSS(operand.Mem{Base: p[i]}, r.AsX())
		}
		return r
	})
	advance(1)
	v.JMP(operand.LabelRef("single"))
	v.Label("done")
}

// wide widens the values that reduce loads, in place.
func (v vectors) wide(r reg.VecVirtual) reg.VecVirtual {
	switch {
	case v.double:
	case v.bytes == 64:
		v.VCVTPS2PD(r.AsY(), r)
	default:
		v.VCVTPS2PD(r.AsX(), r)
	}
	return r
}

// subtractSingles computes x −= y on what reduce loads of float32.
func (v vectors) subtractSingles(y, x reg.VecVirtual) {
	if v.bytes == 64 {
		v.VSUBPS(y.AsY(), x.AsY(), x.AsY())
	} else {
		v.VSUBPS(y.AsX(), x.AsX(), x.AsX())
	}
}

// result returns the sum of the float64 in r.
func (v vectors) result(i int, r reg.VecVirtual) {
	v.double = true
	v.horizontalSum(r)
	v.Store(r.AsX(), v.ReturnIndex(i))
}
