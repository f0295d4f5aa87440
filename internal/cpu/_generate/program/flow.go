package program

// Numbers of the energy that package flow minimises, which its loops in Go have too.
const (
	brightnessWeight = 5
	gradientWeight   = 10
	smoothnessWeight = 20
	robustSquared    = 1e-6
	flatnessSquared  = 1e-2
	overrelaxation   = 1.6
)

// Flow are the loops of package flow's kernels. Where values of several kinds belong to a
// pixel, they lie in turn for every 16 pixels, see coefficients and equations there.
func Flow() []*Program {
	return []*Program{central(), anchor(), smoothness(), edges(), weigh(), relax(), merge(), moments(), compare(), spread(), normalize()}
}

const (
	rowBytes   = 64 // of 16 pixels
	patchBytes = 32 // of a row of a patch
)

func central() *Program {
	p := New("central", "is centralGo.", rowBytes)
	p.Count = "blocks"
	to := p.Strided("to", "step")
	m := p.Vectors("before2", "before", "after", "after2")
	near := p.Subtract(m[2].Load(), m[1].Load())
	far := p.Subtract(m[3].Load(), m[0].Load())
	to.Store(p.Multiply(p.Subtract(p.Multiply(near, p.Constant(8)), far), p.Constant(1.0/12)))
	return p
}

// The coefficients of a pixel.
const (
	x = iota
	y
	z
	xx
	xy
	yy
	xz
	yz
)

func anchor() *Program {
	p := New("anchor", "is anchorGo.", rowBytes)
	p.Count = "blocks"
	c, m := p.Interleaved("coefficients", 8), p.Vectors("difference", "u", "v", "counts")
	u, v, counts := m[1].Load(), m[2].Load(), m[3].Load()
	for _, e := range [][3]int{{x, y, z}, {xx, xy, xz}, {xy, yy, yz}} {
		fx, fy := c.Vector(e[0]).Load(), c.Vector(e[1]).Load()
		from := c.Vector(e[2])
		if e[2] == z {
			from = m[0]
		}
		f := p.Subtract(p.Add(p.Multiply(fx, u), p.Multiply(fy, v)), from.Load())
		c.Vector(e[2]).Store(p.Multiply(f, counts))
	}
	for _, i := range []int{x, y, xx, xy, yy} {
		c.Vector(i).Store(p.Multiply(c.Vector(i).Load(), counts))
	}
	return p
}

func smoothness() *Program {
	p := New("smoothness", "is smoothnessGo.", rowBytes)
	p.Count = "blocks"
	m := p.Vectors("to", "u", "v", "belowU", "belowV")
	u, v := m[1].Load(), m[2].Load()
	slope := p.Add(p.Square(p.Subtract(m[1].At(1).Load(), u)), p.Square(p.Subtract(m[3].Load(), u)))
	slope = p.Add(slope, p.Square(p.Subtract(m[2].At(1).Load(), v)))
	slope = p.Add(slope, p.Square(p.Subtract(m[4].Load(), v)))
	m[0].Store(p.Divide(p.Constant(smoothnessWeight), p.Root(p.Add(slope, p.Constant(robustSquared)))))
	return p
}

func edges() *Program {
	p := New("edges", "is edgesGo.", rowBytes)
	p.Count = "blocks"
	m := p.Vectors("right", "down", "smooth", "below")
	s, half := m[2].Load(), p.Constant(0.5)
	m[0].Store(p.Multiply(p.Add(s, m[2].At(1).Load()), half))
	m[1].Store(p.Multiply(p.Add(s, m[3].Load()), half))
	return p
}

