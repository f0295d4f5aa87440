package main

import "math"

// lit shades a round or facing surface: light from 0 (turned away) to 1.
func lit(c colour, light float64) colour {
	return mix(c.tinted(hex(0x5d6f9c)), c.tinted(hex(0xfff1d6)), clamp(light))
}

// The headland carries the lighthouse, a cottage and trees.
const (
	towerX, towerTop, towerFoot = 0.335, 0.235, 0.60
)

func headland(x, y float64) (colour, bool) {
	if c, ok := lighthouse(x, y); ok {
		return c, true
	}
	if c, ok := cottage(x, y); ok {
		return c, true
	}
	if c, ok := trees(x, y); ok {
		return c, true
	}
	return rock(x, y)
}

// ground is the height of the headland's back at x.
func ground(x float64) float64 {
	back := 0.565 + 0.055*smooth(0.20, 0.0, x) + 0.05*smooth(0.42, 0.55, x)
	cliff := 0.26 * smooth(0.50, 0.735, x)
	return back + cliff + 0.018*clouds(9*x, 1.7, 4, 61)
}

func rock(x, y float64) (colour, bool) {
	top := ground(x)
	if y < top {
		return colour{}, false
	}
	below := y - top
	facet := func(x, y float64) float64 {
		return ridges(11*x+2*y, 6*y-3*x, 4, 71)
	}
	light := 0.45 + 7*(facet(x, y)-facet(x+0.008, y-0.006)) + 0.35*smooth(0.45, 0.70, x)
	stone := mix(hex(0xb9824f), hex(0x7d4f3f), smooth(-0.3, 0.35, clouds(5*x, 16*y, 4, 73)))
	stone = mix(stone, hex(0x4a3a45), smooth(0.76, 0.80, y))
	turf := mix(hex(0x5d8a3a), hex(0xa8a446), smooth(-0.3, 0.3, clouds(22*x, 40*y, 3, 79)))
	edge := 0.030 + 0.035*clouds(16*x, 3.1, 4, 83) + 0.02*smooth(0.3, 0.1, x)
	c := mix(turf, stone, smooth(edge, edge+0.012, below)*smooth(-0.02, 0.0, below))
	return lit(c, light), true
}

// boulder lies before the headland, half in the water.
func boulder(centre, waterline, radius float64) thing {
	return thing{"", waterline, func(x, y float64) (colour, bool) {
		u, v := (x-centre)/radius, (waterline-y)/(0.85*radius)
		if v < 0 || math.Hypot(u, v) > 1+0.40*clouds(2.3*u+40*centre, 2.3*v, 3, 87) {
			return colour{}, false
		}
		light := 0.30 + 0.45*u + 0.35*v + 0.5*(ridges(3*u+40*centre, 3*v, 3, 89)-0.6)
		return lit(mix(hex(0x3f3440), hex(0x9a6a52), smooth(0.05, 0.5, v)), light), true
	}, 0}
}

func lighthouse(x, y float64) (colour, bool) {
	u := x - towerX
	t := (y - towerTop) / (towerFoot - towerTop) // 0 at the gallery, 1 at the foot
	half := lerp(0.034, 0.058, clamp(t)) + 0.008*smooth(0.9, 1.0, t)
	round := func(half float64) float64 { // light on a cylinder, from the right
		s := clamp(0.5 + 0.5*u/half)
		return smooth(0.0, 0.95, s) * (1 - 0.25*smooth(0.88, 1, s))
	}
	switch {
	case t >= 0 && t <= 1.02 && math.Abs(u) < half:
		curve := 0.022 * (1 - u*u/(half*half))
		band := math.Mod(5*(t-curve)+1, 2)
		c := hex(0xfbf6ea)
		if band < 1 {
			c = hex(0xd23b2c)
		}
		if window(u, t) {
			return hex(0x27375c), true
		}
		return lit(c, round(half)), true
	case t < 0 && t > -0.035 && math.Abs(u) < 0.050:
		return lit(hex(0x3a4358), round(0.050)), true
	case t <= -0.035 && t > -0.165 && math.Abs(u) < 0.024:
		if bar := math.Mod(math.Abs(u)+0.004, 0.016); bar < 0.0035 {
			return hex(0x2b3247), true
		}
		return mix(hex(0xffe9a0), hex(0xf7a93c), math.Abs(u)/0.024), true
	case t <= -0.035 && t > -0.085 && math.Abs(u) < 0.050 && math.Mod(math.Abs(u)+0.0015, 0.012) < 0.003:
		return hex(0x2b3247), true // railing
	case t <= -0.165 && t > -0.27:
		// A dome on the lantern.
		h := (-0.165 - t) / 0.095
		if math.Abs(u) < 0.030*math.Sqrt(clamp(1-h*h)) {
			return lit(hex(0xc9352a), round(0.030)), true
		}
	}
	if t <= -0.25 && t > -0.33 && math.Abs(u) < 0.0026 {
		return hex(0x2b3247), true
	}
	return colour{}, false
}

