package main

import "math"

// colour is sRGB, 0–1 by channel; sums on the way may leave that range.
type colour struct{ r, g, b float64 }

// hex is the colour 0xRRGGBB.
func hex(rgb uint32) colour {
	return colour{float64(rgb>>16&255) / 255, float64(rgb>>8&255) / 255, float64(rgb&255) / 255}
}

func (c colour) times(f float64) colour { return colour{c.r * f, c.g * f, c.b * f} }

func (c colour) tinted(d colour) colour { return colour{c.r * d.r, c.g * d.g, c.b * d.b} }

// screen lightens c by the light d, and never past white.
func (c colour) screen(d colour) colour {
	return colour{1 - (1-c.r)*(1-d.r), 1 - (1-c.g)*(1-d.g), 1 - (1-c.b)*(1-d.b)}
}

// mix goes from a at t = 0 to b at t = 1.
func mix(a, b colour, t float64) colour {
	return colour{lerp(a.r, b.r, t), lerp(a.g, b.g, t), lerp(a.b, b.b, t)}
}

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

func clamp(v float64) float64 { return min(max(v, 0), 1) }

// smooth is 0 up to a, 1 from b on, and has no corners between.
func smooth(a, b, v float64) float64 {
	t := clamp((v - a) / (b - a))
	return t * t * (3 - 2*t)
}

// bump is 1 at the centre and falls to 1/e at the radius.
func bump(v, centre, radius float64) float64 {
	d := (v - centre) / radius
	return math.Exp(-d * d)
}

// stop is one colour of a ramp.
type stop struct {
	at float64
	colour
}

// ramp is the colour at t between stops in rising order.
func ramp(stops []stop, t float64) colour {
	for i := 1; i < len(stops); i++ {
		if a, b := stops[i-1], stops[i]; t < b.at {
			return mix(a.colour, b.colour, smooth(a.at, b.at, t))
		}
	}
	return stops[len(stops)-1].colour
}

// hash gives 64 well-mixed bits for a point of the lattice (the finaliser of
// SplitMix64 of Steele, Lea and Flood, 2014).
func hash(x, y int64, seed uint64) uint64 {
	h := uint64(x)*0x9e3779b97f4a7c15 ^ uint64(y)*0xc2b2ae3d27d4eb4f ^ seed*0x165667b19e3779f9
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// slopes are the unit vectors that noise chooses from.
var slopes = func() (s [64][2]float64) {
	for i := range s {
		s[i][1], s[i][0] = math.Sincos(2 * math.Pi * float64(i) / float64(len(s)))
	}
	return s
}()

// noise is gradient noise after Perlin ("Improving noise", 2002): smooth,
// about −1 to 1, zero at the points of the lattice.
func noise(x, y float64, seed uint64) float64 {
	left, top := math.Floor(x), math.Floor(y)
	u, v := x-left, y-top
	at := func(i, j int64) float64 {
		g := slopes[hash(int64(left)+i, int64(top)+j, seed)%uint64(len(slopes))]
		return g[0]*(u-float64(i)) + g[1]*(v-float64(j))
	}
	fade := func(t float64) float64 { return t * t * t * (t*(t*6-15) + 10) }
	above, below := lerp(at(0, 0), at(1, 0), fade(u)), lerp(at(0, 1), at(1, 1), fade(u))
	return 1.5 * lerp(above, below, fade(v))
}

// clouds sums octaves of noise, each at twice the frequency and half the size.
func clouds(x, y float64, octaves int, seed uint64) float64 {
	sum, size := 0.0, 0.5
	for i := range octaves {
		sum += size * noise(x, y, seed+uint64(i))
		// Turned by 37°, so that the lattices don't line up.
		x, y, size = 1.6*x-1.2*y, 1.2*x+1.6*y, size/2
	}
	return sum
}

// ridges is like clouds with sharp crests, 0–1.
func ridges(x, y float64, octaves int, seed uint64) float64 {
	sum, size := 0.0, 0.5
	for i := range octaves {
		sum += size * (1 - math.Abs(noise(x, y, seed+uint64(i))))
		x, y, size = 1.6*x-1.2*y, 1.2*x+1.6*y, size/2
	}
	return sum
}