func weigh() *Program {
	p := New("weigh", "is weighGo.", rowBytes)
	p.Count = "blocks"
	equations, c := p.Interleaved("equations", 5), p.Interleaved("coefficients", 8)
	m := p.Vectors("u", "v", "right", "down", "up")
	u, v := m[0].Load(), m[1].Load()
	of := func(i int) Value { return c.Vector(i).Load() }

	robust, flat := p.Constant(robustSquared), p.Constant(flatnessSquared)
	norm := p.Add(p.Add(p.Square(of(x)), p.Square(of(y))), flat)
	apart := p.Subtract(p.Add(p.Multiply(u, of(x)), p.Multiply(v, of(y))), of(z))
	squared := p.Add(p.Square(apart), p.Multiply(norm, robust))
	first := p.Divide(p.Constant(brightnessWeight), p.Root(p.Multiply(squared, norm)))

	mixed := p.Square(of(xy))
	normX, normY := p.Add(p.Add(p.Square(of(xx)), mixed), flat), p.Add(p.Add(p.Square(of(yy)), mixed), flat)
	both := p.Multiply(normX, normY)
	apartX := p.Subtract(p.Add(p.Multiply(u, of(xx)), p.Multiply(v, of(xy))), of(xz))
	apartY := p.Subtract(p.Add(p.Multiply(u, of(xy)), p.Multiply(v, of(yy))), of(yz))
	squared = p.Add(p.Multiply(p.Square(apartX), normY), p.Multiply(p.Square(apartY), normX))
	squared = p.Add(squared, p.Multiply(both, robust))
	weight := p.Divide(p.Constant(gradientWeight), p.Root(p.Multiply(squared, both)))
	second, third := p.Multiply(weight, normY), p.Multiply(weight, normX)

	// Each of three equations, weighed: (fx, fy, f) adds fx², fx·fy, fy², fx·f, fy·f.
	var sums [5]Value
	for i, e := range []struct {
		weight    Value
		fx, fy, f int
	}{{first, x, y, z}, {second, xx, xy, xz}, {third, xy, yy, yz}} {
		wx, wy := p.Multiply(e.weight, of(e.fx)), p.Multiply(e.weight, of(e.fy))
		for k, product := range [5]func() Value{
			func() Value { return p.Multiply(wx, of(e.fx)) },
			func() Value { return p.Multiply(wx, of(e.fy)) },
			func() Value { return p.Multiply(wy, of(e.fy)) },
			func() Value { return p.Multiply(wx, of(e.f)) },
			func() Value { return p.Multiply(wy, of(e.f)) },
		} {
			if i == 0 {
				sums[k] = product()
			} else {
				sums[k] = p.Add(sums[k], product())
			}
		}
	}
	equations.Vector(0).Store(sums[1])
	equations.Vector(1).Store(sums[3])
	equations.Vector(2).Store(sums[4])
	pull := p.Add(p.Add(p.Add(m[2].Load(), m[2].At(1).Load()), m[4].Load()), m[3].Load())
	d1, d2 := p.Add(sums[0], pull), p.Add(sums[2], pull)
	inverse := p.Divide(p.Constant(1), p.Multiply(d1, d2))
	equations.Vector(3).Store(p.Multiply(d2, inverse))
	equations.Vector(4).Store(p.Multiply(d1, inverse))
	return p
}

func relax() *Program {
	p := New("relax", "is relaxGo.", rowBytes)
	p.Count = "blocks"
	equations := p.Interleaved("equations", 5)
	edges := p.Vectors("right", "down", "up")
	ownU, ownV := p.Vectors("u")[0], p.Vectors("v")[0]
	u, v := p.Vectors("otherU", "aboveU", "belowU"), p.Vectors("otherV", "aboveV", "belowV")
	toLeft, toRight, toAbove, toBelow := edges[0].Load(), edges[0].At(1).Load(), edges[2].Load(), edges[1].Load()
	toward := func(m []Memory) Value {
		sum := p.Add(p.Multiply(toLeft, m[0].Load()), p.Multiply(toRight, m[0].At(2).Load()))
		return p.Add(p.Add(sum, p.Multiply(toAbove, m[1].Load())), p.Multiply(toBelow, m[2].Load()))
	}
	a12, oldU, oldV := equations.Vector(0).Load(), ownU.Load(), ownV.Load()
	solve := func(old, other, pull Value, c int) Value {
		target := p.Add(p.Subtract(equations.Vector(c).Load(), p.Multiply(a12, other)), pull)
		step := p.Subtract(p.Multiply(target, equations.Vector(c+2).Load()), old)
		return p.Add(old, p.Multiply(step, p.Constant(overrelaxation)))
	}
	next := solve(oldU, oldV, toward(u), 1)
	ownU.Store(next)
	ownV.Store(solve(oldV, next, toward(v), 2))
	return p
}