func window(u, t float64) bool {
	for _, w := range []struct{ u, t float64 }{{0.006, 0.14}, {-0.008, 0.50}} {
		if math.Abs(u-w.u) < 0.0065 && math.Abs(t-w.t) < 0.030 {
			return true
		}
	}
	arch := math.Abs(u) < 0.013 && t > 0.90
	return arch || math.Hypot(u/0.013, (t-0.90)/0.034) < 1
}

func cottage(x, y float64) (colour, bool) {
	const left, right, eaves, foot, peak = 0.415, 0.535, 0.545, 0.615, 0.492
	// The roof slopes back, so its ridge is shorter than its eaves.
	slope := clamp((y - peak) / (eaves - peak))
	if y >= peak && y <= eaves && x > lerp(left+0.022, left-0.008, slope) && x < lerp(right-0.022, right+0.008, slope) {
		tile := 0.09 * math.Sin(math.Pi*2*(y-peak)/0.011)
		return lit(hex(0xd5552f), 0.62+tile+0.15*noise(90*x, 90*y, 91)), true
	}
	if math.Abs(x-0.508) < 0.008 && y > peak-0.022 && y < peak+0.02 {
		return lit(hex(0x9b5a41), 0.55), true
	}
	if y > eaves && y < foot && x > left && x < right {
		for _, at := range []float64{0.442, 0.508} {
			if math.Abs(x-at) < 0.0115 && math.Abs(y-0.574) < 0.013 {
				return hex(0xffc65a), true
			}
		}
		if math.Abs(x-0.475) < 0.0105 && y > 0.566 {
			return hex(0x2f5f79), true
		}
		return lit(hex(0xf4e4c6), 0.55+2.2*(x-left)), true
	}
	return colour{}, false
}

func trees(x, y float64) (colour, bool) {
	for _, tree := range []struct{ x, foot, tall, wide float64 }{
		{0.055, 0.64, 0.26, 0.036}, {0.118, 0.62, 0.33, 0.042}, {0.185, 0.61, 0.22, 0.034}, {0.232, 0.605, 0.15, 0.028},
	} {
		up := (tree.foot - y) / tree.tall
		if up < 0 || up > 1 {
			continue
		}
		half := tree.wide * math.Sqrt(up+0.05) * math.Sqrt(1-up) * 1.75 * (1 + 0.45*clouds(30*x, 30*y, 3, 97))
		if u := (x - tree.x) / half; math.Abs(u) < 1 {
			light := 0.42 + 0.38*u + 0.5*clouds(26*x, 20*y, 3, 101)
			return lit(mix(hex(0x1d4a3c), hex(0x6f8f3a), clamp(light)), light+0.2), true
		}
	}
	return colour{}, false
}

// sailingBoat has a hull and two sails, the sun behind them.
func sailingBoat(x, y float64) (colour, bool) {
	return boat((x-1.075)/0.20, (y-0.745)/0.20, hex(0xe9e2cf), hex(0xc8442f), hex(0x2f4a63))
}

