package colour

import (
	"errors"
	"math"
)

// Transform turns the values of a picture, 0–1, into sRGB, 0–1.
type Transform struct {
	channels int
	curves   []table // of each channel
	// Then either a matrix to linear light, or a grid of sRGB.
	matrix *[9]float32
	grid   *lattice
}

// FromProfile reads an ICC profile.
func FromProfile(data []byte) (*Transform, error) {
	p, err := parseProfile(data)
	if err != nil {
		return nil, err
	}
	l, err := p.lookup()
	if err != nil {
		return nil, err
	}
	switch {
	case l != nil:
		return p.byLookup(l), nil
	case p.channels() == 3:
		return p.byMatrix()
	case p.channels() == 1:
		return p.byGreyCurve()
	}
	return nil, errors.New("it has no table for CMYK")
}

// byMatrix is of a profile with a curve for each channel and a matrix.
func (p *profile) byMatrix() (*Transform, error) {
	var curves [3]curve
	var toD50 matrix
	for i, name := range []string{"r", "g", "b"} {
		var err error
		if curves[i], err = p.curve(name + "TRC"); err != nil {
			return nil, err
		}
		column, err := p.xyz(name + "XYZ")
		if err != nil {
			return nil, err
		}
		for j := range 3 {
			toD50[j][i] = column[j]
		}
	}
	if p.pcs != "XYZ " {
		return nil, errors.New("it has a matrix to Lab; want one to XYZ")
	}
	if _, ok := toD50.inverse(); !ok {
		return nil, errors.New("its primaries span no space")
	}
	// The darkest colour, which is black but for odd curves, becomes black.
	black := toD50.times(vector{curves[0].at(0), curves[1].at(0), curves[2].at(0)})
	if black[1] > 0 && black[1] < 0.2 {
		for i := range curves {
			curves[i].black = black[1]
		}
	}
	return byMatrix(curves[:], d50ToSRGB.multiply(toD50)), nil
}

// byGreyCurve is of a profile for grey with one curve, to luminance or lightness.
func (p *profile) byGreyCurve() (*Transform, error) {
	q, err := p.curve("kTRC")
	if err != nil {
		return nil, err
	}
	if p.pcs == "Lab " {
		return byLattice([]curve{identityCurve}, func(x []float64) vector {
			return labToXYZ(vector{100 * q.at(x[0]), 0, 0})
		}), nil
	}
	return byMatrix([]curve{q}, matrix{{1}, {1}, {1}}), nil
}

// perceptualBlack is the black of the medium that perceptual tables of version 4 are
// made for (ICC.1:2022, annex A), as XYZ.
var perceptualBlack = vector{0.00336, 0.0034731, 0.00287}

// byLookup is of a profile with a table, whose black becomes that of sRGB.
func (p *profile) byLookup(l *lookup) *Transform {
	if l.input == nil {
		for range p.channels() {
			l.input = append(l.input, identityCurve)
		}
	}
	black := perceptualBlack
	if p.version < 4 || p.tags["rXYZ"] != nil || p.tags["kTRC"] != nil {
		black = p.darkest(l)
	}
	return byLattice(l.input, func(x []float64) vector {
		v := l.tail(x)
		for i := range v {
			v[i] = (v[i] - black[i]) * d50[i] / (d50[i] - black[i])
		}
		return v
	})
}

// darkest is the darkest colour, or black where that isn't dark: a lightness of 50.
func (p *profile) darkest(l *lookup) vector {
	x := make([]float64, p.channels())
	for i := range x {
		if p.channels() == 4 {
			x[i] = 1
		}
		x[i] = l.input[i].at(x[i])
	}
	v, middle := l.tail(x), labToXYZ(vector{50, 0, 0})
	for i := range v {
		if !(v[i] > 0 && v[1] <= middle[1]) {
			v[i] = 0
		}
		v[i] = min(v[i], middle[i])
	}
	return v
}

// FromPrimaries is of RGB with these primaries, whose values are the linear light to
// the power of 1/exponent; an exponent of 0 stands for sRGB's own curve.
func FromPrimaries(p Primaries, exponent float64) (*Transform, error) {
	q := srgbCurve
	if exponent != 0 {
		q = curve{kind: 0, g: exponent}
	}
	return fromCurve(p, q)
}

func fromCurve(p Primaries, q curve) (*Transform, error) {
	for _, c := range []Chromaticity{p.White, p.Red, p.Green, p.Blue} {
		if !(c.X >= 0 && c.Y > 0 && c.X+c.Y <= 1) {
			return nil, errors.New("a chromaticity is no colour's")
		}
	}
	toD50, ok := p.toD50()
	if !ok {
		return nil, errors.New("the primaries span no space")
	}
	if !(q.g > 0) || math.IsInf(q.g, 0) {
		return nil, checkExponent(0)
	}
	return byMatrix([]curve{q, q, q}, d50ToSRGB.multiply(toD50)), nil
}

// Channels is how many values a pixel has: 3 for RGB, 1 for grey, 4 for CMYK.
func (t *Transform) Channels() int { return t.channels }

// same is the difference below which a transform is taken for that of sRGB itself:
// one level of 8 bits. Profiles of sRGB that others made are up to 0.7 levels away, where a
// rounded number is multiplied by the slope of the curve near black.
const same = 1.0 / 255

// IsIdentity tells whether the transform leaves all colours as they are.
func (t *Transform) IsIdentity() bool {
	if t.channels == 4 {
		return false
	}
	const steps = 17
	count := int(math.Pow(steps, float64(t.channels)))
	in, out := make([][]float32, t.channels), [3][]float32{make([]float32, count), make([]float32, count), make([]float32, count)}
	for c := range in {
		in[c] = make([]float32, count)
		for i := range in[c] {
			in[c][i] = float32(i/int(math.Pow(steps, float64(c)))%steps) / (steps - 1)
		}
	}
	t.Apply(out, in...)
	for c := range out {
		for i, v := range out[c] {
			if math.Abs(float64(v-in[min(c, t.channels-1)][i])) > same {
				return false
			}
		}
	}
	return true
}
