package colour

import "math"

// vector is a colour by three numbers, matrix a linear map of colours.
type (
	vector [3]float64
	matrix [3]vector
)

func (m matrix) times(v vector) vector {
	var product vector
	for i, row := range m {
		product[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return product
}

func (m matrix) multiply(n matrix) matrix {
	var product matrix
	for i := range 3 {
		for j := range 3 {
			product[i][j] = m[i][0]*n[0][j] + m[i][1]*n[1][j] + m[i][2]*n[2][j]
		}
	}
	return product
}

// inverse is by the adjugate; ok is false where there is none.
func (m matrix) inverse() (inverse matrix, ok bool) {
	cofactor := func(i, j int) float64 {
		i1, i2, j1, j2 := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[i1][j1]*m[i2][j2] - m[i1][j2]*m[i2][j1]
	}
	determinant := m[0][0]*cofactor(0, 0) + m[0][1]*cofactor(0, 1) + m[0][2]*cofactor(0, 2)
	if math.IsNaN(determinant) || math.Abs(determinant) < 1e-9 {
		return inverse, false
	}
	for i := range 3 {
		for j := range 3 {
			inverse[j][i] = cofactor(i, j) / determinant
		}
	}
	return inverse, true
}

// Chromaticity is a colour without its luminance: x and y of CIE 1931.
type Chromaticity struct{ X, Y float64 }

// Primaries are the chromaticities of a colour space's white and primaries.
type Primaries struct{ White, Red, Green, Blue Chromaticity }

var (
	d65 = Chromaticity{0.3127, 0.3290}
	// SRGB are the primaries of sRGB and of ITU-R BT.709.
	SRGB = Primaries{d65, Chromaticity{0.64, 0.33}, Chromaticity{0.30, 0.60}, Chromaticity{0.15, 0.06}}
	// AdobeRGB are those of Adobe RGB (1998).
	AdobeRGB = Primaries{d65, Chromaticity{0.64, 0.33}, Chromaticity{0.21, 0.71}, Chromaticity{0.15, 0.06}}

	// d50 is the white of the profile connection space, as XYZ.
	d50 = vector{0.9642, 1, 0.8249}

	srgbToD50   = mustAdapt(SRGB)
	d50ToSRGB   = mustInvert(srgbToD50)
	bradford    = matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	bradfordInv = mustInvert(bradford)
)

func (c Chromaticity) xyz() vector { return vector{c.X / c.Y, 1, (1 - c.X - c.Y) / c.Y} }

// toD50 is the matrix from linear RGB to XYZ under D50, by Bradford's adaptation of
// the white. ok is false where the primaries span no space.
func (p Primaries) toD50() (m matrix, ok bool) {
	white, columns := p.White.xyz(), [3]vector{p.Red.xyz(), p.Green.xyz(), p.Blue.xyz()}
	var unscaled matrix
	for i := range 3 {
		for j := range 3 {
			unscaled[i][j] = columns[j][i]
		}
	}
	inverse, ok := unscaled.inverse()
	if !ok {
		return m, false
	}
	scale := inverse.times(white)
	for i := range 3 {
		for j := range 3 {
			unscaled[i][j] *= scale[j]
		}
	}
	return adaptation(p.White).multiply(unscaled), true
}

// adaptation is Bradford's matrix from the white to D50.
func adaptation(white Chromaticity) matrix {
	from, to := bradford.times(white.xyz()), bradford.times(d50)
	gain := matrix{{to[0] / from[0], 0, 0}, {0, to[1] / from[1], 0}, {0, 0, to[2] / from[2]}}
	return bradfordInv.multiply(gain).multiply(bradford)
}

func mustAdapt(p Primaries) matrix {
	m, ok := p.toD50()
	if !ok {
		panic("colour: primaries span no space")
	}
	return m
}

func mustInvert(m matrix) matrix {
	inverse, ok := m.inverse()
	if !ok {
		panic("colour: a matrix has no inverse")
	}
	return inverse
}

// encode is sRGB's transfer function from linear light (IEC 61966-2-1), continued
// beyond 0 and 1.
func encode(v float64) float64 {
	switch {
	case v < 0:
		return -encode(-v)
	case v <= 0.0031308:
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// srgbCurve is the inverse of encode, as a parametric curve.
var srgbCurve = curve{kind: 3, g: 2.4, a: 1 / 1.055, b: 0.055 / 1.055, c: 1 / 12.92, d: 0.04045}
