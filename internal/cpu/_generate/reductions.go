package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loader loads the next values of operand i, as many as a vector of float64 has.
type loader func(i int) reg.VecVirtual

// reductions adds the kernels that sum over one vector or two.
func (v vectors) reductions() {
	v.sum("dot", "x, y", func(load loader, sum reg.VecVirtual) {
		x := load(0)
		v.VFMADD231PD(v.wide(load(1)), v.wide(x), sum)
	})
	v.sum("sum", "x", func(load loader, sum reg.VecVirtual) {
		v.VADDPD(v.wide(load(0)), sum, sum)
	})
	v.sum("squaredDistance", "x, y", func(load loader, sum reg.VecVirtual) {
		x := load(0)
		v.subtractSingles(load(1), x)
		d := v.wide(x)
		v.VFMADD231PD(d, d, sum)
	})
}

// sum adds a kernel that sums in float64, in which products of float32 values are
// exact. There are four sums, because additions to a single one would wait for each
// other; they are added up at the end in a fixed order.
func (v vectors) sum(name, operands string, term func(load loader, sum reg.VecVirtual)) {
	v.begin(name, fmt.Sprintf("func(%s []float32) float64", operands))
	sums := v.zeros(4)
	v.reduce(strings.Split(operands, ", "), len(sums), func(part int, load loader) { term(load, sums[part]) })
	v.VADDPD(sums[1], sums[0], sums[0])
	v.VADDPD(sums[3], sums[2], sums[2])
	v.VADDPD(sums[2], sums[0], sums[0])
	v.result(0, sums[0])
	v.end()
}

// sumDifference sums d², |d| and target² for d = x − target, in float64.
func (v vectors) sumDifference() {
	bits := 8 * v.element()
	v.begin(fmt.Sprint("sumDifference", bits), fmt.Sprintf("func(x, target []float%d) (squares, magnitudes, targetSquares float64)", bits))
	sums := [2][]reg.VecVirtual{v.zeros(3), v.zeros(3)}
	zero := v.zeros(1)[0]
	v.reduce([]string{"x", "target"}, 2, func(part int, load loader) {
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

// reduce calls body for parts vectors of float64 at a time, then for single
// values, which are loaded as a vector's first with zeros behind them. Values are
// loaded as they are; see wide.
func (v vectors) reduce(names []string, parts int, body func(part int, load loader)) {
	n, p := v.operands(names)
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
			if v.double {
				v.VMOVUPD(from, r)
			} else {
				v.VMOVUPS(from, v.lowerHalf(r))
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

// lowerHalf is the half of a register that holds as many float32 values as the
// whole holds float64 ones.
func (v vectors) lowerHalf(r reg.VecVirtual) reg.Register {
	if v.bytes == 64 {
		return r.AsY()
	}
	return r.AsX()
}

// wide widens the values that reduce loads, in place.
func (v vectors) wide(r reg.VecVirtual) reg.VecVirtual {
	if !v.double {
		v.VCVTPS2PD(v.lowerHalf(r), r)
	}
	return r
}

// subtractSingles computes x −= y on float32 values as reduce loads them.
func (v vectors) subtractSingles(y, x reg.VecVirtual) {
	v.VSUBPS(v.lowerHalf(y), v.lowerHalf(x), v.lowerHalf(x))
}

// result returns the sum of the float64 values in r.
func (v vectors) result(i int, r reg.VecVirtual) {
	v.double = true
	v.horizontalSum(r)
	v.Store(r.AsX(), v.ReturnIndex(i))
}
