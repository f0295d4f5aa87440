package main

import (
	"math"

	"impasto/internal/picture"
)

// The scene is in units of the picture's height: x runs from 0 to 4/3, y down
// from 0 to 1.
const (
	harbourWidth, harbourHeight = 480, 360
	oversampling                = 3

	horizon    = 0.60
	sunX, sunY = 0.93, 0.475
)

func drawHarbour(scale float64) (*picture.Picture, error) { return newHarbour(0).draw(scale) }

// harbour is the scene at a time in seconds: boats sail, birds fly and water moves, while the
// land and the sky stay.
type harbour struct {
	time   float64
	things []thing
}

func newHarbour(time float64) harbour {
	moving := func(at func(x, y float64) (colour, bool), across float64) func(x, y float64) (colour, bool) {
		return func(x, y float64) (colour, bool) { return at(x-across*time, y) }
	}
	bobbing := func(x, y float64) (colour, bool) {
		if c, ok := posts(x, y); ok {
			return c, true
		}
		return rowingBoat(x, y-0.006*math.Sin(1.7*time))
	}
	h := harbour{time: time}
	for _, t := range things {
		h.things = append(h.things, t)
		switch last := &h.things[len(h.things)-1]; t.name {
		case "far boat":
			last.at = moving(t.at, -0.02)
		case "sailing boat":
			last.at = moving(t.at, 0.11)
		case "rowing boat":
			last.at = bobbing
		}
	}
	return h
}

func (h harbour) draw(scale float64) (*picture.Picture, error) {
	return render(harbourWidth, harbourHeight, oversampling, scale, h.at)
}

// thing stands in the water; at gives its colour where it is. What moves has a name.
type thing struct {
	name      string
	waterline float64
	at        func(x, y float64) (colour, bool)
	foam      float64 // how white the water is at its foot, 0–1
}

// things from far to near.
var things = []thing{
	{"far boat", 0.615, farBoat, 0},
	{"", 0.80, headland, 0.8},
	boulder(0.055, 0.818, 0.046), boulder(0.125, 0.812, 0.027), boulder(0.250, 0.826, 0.032),
	boulder(0.345, 0.812, 0.041), boulder(0.470, 0.822, 0.030), boulder(0.560, 0.812, 0.035),
	boulder(0.615, 0.828, 0.054), boulder(0.690, 0.816, 0.032), boulder(0.742, 0.826, 0.016),
	{"sailing boat", 0.745, sailingBoat, 0},
	{"rowing boat", 0.930, rowingBoat, 0},
}

func (h harbour) at(x, y float64) colour {
	var c colour
	var dx, dy float64
	if y < horizon {
		c = h.backdrop(x, y)
	} else {
		dx, dy = h.ripple(x, y)
		c = h.sea(x, y, dx, dy)
	}
	for _, t := range h.things {
		if y <= t.waterline {
			if own, ok := t.at(x, y); ok {
				c = own
			}
			continue
		}
		if own, ok := t.at(x+dx, 2*t.waterline-y+dy); ok {
			c = mix(c, own.tinted(hex(0x9fb4c4)), 0.72*smooth(0.45, 0, y-t.waterline))
		}
		c = mix(c, hex(0xdfeaf0), t.foam*foam(x, y-t.waterline))
	}
	return c
}

var skyStops = []stop{
	{0.00, hex(0x123a7a)}, {0.15, hex(0x1f62a8)}, {0.28, hex(0x4b9cc6)}, {0.385, hex(0xa9d0c4)},
	{0.465, hex(0xf7d792)}, {0.53, hex(0xf7a557)}, {0.60, hex(0xea7350)},
}

// backdrop is what is beyond the water: sky, sun, clouds and hills.
func (h harbour) backdrop(x, y float64) colour {
	c := ramp(skyStops, y+0.03*(x-sunX)*(x-sunX))
	away := math.Hypot(x-sunX, y-sunY)
	c = c.screen(hex(0xffb347).times(0.75 * math.Exp(-away/0.16)))
	c = highClouds(c, x, y)
	c = cumulus(c, x, y)
	c = mix(c, hex(0xfff3c4), smooth(0.060, 0.054, away))
	c = c.screen(hex(0xffd27a).times(0.55 * math.Exp(-away/0.06)))
	return h.birds(hills(c, x, y, away), x, y)
}

// birds are strokes of two wings.
func (h harbour) birds(c colour, x, y float64) colour {
	for _, bird := range []struct{ x, y, span float64 }{
		{0.56, 0.105, 0.026}, {0.625, 0.075, 0.020}, {0.51, 0.155, 0.017}, {0.245, 0.30, 0.020}, {0.20, 0.265, 0.015},
	} {
		u := (x - bird.x - 2*bird.span*h.time) / bird.span
		if math.Abs(u) < 1 && math.Abs(y-bird.y+bird.span*(0.55*math.Sqrt(math.Abs(u))-0.30*u*u)) < 0.0022*(1.1-math.Abs(u)) {
			c = hex(0x1d2742)
		}
	}
	return c
}

