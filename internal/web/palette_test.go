package web

import (
	"image/color"
	"math"
	"testing"
)

// linear is a colour in linear light.
func linear(c color.RGBA) [3]float64 {
	var v [3]float64
	for i, level := range []uint8{c.R, c.G, c.B} {
		if s := float64(level) / 255; s <= 0.04045 {
			v[i] = s / 12.92
		} else {
			v[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return v
}

func times(m [3][3]float64, v [3]float64) [3]float64 {
	var product [3]float64
	for i, row := range m {
		for k, factor := range row {
			product[i] += factor * v[k]
		}
	}
	return product
}

// contrast is WCAG's.
func contrast(a, b color.RGBA) float64 {
	luminance := func(c color.RGBA) float64 {
		v := linear(c)
		return 0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2] + 0.05
	}
	la, lb := luminance(a), luminance(b)
	return max(la, lb) / min(la, lb)
}

// oklab is a colour in Björn Ottosson's Oklab.
func oklab(v [3]float64) [3]float64 {
	for i := range v {
		v[i] = min(max(v[i], 0), 1)
	}
	cones := times([3][3]float64{
		{0.4122214708, 0.5363325363, 0.0514459929}, {0.2119034982, 0.6806995451, 0.1073969566}, {0.0883024619, 0.2817188376, 0.6299787005},
	}, v)
	for i := range cones {
		cones[i] = math.Cbrt(cones[i])
	}
	return times([3][3]float64{
		{0.2104542553, 0.7936177850, -0.0040720468}, {1.9779984951, -2.4285922050, 0.4505937099}, {0.0259040371, 0.7827717662, -0.8086757660},
	}, cones)
}

// sights are what people see of linear light: all, and without one kind of cones,
// by Machado, Oliveira and Fernandes 2009.
var sights = map[string][3][3]float64{
	"normal":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// Differences of 2 in Oklab can just be seen; 10 tells thin lines apart. Lines
// must stand out by 3:1, as WCAG 2 asks of what isn't text.
func TestHuesAreToldApartByEveryone(t *testing.T) {
	for _, scheme := range []struct {
		name  string
		paper color.RGBA
		of    func(Hue) color.RGBA
	}{
		{"light", color.RGBA{0xfa, 0xfa, 0xf8, 0xff}, func(h Hue) color.RGBA { return h.Light }},
		{"dark", color.RGBA{0x19, 0x1a, 0x1b, 0xff}, func(h Hue) color.RGBA { return h.Dark }},
	} {
		for i, h := range Hues {
			if got := contrast(scheme.of(h), scheme.paper); got < 3 {
				t.Errorf("%s: hue %d has a contrast of %.2f", scheme.name, i, got)
			}
			for sight, m := range sights {
				for k, other := range Hues[:i] {
					a, b := oklab(times(m, linear(scheme.of(h)))), oklab(times(m, linear(scheme.of(other))))
					distance := 100 * math.Sqrt((a[0]-b[0])*(a[0]-b[0])+(a[1]-b[1])*(a[1]-b[1])+(a[2]-b[2])*(a[2]-b[2]))
					if distance < 10 {
						t.Errorf("%s, %s: hues %d and %d differ by %.1f", scheme.name, sight, k, i, distance)
					}
				}
			}
		}
	}
}

func TestEveryLossLooksOtherwise(t *testing.T) {
	taken := map[Look]string{}
	for name, l := range LossLooks {
		if other, twice := taken[l]; twice {
			t.Errorf("%s looks like %s", name, other)
		}
		taken[l] = name
	}
}

func TestLossColoursAreThoseOfTheHue(t *testing.T) {
	if light, dark := LossColours("gram"); light != "#ec5200" || dark != "#ea8c41" {
		t.Errorf("gram has %s and %s", light, dark)
	}
	if light, dark := LossColours("mine"); light != "" || dark != "" {
		t.Errorf("an unknown loss has %s and %s", light, dark)
	}
}
