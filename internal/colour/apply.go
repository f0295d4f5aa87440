package colour

import (
	"math"
	"sync"
)

// table is a function from 0–1 by its values at even distances. Between them it is taken
// for straight.
type table []float32

const (
	// curveSteps amount to an error of 2·10⁻⁸ of a power of 2.2.
	curveSteps = 1 << 12
	// encodingSteps amount to 2·10⁻⁶ of sRGB's encoding, whose slope is steep: an eighth
	// of a level of 16 bits.
	encodingSteps = 1 << 14
)

func newTable(steps int, f func(float64) float64) table {
	t := make(table, steps+2) // one more, for what is read beyond 1
	for i := range t {
		t[i] = float32(f(min(float64(i)/float64(steps), 1)))
	}
	return t
}

// at takes x to lie in 0–1 or be clamped to it; NaN becomes 0.
func (t table) at(x float32) float32 {
	if !(x > 0) {
		return t[0]
	}
	position := min(x, 1) * float32(len(t)-2)
	i := int(position)
	near := t[i : i+2 : i+2]
	return near[0] + (position-float32(i))*(near[1]-near[0])
}

// encoding is the table of encode.
var encoding = sync.OnceValue(func() table { return newTable(encodingSteps, encode) })

func byMatrix(curves []curve, m matrix) *Transform {
	t := &Transform{channels: len(curves), matrix: new([9]float32)}
	for i, q := range curves {
		if i > 0 && q.table == nil && curves[i-1].table == nil && sameCurve(q, curves[i-1]) {
			t.curves = append(t.curves, t.curves[i-1])
		} else {
			t.curves = append(t.curves, newTable(curveSteps, q.at))
		}
	}
	for i := range 9 {
		t.matrix[i] = float32(m[i/3][i%3])
	}
	return t
}

func sameCurve(p, q curve) bool {
	return p.kind == q.kind && p.g == q.g && p.a == q.a && p.b == q.b && p.c == q.c && p.d == q.d && p.e == q.e && p.f == q.f && p.black == q.black
}

// byLattice tabulates what follows the curves, a function to XYZ.
func byLattice(curves []curve, tail func(x []float64) vector) *Transform {
	t := &Transform{channels: len(curves)}
	for _, q := range curves {
		t.curves = append(t.curves, newTable(curveSteps, q.at))
	}
	t.grid = newLattice(len(curves), func(x []float64) vector {
		v := d50ToSRGB.times(tail(x))
		for i := range v {
			v[i] = encode(v[i])
		}
		return v
	})
	return t
}

// lattice is a function of one, three or four values in 0–1, by its values at the
// nodes of a grid with the same number along each axis.
type lattice struct {
	side   int
	values [][3]float32 // the last axis varies fastest
}

func newLattice(axes int, f func(x []float64) vector) *lattice {
	g := &lattice{side: [...]int{1: 1025, 3: 33, 4: 17}[axes]}
	g.values = make([][3]float32, int(math.Pow(float64(g.side), float64(axes))))
	x := make([]float64, axes)
	for i := range g.values {
		node := i
		for axis := axes - 1; axis >= 0; axis-- {
			x[axis] = float64(node%g.side) / float64(g.side-1)
			node /= g.side
		}
		for k, v := range f(x) {
			g.values[i][k] = float32(v)
		}
	}
	return g
}

// cell finds the node at or before x in 0–1 along an axis, and how far x is beyond it.
func (g *lattice) cell(x float32) (node int, part float32) {
	position := x * float32(g.side-1)
	node = min(int(position), g.side-2)
	return node, position - float32(node)
}

// at1 interpolates along one axis.
func (g *lattice) at1(x float32) [3]float32 {
	i, part := g.cell(x)
	return mix(g.values[i], g.values[i+1], part)
}

func mix(a, b [3]float32, part float32) [3]float32 {
	for k := range a {
		a[k] += part * (b[k] - a[k])
	}
	return a
}

// at3 interpolates in the tetrahedron around a point of the cube that begins at the
// node offset, where nodes along the third axis are stride apart. Greys are then
// interpolated among greys alone.
func (g *lattice) at3(offset, stride int, x, y, z float32) [3]float32 {
	i, rx := g.cell(x)
	j, ry := g.cell(y)
	k, rz := g.cell(z)
	steps := [3]int{g.side * g.side * stride, g.side * stride, stride}
	parts := [3]float32{rx, ry, rz}
	first, second, third := 0, 1, 2 // axes by falling part
	if parts[second] > parts[first] {
		first, second = second, first
	}
	if parts[third] > parts[second] {
		second, third = third, second
		if parts[second] > parts[first] {
			first, second = second, first
		}
	}
	node := offset + i*steps[0] + j*steps[1] + k*steps[2]
	a := g.values[node]
	node += steps[first]
	b := g.values[node]
	node += steps[second]
	c := g.values[node]
	node += steps[third]
	d := g.values[node]
	p, q, r := parts[first], parts[second], parts[third]
	for n := range a {
		a[n] += p*(b[n]-a[n]) + q*(c[n]-b[n]) + r*(d[n]-c[n])
	}
	return a
}

// at4 interpolates linearly along the last axis, of black, between two cubes.
func (g *lattice) at4(c, m, y, k float32) [3]float32 {
	node, part := g.cell(k)
	return mix(g.at3(node, g.side, c, m, y), g.at3(node+1, g.side, c, m, y), part)
}

// Apply sets out to the red, green and blue of as many pixels as it has, whose
// channels are in. Values outside 0–1 are clamped, NaN is 0. Each of out may be one of
// in.
func (t *Transform) Apply(out [3][]float32, in ...[]float32) {
	r, g, b := out[0], out[1], out[2]
	switch {
	case t.matrix != nil && t.channels == 1:
		encoding := encoding()
		for i, v := range in[0][:len(r)] {
			v = encoding.at(t.curves[0].at(v))
			r[i], g[i], b[i] = v, v, v
		}
	case t.matrix != nil:
		t.applyMatrix(out, in)
	case t.channels == 1:
		for i, v := range in[0][:len(r)] {
			set(out, i, t.grid.at1(t.curves[0].at(v)))
		}
	case t.channels == 3:
		for i := range r {
			set(out, i, t.grid.at3(0, 1, t.curves[0].at(in[0][i]), t.curves[1].at(in[1][i]), t.curves[2].at(in[2][i])))
		}
	default:
		for i := range r {
			set(out, i, t.grid.at4(t.curves[0].at(in[0][i]), t.curves[1].at(in[1][i]), t.curves[2].at(in[2][i]), t.curves[3].at(in[3][i])))
		}
	}
}

func (t *Transform) applyMatrix(out [3][]float32, in [][]float32) {
	encoding, m := encoding(), *t.matrix
	red, green, blue := t.curves[0], t.curves[1], t.curves[2]
	r := out[0]
	g, b := out[1][:len(r)], out[2][:len(r)]
	x, y, z := in[0][:len(r)], in[1][:len(r)], in[2][:len(r)]
	for i := range r {
		u, v, w := red.at(x[i]), green.at(y[i]), blue.at(z[i])
		r[i] = encoding.at(m[0]*u + m[1]*v + m[2]*w)
		g[i] = encoding.at(m[3]*u + m[4]*v + m[5]*w)
		b[i] = encoding.at(m[6]*u + m[7]*v + m[8]*w)
	}
}

func set(out [3][]float32, i int, rgb [3]float32) {
	out[0][i], out[1][i], out[2][i] = clamp(rgb[0]), clamp(rgb[1]), clamp(rgb[2])
}

func clamp(v float32) float32 { return min(max(v, 0), 1) }