// highClouds are thin streaks, drawn out along the wind.
func highClouds(c colour, x, y float64) colour {
	streak := clouds(1.1*x+1.5*y, 9*y-1.2*x, 5, 11)
	amount := smooth(-0.02, 0.42, streak) * smooth(0.02, 0.12, y) * smooth(0.50, 0.30, y)
	lit := mix(hex(0xdfe9f2), hex(0xffc58f), smooth(0.15, 0.42, y))
	return mix(c, lit, 0.6*amount)
}

// cumulus are the big heaps, lit from the sun.
func cumulus(c colour, x, y float64) colour {
	density := func(x, y float64) float64 {
		heap := 0.66*bump(x, 0.66, 0.27)*bump(y, 0.255, 0.105) + 0.60*bump(x, 1.24, 0.22)*bump(y, 0.185, 0.095) +
			0.46*bump(x, 0.02, 0.20)*bump(y, 0.33, 0.08) + 0.30*bump(x, 0.98, 0.16)*bump(y, 0.375, 0.035)
		puff := 0.55*clouds(3.1*x, 4.2*y, 2, 21) + 0.42*(ridges(6.5*x, 8*y, 4, 25)-0.62)
		return heap + puff - 0.25
	}
	d := density(x, y)
	if d <= 0 {
		return c
	}
	toX, toY := sunX-x, sunY-0.25-y
	far := math.Hypot(toX, toY) + 1e-9
	thickness := density(x+0.035*toX/far, y+0.035*toY/far-0.01)
	light := clamp(0.50 + 2.6*(d-thickness))
	shade := mix(hex(0x6d7fae), hex(0xa97f97), smooth(0.15, 0.42, y))
	bright := mix(hex(0xfff4dd), hex(0xffc27d), smooth(0.12, 0.42, y))
	return mix(c, mix(shade, bright, light), smooth(0, 0.14, d))
}

// hills are three ranges, each nearer, darker and less blue than the last.
func hills(c colour, x, y, away float64) colour {
	for i, hill := range []struct {
		base, size, pitch, rise float64
		colour                  colour
	}{
		{0.555, 0.20, 2.1, 0.62, hex(0x8ea6c8)},
		{0.580, 0.13, 3.4, 1.24, hex(0x5f7ba8)},
		{0.594, 0.06, 5.2, 1.40, hex(0x3d5a86)},
	} {
		peaks := ridges(hill.pitch*x+7*float64(i), 3.7, 5, 31) - 0.5
		crest := hill.base - hill.size*peaks*(0.22+bump(x, hill.rise, 0.20)+0.5*bump(x, 0.0, 0.2))
		if y > crest {
			own := mix(hill.colour, hex(0xf2a566), 0.55*math.Exp(-away/0.22))
			own = mix(own, hex(0xe8b98f), 0.35*smooth(crest, horizon+0.02, y))
			c = own.times(1 + 0.10*clouds(18*x, 26*(y-crest), 3, 41))
		}
	}
	return c
}

// ripple is how far waves shift what the water mirrors.
func (h harbour) ripple(x, y float64) (dx, dy float64) {
	near := y - horizon
	depth := 1 / (near + 0.018)
	across := (x - 0.66) * depth
	swell := clouds(0.55*across, 2.3*depth+0.9*h.time, 2, 51) + 0.8*clouds(1.6*across, 6.1*depth+1.7*h.time, 2, 53)*smooth(0.02, 0.10, near)
	return 0.05 * swell * near, 0.42 * swell * near
}

func (h harbour) sea(x, y, dx, dy float64) colour {
	near := y - horizon
	mirrored := h.backdrop(x+dx, min(2*horizon-y+dy-0.004, horizon-0.002))
	depth := mix(hex(0x1f7f93), hex(0x0d3566), smooth(0, 0.36, near))
	c := mix(mirrored.tinted(hex(0xeef4f2)), depth, 0.16+0.36*smooth(0.0, 0.40, near-0.5*dy))
	// Crests catch the low light on the side of the sun.
	crest := smooth(0.10, 0.42, dy/(near+0.02))
	c = mix(c, hex(0xf4b183), 0.42*crest*smooth(1.1, 0.1, math.Abs(x-sunX)))
	// The path of the sun: facets that tip its light to the eye.
	spread := 0.040 + 0.24*near
	sparkle := smooth(0.02, 0.26, dy/(near+0.02)+0.24*bump(x+2*dx, sunX, spread))
	return mix(c, hex(0xffdf95), 0.95*sparkle*bump(x+dx, sunX, spread))
}

// foam is white where the sea breaks at a foot of rock; below is the distance
// from its waterline.
func foam(x, below float64) float64 {
	line := 0.004 + 0.022*clouds(7*x, 1.3, 3, 57)
	return bump(below, line, 0.0055) * smooth(-0.15, 0.30, clouds(15*x, 60*below, 3, 59)) * smooth(0.74, 0.66, x)
}
