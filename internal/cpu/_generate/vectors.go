package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitVectors adds the kernels that go through vectors once, value by value.
// Memory bounds them, not arithmetic, so they keep no more than one vector of
// each operand in flight, and leave the overlap to the processor.
func emitVectors(ctx *build.Context) {
	table := laneTable(ctx, "vectorsMask")
	for _, isa := range isas {
		v := vectors{kernel{ctx, isa, false}, table}
		v.mask()
		v.arithmetic()
		v.adam()
		v.reductions()
		v.addDifference()
		vectors{kernel{ctx, isa, true}, table}.combine()
		for _, double := range []bool{false, true} {
			d := vectors{kernel{ctx, isa, double}, table}
			d.sumDifference()
			d.slope()
		}
	}
}

// vectors are kernels on vectors of any length, the same for all operands.
type vectors struct {
	kernel
	table operand.Mem // of lane masks
}

// access loads and stores the current vector of an operand.
type access struct {
	load  func(p reg.GPVirtual) reg.VecVirtual
	store func(r reg.VecVirtual, p reg.GPVirtual)
}

// operands loads the length of the first operand and the addresses of all.
func (v vectors) operands(names []string) (n reg.GPVirtual, p []reg.GPVirtual) {
	n = v.length(names[0])
	for _, name := range names {
		p = append(p, v.pointer(name))
	}
	return n, p
}

// each calls body for whole vectors, then for the rest under a mask, with the
// addresses of the named operands.
func (v vectors) each(names []string, body func(a access, p []reg.GPVirtual)) {
	n, p := v.operands(names)
	accessBy := func(load func(operand.Mem, reg.VecVirtual), store func(reg.VecVirtual, operand.Mem)) access {
		return access{
			load: func(p reg.GPVirtual) reg.VecVirtual {
				r := v.register()
				load(operand.Mem{Base: p}, r)
				return r
			},
			store: func(r reg.VecVirtual, p reg.GPVirtual) { store(r, operand.Mem{Base: p}) },
		}
	}
	v.Label("loop")
	v.CMPQ(n, operand.U8(v.lanes()))
	v.JL(operand.LabelRef("rest"))
	body(accessBy(v.load, v.store), p)
	for _, q := range p {
		v.ADDQ(operand.I32(v.bytes), q)
	}
	v.SUBQ(operand.U8(v.lanes()), n)
	v.JMP(operand.LabelRef("loop"))
	v.Label("rest")
	v.TESTQ(n, n)
	v.JZ(operand.LabelRef("done"))
	m := v.firstLanes(n, v.table)
	body(accessBy(m.load, m.store), p)
	v.Label("done")
}

// elementwise adds a kernel that computes each value of result from those of the
// operands, which are loaded in this order, and from scalars; body returns the
// register with the result. The result may be the first operand itself.
func (v vectors) elementwise(name, result, operands, scalars string, body func(x, s []reg.VecVirtual) reg.VecVirtual) {
	all := strings.Split(operands, ", ")
	loaded := 0 // number of the first operand that is loaded
	if all[0] != result {
		all, loaded = append([]string{result}, all...), 1
	}
	v.begin(name, fmt.Sprintf("func(%[1]s []float%[2]d, %[3]s float%[2]d)", strings.Join(all, ", "), 8*v.element(), scalars))
	var s []reg.VecVirtual
	for _, name := range strings.Split(scalars, ", ") {
		s = append(s, v.scalar(name))
	}
	v.each(all, func(a access, p []reg.GPVirtual) {
		var x []reg.VecVirtual
		for _, q := range p[loaded:] {
			x = append(x, a.load(q))
		}
		a.store(body(x, s), p[0])
	})
	v.end()
}

