package recolour

import "math"

// Lab is a colour in Oklab (Ottosson 2020, "A perceptual color space for image processing"):
// lightness from 0 (black) to 1 (white), and how green or red and how blue or yellow it is,
// 0 for greys.
type Lab struct{ L, A, B float64 }

// FromRGB returns the colour of sRGB values in 0–1.
func FromRGB(r, g, b float64) Lab {
	r, g, b = linear(r), linear(g), linear(b)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return Lab{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

// linearRGB returns the colour in linear RGB, outside 0–1 where sRGB doesn't have it.
func (c Lab) linearRGB() (r, g, b float64) {
	l := c.L + 0.3963377774*c.A + 0.2158037573*c.B
	m := c.L - 0.1055613458*c.A - 0.0638541728*c.B
	s := c.L - 0.0894841775*c.A - 1.2914855480*c.B
	l, m, s = l*l*l, m*m*m, s*s*s
	return 4.0767416621*l - 3.3077115913*m + 0.2309699292*s,
		-1.2684380046*l + 2.6097574011*m - 0.3413193965*s,
		-0.0041960863*l - 0.7034186147*m + 1.7076147010*s
}

// RGB returns sRGB values in 0–1. A colour that sRGB doesn't have keeps its lightness and
// hue, and becomes as grey as it must.
func (c Lab) RGB() (r, g, b float64) {
	if c.L <= 0 {
		return 0, 0, 0
	}
	c.L = min(c.L, 1)
	r, g, b = c.linearRGB()
	if !inGamut(r, g, b) {
		least, most := 0., 1.
		for range 12 {
			share := (least + most) / 2
			if r, g, b = (Lab{c.L, share * c.A, share * c.B}).linearRGB(); inGamut(r, g, b) {
				least = share
			} else {
				most = share
			}
		}
		r, g, b = Lab{c.L, least * c.A, least * c.B}.linearRGB()
	}
	return encoded(r), encoded(g), encoded(b)
}

// inGamut allows for rounding.
func inGamut(r, g, b float64) bool {
	const slack = 1e-6
	return min(r, g, b) >= -slack && max(r, g, b) <= 1+slack
}

// linear decodes an sRGB value, encoded encodes one and moves it into 0–1 (IEC 61966-2-1).
func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func encoded(v float64) float64 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}