func farBoat(x, y float64) (colour, bool) {
	return boat(-(x-0.765)/0.062, (y-0.615)/0.062, hex(0xf6e7c8), hex(0xf3d9a6), hex(0x5b4a55))
}

// boat is drawn in units of its own length, the origin at the waterline
// amidships, y down.
func boat(x, y float64, main, jib, hull colour) (colour, bool) {
	const boom, top = -0.20, -1.52
	if math.Abs(x-0.02) < 0.016 && y > top-0.05 && y < 0 {
		return hex(0x4b3526), true
	}
	up := (boom - y) / (boom - top) // 0 at the boom, 1 at the mast's top
	if up > 0 && up < 1 {
		// The mainsail's trailing edge bellies out aft, the jib's forward.
		aft := -0.04 - 0.52*(1-up) - 0.10*math.Sin(math.Pi*up)
		if x < 0 && x > aft {
			seam := 0.05 * smooth(0.06, 0, math.Mod(up*6, 1))
			return lit(main, 0.42+0.85*(x-aft)/(0.001-aft)*(1-0.4*up)-seam), true
		}
	}
	up = (-0.14 - y) / 1.18
	if up > 0 && up < 1 {
		fore := 0.06 + 0.50*(1-up) + 0.03*math.Sin(math.Pi*up)
		back := 0.06 + 0.10*math.Sin(math.Pi*up)
		if x > back && x < fore {
			return lit(jib, 0.45+0.6*(x-back)/(fore-back+0.001)), true
		}
	}
	sheer := -0.135 - 0.10*x*x - 0.05*x
	keel := 0.045 - 0.16*math.Pow(math.Abs(x)/0.60, 4)
	if math.Abs(x) < 0.66 && y > sheer && y < keel {
		c := hull
		if y < sheer+0.035 {
			c = hex(0xf2d9a0)
		}
		return lit(c, 0.45+0.5*x), true
	}
	return colour{}, false
}

// rowingBoat lies in front, tied to posts.
func rowingBoat(x, y float64) (colour, bool) {
	x, y = (x-0.90)/0.25, (y-0.930)/0.25
	sheer := -0.20 - 0.22*x*x
	inside := sheer + 0.12*math.Sqrt(clamp(1-x*x/0.34))
	keel := 0.05 - 0.24*math.Pow(math.Abs(x)/0.60, 3)
	switch {
	case math.Abs(x) > 0.60 || y < sheer || y > keel:
		return colour{}, false
	case y < sheer+0.022 || math.Abs(y-inside) < 0.014 && y < keel:
		return lit(hex(0xf0c36a), 0.7), true
	case y < inside:
		if math.Mod(x+1.05, 0.42) < 0.10 {
			return lit(hex(0xc98f4e), 0.75), true // thwarts
		}
		return lit(hex(0x6b3c2a), 0.30+0.3*x), true
	case y > -0.01:
		return lit(hex(0xf3ead6), 0.45+0.4*x), true
	}
	plank := 0.06 * smooth(0.25, 0, math.Mod((y-inside)*16+8, 1))
	return lit(hex(0x1f7f8c), 0.45+0.5*x-plank), true
}

func posts(x, y float64) (colour, bool) {
	for _, post := range []struct{ x, top float64 }{{1.135, 0.815}, {1.255, 0.79}} {
		if u := (x - post.x) / 0.016; math.Abs(u) < 1 && y > post.top+0.004*u*u {
			grain := 0.15 * noise(160*x, 9*y, 103)
			return lit(mix(hex(0x6d4a33), hex(0x33262a), smooth(0.86, 0.93, y)), 0.45+0.45*u+grain), true
		}
	}
	if sag := 0.838 - 0.15*(x-1.135) + 0.016*math.Sin(math.Pi*(x-1.135)/0.12); x > 1.135 && x < 1.255 && math.Abs(y-sag) < 0.004 {
		return hex(0xd8b483), true
	}
	return colour{}, false
}
