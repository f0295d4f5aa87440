package recolour

import (
	"fmt"
	"math"

	"impasto/internal/picture"
)

// cielab is a colour in CIE L*a*b* of 1976.
type cielab struct{ l, a, b float64 }

// fromRGB converts sRGB values in 0–1, relative to their white, D65.
func fromRGB(r, g, b float64) cielab {
	r, g, b = linear(r), linear(g), linear(b)
	f := func(t float64) float64 {
		const delta = 6. / 29
		if t > delta*delta*delta {
			return math.Cbrt(t)
		}
		return t/(3*delta*delta) + 4./29
	}
	x := f((0.4124564*r + 0.3575761*g + 0.1804375*b) / 0.95047)
	y := f(0.2126729*r + 0.7151522*g + 0.0721750*b)
	z := f((0.0193339*r + 0.1191920*g + 0.9503041*b) / 1.08883)
	return cielab{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// deltaE2000 is the colour difference CIEDE2000 with all parametric factors 1: Sharma, Wu
// and Dalal 2005, "The CIEDE2000 Color-Difference Formula". A difference of 1 can just be
// seen.
func deltaE2000(x, y cielab) float64 {
	mean := (math.Hypot(x.a, x.b) + math.Hypot(y.a, y.b)) / 2
	g := 0.5 * (1 - math.Sqrt(seventh(mean)))
	ax, ay := (1+g)*x.a, (1+g)*y.a
	cx, cy := math.Hypot(ax, x.b), math.Hypot(ay, y.b)
	hx, hy := hue(ax, x.b), hue(ay, y.b)

	lightness, chroma := y.l-x.l, cy-cx
	turn, middle := 0., hx+hy
	if cx*cy != 0 {
		turn, middle = hy-hx, (hx+hy)/2
		if math.Abs(hx-hy) > 180 {
			turn -= math.Copysign(360, turn)
			middle += math.Copysign(180, 360-hx-hy)
		}
	}
	hues := 2 * math.Sqrt(cx*cy) * math.Sin(radians(turn/2))

	l, c := (x.l+y.l)/2-50, (cx+cy)/2
	t := 1 - 0.17*math.Cos(radians(middle-30)) + 0.24*math.Cos(radians(2*middle)) +
		0.32*math.Cos(radians(3*middle+6)) - 0.20*math.Cos(radians(4*middle-63))
	sl, sc, sh := 1+0.015*l*l/math.Sqrt(20+l*l), 1+0.045*c, 1+0.015*c*t
	blue := (middle - 275) / 25
	rotation := -2 * math.Sqrt(seventh(c)) * math.Sin(radians(60*math.Exp(-blue*blue)))
	lightness, chroma, hues = lightness/sl, chroma/sc, hues/sh
	return math.Sqrt(lightness*lightness + chroma*chroma + hues*hues + rotation*chroma*hues)
}

func seventh(c float64) float64 {
	c7 := math.Pow(c, 7)
	return c7 / (c7 + 6103515625) // 25⁷
}

// hue is an angle in degrees, 0 to 360.
func hue(a, b float64) float64 {
	degrees := math.Atan2(b, a) * 180 / math.Pi
	if degrees < 0 {
		degrees += 360
	}
	return degrees
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

// localSide is the longer side to which pictures are reduced for Difference: a pixel of that
// has the colour of a region, without strokes.
const localSide = 32

// Difference is how far the local colours of two pictures of a shape are apart: the mean
// CIEDE2000 difference of both, reduced to 32 pixels on the longer side. A difference of 1
// can just be seen; between 0 (the same) and about 100.
func Difference(a, b *picture.Picture) (float64, error) {
	width, height := picture.FitSize(a.Width, a.Height, min(localSide, max(a.Width, a.Height)))
	var reduced [2]*picture.Picture
	for i, p := range []*picture.Picture{a, b} {
		var err error
		if reduced[i], err = p.OnWhite().Resize(width, height, picture.Lanczos); err != nil {
			return 0, fmt.Errorf("recolour: difference: %w", err)
		}
	}
	var sum float64
	n := width * height
	for i := range n {
		var colours [2]cielab
		for k, p := range reduced {
			colours[k] = fromRGB(float64(p.RGB[i]), float64(p.RGB[n+i]), float64(p.RGB[2*n+i]))
		}
		sum += deltaE2000(colours[0], colours[1])
	}
	return sum / float64(n), nil
}
