package neon

import "impasto/internal/cpu/_generate/arm64"

// Pool adds the kernels of pooling, on whole vectors of y. The even and the odd columns
// of a row are loaded to registers of their own, and those of the gradient stored so.
func Pool(f *arm64.File) {
	maxPool(f)
	maxPoolGradient(f)
	meanPool(f)
	meanPoolGradient(f)
	l2Pool(f)
	l2PoolGradient(f)
}

// window4 are the four values of windows, row by row.
type window4 [4]arm64.V

// loadWindows loads the values of four windows.
func (k kernel) loadWindows(top, bottom arm64.R) window4 {
	v := k.Vectors(4)
	k.LoadEvenOdd(top, v[0])
	k.LoadEvenOdd(bottom, v[2])
	return window4(v)
}

// forward adds a kernel that makes a vector of y, in the first value's register, from
// the four values of every window.
func forward(f *arm64.File, name string, scaled bool, body func(k kernel, w window4, scale arm64.V)) {
	k, scale := beginPool(f, name, "y, top, bottom", scaled)
	n, y, top, bottom := k.Length("y"), k.Base("y"), k.Base("top"), k.Base("bottom")
	k.Loop("loop", n, 4, func() {
		w := k.loadWindows(top, bottom)
		body(k, w, scale)
		k.Store(w[0], at(y, 0))
		k.Add(y, vectorBytes)
		k.advance(2*vectorBytes, top, bottom)
	})
	k.End()
}

// backward adds a kernel that replaces the four values of every window by their
// gradients, from a vector of the gradient of y.
func backward(f *arm64.File, name string, scaled bool, body func(k kernel, dy arm64.V, w window4, scale arm64.V)) {
	k, scale := beginPool(f, name, "dTop, dBottom, dy, top, bottom", scaled)
	n, dTop, dBottom, dy := k.Length("dy"), k.Base("dTop"), k.Base("dBottom"), k.Base("dy")
	top, bottom := k.Base("top"), k.Base("bottom")
	k.Loop("loop", n, 4, func() {
		w, d := k.loadWindows(top, bottom), k.Vector()
		k.Load(at(dy, 0), d)
		body(k, d, w, scale)
		k.StoreEvenOdd(w[0], dTop)
		k.StoreEvenOdd(w[2], dBottom)
		k.Add(dy, vectorBytes)
		k.advance(2*vectorBytes, top, bottom, dTop, dBottom)
	})
	k.End()
}

// beginPool begins a kernel on slices, with a scale where scaled is set.
func beginPool(f *arm64.File, name, slices string, scaled bool) (k kernel, scale arm64.V) {
	if !scaled {
		return begin(f, name, "func("+slices+" []float32)"), 0
	}
	k = begin(f, name, "func("+slices+" []float32, scale float32)")
	return k, k.scalar("scale")
}

func maxPool(f *arm64.File) {
	forward(f, "maxPool", false, func(k kernel, w window4, _ arm64.V) { k.most(w[0], w) })
}

// most writes the maximum of every window.
func (k kernel) most(to arm64.V, w window4) {
	k.Scope(func() {
		other := k.Vector()
		k.FMAX(arm64.S4, other, w[2], w[3])
		k.FMAX(arm64.S4, to, w[0], w[1])
		k.FMAX(arm64.S4, to, to, other)
	})
}

// maxPoolGradient clears the gradient where a value has taken it, so that the first
// maximum of a window gets all.
func maxPoolGradient(f *arm64.File) {
	backward(f, "maxPoolGradient", false, func(k kernel, dy arm64.V, w window4, _ arm64.V) {
		most, chosen := k.Vector(), k.Vector()
		k.most(most, w)
		for _, x := range w {
			k.FCMEQ(arm64.S4, chosen, most, x)
			k.AND(x, dy, chosen)
			k.BIC(dy, dy, chosen)
		}
	})
}

func meanPool(f *arm64.File) {
	forward(f, "meanPool", true, func(k kernel, w window4, scale arm64.V) {
		k.FADD(arm64.S4, w[0], w[0], w[1])
		k.FADD(arm64.S4, w[2], w[2], w[3])
		k.FADD(arm64.S4, w[0], w[0], w[2])
		k.FMUL(arm64.S4, w[0], w[0], scale)
	})
}

func meanPoolGradient(f *arm64.File) {
	k, scale := beginPool(f, "meanPoolGradient", "dTop, dBottom, dy", true)
	n, dTop, dBottom, dy := k.Length("dy"), k.Base("dTop"), k.Base("dBottom"), k.Base("dy")
	d := k.Vectors(2)
	k.Loop("loop", n, 4, func() {
		k.Load(at(dy, 0), d[0])
		k.FMUL(arm64.S4, d[0], d[0], scale)
		k.MOV(d[1], d[0])
		k.StoreEvenOdd(d[0], dTop)
		k.StoreEvenOdd(d[0], dBottom)
		k.Add(dy, vectorBytes)
		k.advance(2*vectorBytes, dTop, dBottom)
	})
	k.End()
}

// norm writes the root of the sum of squares. It doesn't change the values.
func (k kernel) norm(to arm64.V, w window4) {
	k.FMUL(arm64.S4, to, w[0], w[0])
	for _, x := range w[1:] {
		k.FMLA(arm64.S4, to, x, x)
	}
	k.FSQRT(arm64.S4, to, to)
}

func l2Pool(f *arm64.File) {
	forward(f, "l2Pool", true, func(k kernel, w window4, scale arm64.V) {
		n := k.Vector()
		k.norm(n, w)
		k.FMUL(arm64.S4, w[0], n, scale)
	})
}

func l2PoolGradient(f *arm64.File) {
	backward(f, "l2PoolGradient", true, func(k kernel, dy arm64.V, w window4, scale arm64.V) {
		n := k.Vector()
		k.norm(n, w)
		k.FMUL(arm64.S4, dy, dy, scale)
		k.FDIV(arm64.S4, dy, dy, n)
		// Where the norm is zero, the quotient is NaN and is replaced by zero.
		k.keepWherePositive(dy, n)
		for _, x := range w {
			k.FMUL(arm64.S4, x, x, dy)
		}
	})
}
