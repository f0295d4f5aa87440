package scene

import "math"

// All are scenes of a size, each of another difficulty. Motions grow with the size: they
// are given for 640 pixels across.
func All(width, height int) []Scene {
	w, h, unit := float64(width), float64(height), float64(width)/640
	still := func(float64) Affine { return Placed(w/2, h/2, 0, 1) }
	moving := func(x, y, dx, dy, turn, growth float64) func(float64) Affine {
		return func(time float64) Affine {
			return Placed(x*w+dx*unit*time, y*h+dy*unit*time, turn*time, math.Pow(growth, time))
		}
	}
	disc := func(radius float64) func(x, y float64) bool {
		return func(x, y float64) bool { return x*x+y*y < radius*radius*unit*unit }
	}
	box := func(a, b float64) func(x, y float64) bool {
		return func(x, y float64) bool { return math.Abs(x) < a*unit && math.Abs(y) < b*unit }
	}
	star := func(radius float64) func(x, y float64) bool {
		return func(x, y float64) bool {
			return math.Hypot(x, y) < radius*unit*(0.7+0.3*math.Cos(5*math.Atan2(y, x)))
		}
	}
	return []Scene{
		{"pan", width, height, []Layer{{nil, texture(1, 24*unit), moving(0.5, 0.5, 3.3, -1.7, 0, 1)}}},
		{"turn and zoom", width, height, []Layer{{nil, texture(2, 30*unit), moving(0.5, 0.5, 1.5, 2, 0.02, 1.02)}}},
		{"things before a still background", width, height, []Layer{
			{nil, texture(3, 40*unit), still},
			{disc(70), texture(4, 18*unit), moving(0.3, 0.4, 7, 2, 0.03, 1)},
			{box(60, 90), texture(5, 12*unit), moving(0.7, 0.55, -5, 3, -0.02, 1.01)},
		}},
		{"things before a moving background", width, height, []Layer{
			{nil, texture(6, 32*unit), moving(0.5, 0.5, -4, 1, 0, 1.005)},
			{star(90), texture(7, 15*unit), moving(0.35, 0.5, 9, -4, 0.05, 1)},
			{disc(50), texture(8, 10*unit), moving(0.7, 0.3, -3, 6, 0, 1)},
			{box(30, 30), texture(9, 14*unit), moving(0.55, 0.75, 12, 0, 0.1, 1)},
		}},
		{"far motion", width, height, []Layer{
			{nil, texture(10, 36*unit), moving(0.5, 0.5, 14, 5, 0.01, 1)},
			{disc(90), texture(11, 26*unit), moving(0.4, 0.5, -22, 8, 0, 1)},
		}},
	}
}

// texture is smooth noise in colours, of several octaves, the largest with a period in
// pixels.
func texture(seed uint32, period float64) func(x, y float64) [3]float64 {
	return func(x, y float64) [3]float64 {
		var colour [3]float64
		light := octaves(seed, x/period, y/period)
		for c := range colour {
			own := octaves(seed+100*uint32(c+1), x/period/1.7, y/period/1.7)
			colour[c] = min(max(0.5+0.9*light+0.45*own, 0), 1)
		}
		return colour
	}
}

// octaves are noise of halving periods and strengths, about 0.
func octaves(seed uint32, x, y float64) float64 {
	var sum float64
	strength := 0.5
	for octave := range uint32(4) {
		sum += strength * noise(seed+1000*octave, x, y)
		x, y, strength = 2.03*x+17.3, 2.03*y-5.1, strength*0.55
	}
	return sum
}

// noise is smooth between random values, -1 to 1, at whole points.
func noise(seed uint32, x, y float64) float64 {
	left, top := math.Floor(x), math.Floor(y)
	a, b := smooth(x-left), smooth(y-top)
	at := func(dx, dy int32) float64 { return lattice(seed, int32(left)+dx, int32(top)+dy) }
	upper := at(0, 0) + a*(at(1, 0)-at(0, 0))
	lower := at(0, 1) + a*(at(1, 1)-at(0, 1))
	return upper + b*(lower-upper)
}

func smooth(t float64) float64 { return t * t * t * (t*(6*t-15) + 10) }

// lattice is a random value of a whole point, -1 to 1.
func lattice(seed uint32, x, y int32) float64 {
	h := seed*0x9e3779b1 ^ uint32(x)*0x85ebca6b ^ uint32(y)*0xc2b2ae35
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	h *= 0x297a2d39
	h ^= h >> 15
	return float64(h)/(1<<31) - 1
}
