package neon

import (
	"fmt"
	"strings"

	"impasto/internal/cpu/_generate/arm64"
)

// loader loads the next two values of operand i, as they are; see wide.
type loader func(i int) arm64.V

// reductions adds the kernels that sum over one vector or two.
func reductions(f *arm64.File) {
	sum(f, "dot", "x, y", func(k kernel, load loader, sum arm64.V) {
		k.FMLA(arm64.D2, sum, k.wide(load(0)), k.wide(load(1)))
	})
	sum(f, "sum", "x", func(k kernel, load loader, sum arm64.V) {
		k.FADD(arm64.D2, sum, sum, k.wide(load(0)))
	})
	sum(f, "squaredDistance", "x, y", func(k kernel, load loader, sum arm64.V) {
		x, y := load(0), load(1)
		k.FSUB(arm64.S4, x, x, y)
		d := k.wide(x)
		k.FMLA(arm64.D2, sum, d, d)
	})
}

// sum adds a kernel that sums in float64, in which products of float32 values are
// exact. There are four vectors of sums, because additions to a single one would wait
// for each other; they are added up at the end in a fixed order.
func sum(f *arm64.File, name, operands string, term func(k kernel, load loader, sum arm64.V)) {
	k := begin(f, name, fmt.Sprintf("func(%s []float32) float64", operands))
	sums := k.zeros(4)
	k.reduce(strings.Split(operands, ", "), len(sums), func(part int, load loader) { term(k, load, sums[part]) })
	k.FADD(arm64.D2, sums[0], sums[0], sums[1])
	k.FADD(arm64.D2, sums[2], sums[2], sums[3])
	k.FADD(arm64.D2, sums[0], sums[0], sums[2])
	k.FADDPD(sums[0], sums[0])
	k.Return("ret", sums[0])
	k.End()
}

// sumDifference sums d², |d| and target² for d = x − target, in float64.
func sumDifference(f *arm64.File, double bool) {
	k := beginTyped(f, double, "sumDifference", "", "func(x, target []float%d) (squares, magnitudes, targetSquares float64)", "is sumDifferenceGo.")
	sums := [2][]arm64.V{k.zeros(3), k.zeros(3)}
	k.reduce([]string{"x", "target"}, 2, func(part int, load loader) {
		s, d, target := sums[part], k.wide(load(0)), k.wide(load(1))
		k.FSUB(arm64.D2, d, d, target)
		k.FMLA(arm64.D2, s[0], d, d)
		k.FMLA(arm64.D2, s[2], target, target)
		k.FABS(arm64.D2, d, d)
		k.FADD(arm64.D2, s[1], s[1], d)
	})
	for i, name := range []string{"squares", "magnitudes", "targetSquares"} {
		s := sums[0][i]
		k.FADD(arm64.D2, s, s, sums[1][i])
		k.FADDPD(s, s)
		k.Return(name, s)
	}
	k.End()
}

// reduce calls body for parts times two values, then for single values, which are
// loaded as a vector's first with zeros behind them.
func (k kernel) reduce(names []string, parts int, body func(part int, load loader)) {
	n := k.Length(names[0])
	p := make([]arm64.R, len(names))
	for i, name := range names {
		p[i] = k.Base(name)
	}
	run := func(label, next string, values, parts int, load func(p arm64.R, part int, to arm64.V)) {
		k.Label(label)
		k.JumpLess(n, values, next)
		for part := range parts {
			k.Scope(func() {
				body(part, func(i int) arm64.V {
					r := k.Vector()
					load(p[i], part, r)
					return r
				})
			})
		}
		k.advance(values*k.element(), p...)
		k.Sub(n, values)
		k.Jump(label)
	}
	run("loop", "single", 2*parts, parts, func(p arm64.R, part int, to arm64.V) {
		from := at(p, 2*part*k.element())
		if k.double {
			k.Load(from, to)
		} else {
			k.LoadOne(from, to, true) // two float32 values
		}
	})
	run("single", "done", 1, 1, func(p arm64.R, _ int, to arm64.V) { k.LoadOne(at(p, 0), to, k.double) })
	k.Label("done")
}

// wide widens the values that reduce loads, in place.
func (k kernel) wide(r arm64.V) arm64.V {
	if !k.double {
		k.FCVTL(arm64.D2, r, r)
	}
	return r
}
