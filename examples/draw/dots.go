package main

import (
	"math"
	"math/rand/v2"

	"impasto/internal/picture"
)

// The painting is worked at twice its size, in units of its own height: x runs from 0 to
// 5/4, y down from 0 to 1.
const (
	dotsWidth, dotsHeight = 600, 480
	dotsFine              = 2
	dotsSeed              = 7
)

func drawDots(scale float64) (*picture.Picture, error) {
	b := newBoard(scaled(dotsFine*dotsWidth, scale), scaled(dotsFine*dotsHeight, scale), scale)
	for i := range b.paints {
		b.paints[i] = hex(0xefe3c8)
	}
	random := rand.New(rand.NewPCG(dotsSeed, 0))
	for _, pass := range []struct{ radius, spacing, split float64 }{{9, 10, 0.10}, {6.5, 8.5, 0.22}, {5, 8, 0.34}} {
		b.dab(scale*pass.radius, scale*pass.spacing, pass.split, random)
	}
	return b.lit().Resize(scaled(dotsWidth, scale), scaled(dotsHeight, scale), picture.Lanczos)
}

// dab covers the board with dots about so far apart. Their colours are split: some go
// towards the light, some towards its complement, so that the eye mixes them.
func (b *board) dab(radius, spacing, split float64, random *rand.Rand) {
	unit := float64(b.height)
	for y := 0.; y < unit+spacing; y += spacing {
		for x := 0.; x < float64(b.width)+spacing; x += spacing {
			px, py := x+spacing*(random.Float64()-0.5), y+spacing*(random.Float64()-0.5)
			c := meadow(px/unit, py/unit)
			warm, cool := hex(0xffc46b), hex(0x4a5fb8)
			switch random.IntN(4) {
			case 0:
				c = mix(c, warm, split)
			case 1:
				c = mix(c, cool, split)
			case 2:
				c = colour{c.r + split*(c.r-0.5), c.g + split*(c.g-0.5), c.b + split*(c.b-0.5)}
			}
			if random.Float64() < 0.05*split/0.34 {
				c = colour{1 - 0.6*c.r, 1 - 0.7*c.g, 1 - 0.5*c.b}
			}
			b.dot(px, py, radius*(0.75+0.5*random.Float64()), c)
		}
	}
}

// dot sets a round dab of paint.
func (b *board) dot(x, y, radius float64, c colour) {
	for j := int(y - radius); j <= int(y+radius)+1; j++ {
		for i := int(x - radius); i <= int(x+radius)+1; i++ {
			d := math.Hypot(float64(i)-x, float64(j)-y) / radius
			if d > 1 || i < 0 || j < 0 || i >= b.width || j >= b.height {
				continue
			}
			at := j*b.width + i
			b.paints[at] = mix(c, b.paints[at], smooth(0.8, 1, d))
			b.thick[at] = lerp(b.thick[at], 1.6*b.scale*(1-d*d), 0.8)
		}
	}
}

// meadow is the scene that is painted in dots: a sky at evening, hills, trees, and a pond.
func meadow(x, y float64) colour {
	sky := mix(evening(y), hex(0xfff0c4), 0.9*bump(math.Hypot(x-0.82, y-0.34), 0, 0.10))
	sky = mix(sky, hex(0xf4dfe6), 0.8*smooth(0.05, 0.35, clouds(2.2*x, 5*y, 4, 71)))
	if tree := treetop(x, y); tree > 0 {
		return ramp([]stop{{0, hex(0x24402f)}, {0.5, hex(0x3f7a3f)}, {1, hex(0xa9bf4b)}}, clamp(tree+0.5*(0.5-y)+0.4*noise(20*x, 20*y, 72)))
	}
	for k, base := range []float64{0.47, 0.54} {
		top := base - 0.06*math.Sin(3.1*x+2*float64(k)+0.6) - 0.02*clouds(4*x, float64(k), 3, 73)
		if y < top {
			if k == 0 {
				return sky
			}
			return mix(hex(0x7f8fc0), hex(0xb98fb0), smooth(0, 0.1, y-base+0.07))
		}
	}
	bank := 0.70 + 0.05*math.Sin(4*x+1) + 0.01*noise(12*x, 0, 74)
	if y > bank && y < bank+0.19 { // the pond shows the sky upside down
		ripple := 0.02 * noise(6*x, 50*y, 75)
		water := evening(0.55 + ripple - 1.9*(y-bank))
		return mix(water, hex(0x2c5f86), 0.35+0.2*noise(3*x, 40*y, 76))
	}
	grass := ramp([]stop{{0, hex(0x9fb244)}, {0.5, hex(0x5d9040)}, {1, hex(0x2f6136)}}, clamp((y-0.5)*1.8+0.5*clouds(5*x, 9*y, 3, 77)))
	if flowers := noise(34*x, 34*y, 78); y > 0.6 && flowers > 0.55 {
		return []colour{hex(0xe0457b), hex(0xf4d03f), hex(0xf6f0f0)}[hash(int64(30*x), int64(30*y), 79)%3]
	}
	return grass
}

// evening is the sky without clouds.
func evening(y float64) colour {
	return ramp([]stop{{0, hex(0x5d7fc4)}, {0.20, hex(0x9fb6dd)}, {0.36, hex(0xf3d9b8)}, {0.46, hex(0xf6b98a)}}, y)
}

// treetop is above 0 where one of the trees is, and the more the lighter.
func treetop(x, y float64) float64 {
	for _, t := range []struct{ x, y, radius float64 }{{0.20, 0.42, 0.17}, {0.02, 0.50, 0.14}, {1.16, 0.47, 0.13}, {0.52, 0.53, 0.06}} {
		edge := t.radius * (1 + 0.22*clouds(9*x, 9*y, 3, 80))
		if d := math.Hypot(x-t.x, 0.85*(y-t.y)); d < edge {
			return 0.55 + 0.5*(x-t.x)/t.radius - 0.5*(y-t.y)/t.radius
		}
		if math.Abs(x-t.x) < 0.09*t.radius && y > t.y && y < t.y+1.5*t.radius {
			return 0.02
		}
	}
	return 0
}