func merge() *Program {
	p := New("merge", "is mergeGo.", rowBytes)
	p.Count = "blocks"
	m, even, odd := p.Vectors("a", "b"), p.Fixed("even"), p.Fixed("odd")
	v := p.Add(p.Multiply(m[0].Load(), even.Load()), p.Multiply(m[1].Load(), odd.Load()))
	m[0].Store(v)
	m[1].Store(v)
	return p
}

func moments() *Program {
	p := New("moments", "is momentsGo.", patchBytes)
	p.Count = "rows"
	x, y := p.Strided("x", "stride").Load(), p.Strided("y", "stride").Load()
	for i, v := range []Value{x, y, p.Square(x), p.Multiply(x, y), p.Square(y)} {
		p.Sum(i, v)
	}
	return p
}

func normalize() *Program {
	p := New("normalize", "is normalizeGo.", rowBytes)
	p.Count = "blocks"
	m := p.Vectors("u", "v", "weights")
	weight := p.Greater(m[2].Load(), p.Constant(1e-20))
	m[0].Store(p.Divide(m[0].Load(), weight))
	m[1].Store(p.Divide(m[1].Load(), weight))
	return p
}

// interpolated is the difference of a row of a patch from that between two rows.
func (p *Program) interpolated(own, upper, lower Memory, weights []Value) Value {
	d := p.Multiply(weights[0], upper.Load())
	d = p.Add(d, p.Multiply(weights[1], upper.At(1).Load()))
	d = p.Add(d, p.Multiply(weights[2], lower.Load()))
	d = p.Add(d, p.Multiply(weights[3], lower.At(1).Load()))
	return p.Subtract(d, own.Load())
}

// weights are the parameters to interpolate by.
func (p *Program) weights() []Value {
	var all []Value
	for _, name := range []string{"w00", "w10", "w01", "w11"} {
		all = append(all, p.Scalar(name))
	}
	return all
}

func compare() *Program {
	p := New("compare", "is compareGo.", patchBytes)
	p.Count = "rows"
	own, x, y := p.Strided("own", "stride"), p.Strided("x", "stride"), p.Strided("y", "stride")
	upper, lower := p.Strided("upper", "otherStride"), p.Strided("lower", "otherStride")
	d := p.interpolated(own, upper, lower, p.weights())
	p.Sum(0, d)
	p.Sum(1, p.Multiply(d, x.Load()))
	p.Sum(2, p.Multiply(d, y.Load()))
	p.Sum(3, p.Square(d))
	return p
}

func spread() *Program {
	p := New("spread", "is spreadGo.", patchBytes)
	p.Count = "rows"
	weights, us, vs := p.Strided("weights", "stride"), p.Strided("us", "stride"), p.Strided("vs", "stride")
	own := p.Strided("own", "stride")
	upper, lower := p.Strided("upper", "otherStride"), p.Strided("lower", "otherStride")
	d := p.interpolated(own, upper, lower, p.weights())
	u, v := p.Scalar("u"), p.Scalar("v")
	size := p.Greater(p.Greater(d, p.Subtract(p.Constant(0), d)), p.Constant(1))
	weight := p.Divide(p.Constant(1), size)
	weights.Store(p.Add(weights.Load(), weight))
	us.Store(p.Add(us.Load(), p.Multiply(weight, u)))
	vs.Store(p.Add(vs.Load(), p.Multiply(weight, v)))
	return p
}
