package neon

import (
	"fmt"
	"strings"

	"impasto/internal/cpu/_generate/arm64"
)

// Vectors adds the kernels that go through vectors once, value by value. They keep one
// vector of each operand in flight, and leave the overlap to the processor.
func Vectors(f *arm64.File) {
	mask(f)
	elementwise(f, "axpy", "y, x", "alpha", func(k kernel, x, s []arm64.V) { k.FMLA(arm64.S4, x[0], x[1], s[0]) })
	elementwise(f, "scale", "x", "alpha", func(k kernel, x, s []arm64.V) { k.FMUL(arm64.S4, x[0], x[0], s[0]) })
	elementwise(f, "clamp", "x", "low, high", func(k kernel, x, s []arm64.V) {
		k.FMAX(arm64.S4, x[0], x[0], s[0])
		k.FMIN(arm64.S4, x[0], x[0], s[1])
	})
	elementwise(f, "average", "mean, x", "decay, rest", func(k kernel, x, s []arm64.V) {
		k.FMUL(arm64.S4, x[0], x[0], s[0])
		k.FMLA(arm64.S4, x[0], x[1], s[1])
	})
	elementwise(f, "addDifference", "to, x, y", "alpha", func(k kernel, x, s []arm64.V) {
		k.FSUB(arm64.S4, x[1], x[1], x[2])
		k.FMLA(arm64.S4, x[0], x[1], s[0])
	})
	combine(f)
	adam(f)
	reductions(f)
	for _, double := range []bool{false, true} {
		sumDifference(f, double)
		slope(f, double)
	}
}

// access loads and stores the current vector of an operand.
type access struct {
	load  func(p arm64.R) arm64.V
	store func(r arm64.V, p arm64.R)
}

// each calls body for whole vectors, then for single values, which are loaded as a
// vector's first with zeros behind them, with the addresses of the named operands.
func (k kernel) each(names []string, body func(a access, p []arm64.R)) {
	n := k.Length(names[0])
	p := make([]arm64.R, len(names))
	for i, name := range names {
		p[i] = k.Base(name)
	}
	part := func(label, next string, values int, a access) {
		k.Label(label)
		k.JumpLess(n, values, next)
		k.Scope(func() { body(a, p) })
		k.advance(values*k.element(), p...)
		k.Sub(n, values)
		k.Jump(label)
	}
	part("loop", "single", k.lanes(), access{
		func(p arm64.R) arm64.V { r := k.Vector(); k.Load(at(p, 0), r); return r },
		func(r arm64.V, p arm64.R) { k.Store(r, at(p, 0)) },
	})
	part("single", "done", 1, access{
		func(p arm64.R) arm64.V { r := k.Vector(); k.LoadOne(at(p, 0), r, k.double); return r },
		func(r arm64.V, p arm64.R) { k.StoreOne(r, at(p, 0), k.double) },
	})
	k.Label("done")
	k.End()
}

// elementwise adds a kernel that computes each value of the first operand from those of
// all operands and from scalars. body leaves the result in the first register.
func elementwise(f *arm64.File, name, operands, scalars string, body func(k kernel, x, s []arm64.V)) {
	k := begin(f, name, fmt.Sprintf("func(%s []float32, %s float32)", operands, scalars))
	var s []arm64.V
	for _, name := range strings.Split(scalars, ", ") {
		s = append(s, k.scalar(name))
	}
	k.each(strings.Split(operands, ", "), func(a access, p []arm64.R) {
		var x []arm64.V
		for _, q := range p {
			x = append(x, a.load(q))
		}
		body(k, x, s)
		a.store(x[0], p[0])
	})
}

// mask adds the kernel that passes values on where a mask is positive.
func mask(f *arm64.File) {
	k := begin(f, "mask", "func(to, x, mask []float32)")
	k.each([]string{"to", "x", "mask"}, func(a access, p []arm64.R) {
		x, mask := a.load(p[1]), a.load(p[2])
		k.keepWherePositive(x, mask)
		a.store(x, p[0])
	})
}

func combine(f *arm64.File) {
	k := begin(f, "combine", "func(to, x, y []float64, a, b float64)")
	k.double = true
	x, y := k.scalar("a"), k.scalar("b")
	k.each([]string{"to", "x", "y"}, func(a access, p []arm64.R) {
		left, right := a.load(p[1]), a.load(p[2])
		k.FMUL(arm64.D2, right, right, y)
		k.FMLA(arm64.D2, right, left, x)
		a.store(right, p[0])
	})
}

func adam(f *arm64.File) {
	k := begin(f, "adam", "func(point, gradient, mean, square []float32, keepMean, addMean, keepSquare, addSquare, step, root, epsilon float32)")
	keepMean, addMean := k.scalar("keepMean"), k.scalar("addMean")
	keepSquare, addSquare := k.scalar("keepSquare"), k.scalar("addSquare")
	step, root, epsilon := k.scalar("step"), k.scalar("root"), k.scalar("epsilon")
	k.each([]string{"point", "gradient", "mean", "square"}, func(a access, p []arm64.R) {
		g, mean := a.load(p[1]), a.load(p[2])
		k.FMUL(arm64.S4, mean, mean, keepMean)
		k.FMLA(arm64.S4, mean, g, addMean)
		a.store(mean, p[2])
		square := a.load(p[3])
		k.FMUL(arm64.S4, g, g, g)
		k.FMUL(arm64.S4, square, square, keepSquare)
		k.FMLA(arm64.S4, square, g, addSquare)
		a.store(square, p[3])
		k.FSQRT(arm64.S4, square, square)
		k.FMUL(arm64.S4, square, square, root)
		k.FADD(arm64.S4, square, square, epsilon)
		k.FMUL(arm64.S4, mean, mean, step)
		k.FDIV(arm64.S4, mean, mean, square)
		point := a.load(p[0])
		k.FSUB(arm64.S4, point, point, mean)
		a.store(point, p[0])
	})
}

// slope computes factor·d − copysign(magnitude, d) for d = x − target, and 0 for
// 0.
func slope(f *arm64.File, double bool) {
	k := beginTyped(f, double, "slope", "", "func(dx, x, target []float%[1]d, factor, magnitude, negativeZero float%[1]d)", "is slopeGo.")
	factor, magnitude, sign := k.scalar("factor"), k.scalar("magnitude"), k.scalar("negativeZero")
	k.each([]string{"dx", "x", "target"}, func(a access, p []arm64.R) {
		d, target := a.load(p[1]), a.load(p[2])
		signed, result, zero := k.Vector(), k.Vector(), k.Vector()
		k.FSUB(k.arrangement(), d, d, target)
		k.AND(signed, d, sign)
		k.EOR(signed, signed, magnitude)
		k.FMUL(k.arrangement(), result, d, factor)
		k.FSUB(k.arrangement(), result, result, signed)
		k.FCMEQZero(k.arrangement(), zero, d)
		k.BIC(result, result, zero)
		a.store(result, p[0])
	})
}