// mask adds the kernel that passes values on where a mask is positive.
func (v vectors) mask() {
	v.begin("mask", "func(to, x, mask []float32)")
	zero := v.zeros(1)[0]
	v.each([]string{"to", "x", "mask"}, func(a access, p []reg.GPVirtual) {
		x, mask := a.load(p[1]), a.load(p[2])
		v.keepWherePositive(x, mask, zero)
		a.store(x, p[0])
	})
	v.end()
}

// arithmetic adds the kernels with few operations a value.
func (v vectors) arithmetic() {
	v.elementwise("axpy", "y", "y, x", "alpha", func(x, s []reg.VecVirtual) reg.VecVirtual {
		v.VFMADD231PS(s[0], x[1], x[0])
		return x[0]
	})
	v.elementwise("scale", "x", "x", "alpha", func(x, s []reg.VecVirtual) reg.VecVirtual {
		v.VMULPS(s[0], x[0], x[0])
		return x[0]
	})
	v.elementwise("clamp", "x", "x", "low, high", func(x, s []reg.VecVirtual) reg.VecVirtual {
		v.VMAXPS(x[0], s[0], x[0]) // in this order of operands NaN stays NaN
		v.VMINPS(x[0], s[1], x[0])
		return x[0]
	})
	v.elementwise("average", "mean", "mean, x", "decay, rest", func(x, s []reg.VecVirtual) reg.VecVirtual {
		v.VMULPS(s[0], x[0], x[0])
		v.VFMADD231PS(s[1], x[1], x[0])
		return x[0]
	})
}

func (v vectors) combine() {
	v.elementwise("combine", "to", "x, y", "a, b", func(x, s []reg.VecVirtual) reg.VecVirtual {
		v.VMULPD(s[1], x[1], x[1])
		v.VFMADD231PD(s[0], x[0], x[1])
		return x[1]
	})
}

func (v vectors) addDifference() {
	v.elementwise("addDifference", "to", "to, x, y", "alpha", func(x, s []reg.VecVirtual) reg.VecVirtual {
		v.VSUBPS(x[2], x[1], x[1])
		v.VFMADD231PS(s[0], x[1], x[0])
		return x[0]
	})
}

func (v vectors) adam() {
	v.begin("adam", "func(point, gradient, mean, square []float32, keepMean, addMean, keepSquare, addSquare, step, root, epsilon float32)")
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

// slope computes factor·d − copysign(magnitude, d) for d = x − target, and 0 for
// 0.
func (v vectors) slope() {
	bits := 8 * v.element()
	v.begin(fmt.Sprint("slope", bits), fmt.Sprintf("func(dx, x, target []float%[1]d, factor, magnitude, negativeZero float%[1]d)", bits))
	subtract, and, exclusiveOr, compare := v.VSUBPS, v.VANDPS, v.VXORPS, v.VCMPPS
	multiplySubtract, multiplySubtractMasked := v.VFMSUB132PS, v.VFMSUB132PS_Z
	if v.double {
		subtract, and, exclusiveOr, compare = v.VSUBPD, v.VANDPD, v.VXORPD, v.VCMPPD
		multiplySubtract, multiplySubtractMasked = v.VFMSUB132PD, v.VFMSUB132PD_Z
	}
	factor, magnitude, sign := v.scalar("factor"), v.scalar("magnitude"), v.scalar("negativeZero")
	zero := v.zeros(1)[0]
	v.each([]string{"dx", "x", "target"}, func(a access, p []reg.GPVirtual) {
		d, target, signed := a.load(p[1]), a.load(p[2]), v.register()
		subtract(target, d, d)
		and(sign, d, signed)
		exclusiveOr(magnitude, signed, signed)
		if v.bytes == 64 {
			unequal := v.K()
			compare(notEqual, zero, d, unequal)
			multiplySubtractMasked(factor, signed, unequal, d)
		} else {
			unequal := v.register()
			compare(notEqual, zero, d, unequal)
			multiplySubtract(factor, signed, d)
			and(unequal, d, d)
		}
		a.store(d, p[0])
	})
	v.end()
}
