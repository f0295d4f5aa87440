package main

import (
	"math"
	"math/rand/v2"

	"impasto/internal/picture"
)

// The painting is worked at twice its size, in units of its own height: x runs
// from 0 to 5/4, y down from 0 to 1.
const (
	whirlWidth, whirlHeight = 500, 400
	whirlSeed               = 20
)

func drawWhirl(scale float64) (*picture.Picture, error) {
	b := newBoard(scaled(2*whirlWidth, scale), scaled(2*whirlHeight, scale), scale)
	random := rand.New(rand.NewPCG(whirlSeed, 0))
	for _, layer := range []layer{
		{brush: brush{width: 34, load: 1.3, smear: 0.004}, length: 240, spacing: 17, jitter: 0.06},
		{brush: brush{width: 22, load: 1.1, smear: 0.006}, length: 140, spacing: 15, jitter: 0.12},
		{brush: brush{width: 15, load: 1.0, smear: 0.008}, length: 80, spacing: 14.5, jitter: 0.20, accents: 0.06},
	} {
		b.paint(layer.scaled(scale), random)
	}
	return b.lit().Resize(scaled(whirlWidth, scale), scaled(whirlHeight, scale), picture.Lanczos)
}

// vortex is one of the whirls that the painting turns about.
type vortex struct {
	x, y float64
	spin float64 // how far it reaches, and which way it turns
	core float64 // the radius of its still centre
	arms float64 // of the spiral, a whole number; the sign tells the way in
}

var vortices = []vortex{
	{0.42, 0.40, 1.00, 0.050, 1},
	{0.98, 0.66, -0.80, 0.045, -1},
	{1.02, 0.17, 0.45, 0.030, 1},
	{0.12, 0.86, -0.42, 0.030, -1},
}

// rings is how often the paints recur as the stream rises by one.
const rings = 3.3

// stream rises across the currents.
func stream(x, y float64) float64 {
	sum := drift(x, y)
	for _, v := range vortices {
		dx, dy := x-v.x, y-v.y
		sum += 0.15 * v.spin * math.Log(dx*dx+dy*dy+v.core*v.core)
	}
	return sum
}

// drift is the stream without the vortices.
func drift(x, y float64) float64 {
	return 0.35*y + 0.10*clouds(2.2*x, 2.2*y, 3, 201)
}

// phase is the place in the ring of paints, 0–1. Its lines of equal value are
// spirals in the vortices and currents elsewhere.
func phase(x, y float64) float64 {
	t := rings * stream(x, y)
	for _, v := range vortices {
		t += v.arms * math.Atan2(y-v.y, x-v.x) / (2 * math.Pi)
	}
	return t - math.Floor(t)
}

// flow is the direction of the brush: along the lines of equal phase.
func flow(x, y float64) (float64, float64) {
	const step = 1e-3
	gx := rings * (drift(x+step, y) - drift(x-step, y)) / (2 * step)
	gy := rings * (drift(x, y+step) - drift(x, y-step)) / (2 * step)
	for _, v := range vortices {
		dx, dy := x-v.x, y-v.y
		near := dx*dx + dy*dy + v.core*v.core
		gx += (rings*0.30*v.spin*dx - v.arms/(2*math.Pi)*dy) / near
		gy += (rings*0.30*v.spin*dy + v.arms/(2*math.Pi)*dx) / near
	}
	size := math.Hypot(gx, gy) + 1e-12
	return -gy / size, gx / size
}

// Two palettes, each a closed ring of paints.
var (
	coldPaints = []stop{
		{0.00, hex(0x0b1540)}, {0.14, hex(0x14307f)}, {0.28, hex(0x1f57b5)}, {0.40, hex(0x2f8fc8)},
		{0.50, hex(0x7cc7cf)}, {0.57, hex(0xe9edd2)}, {0.64, hex(0x58aeb6)}, {0.76, hex(0x1a6a8f)},
		{0.88, hex(0x16306b)}, {1.00, hex(0x0b1540)},
	}
	warmPaints = []stop{
		{0.00, hex(0x4a1230)}, {0.12, hex(0x9c1f2b)}, {0.26, hex(0xd8402a)}, {0.38, hex(0xf07f22)},
		{0.50, hex(0xf5b32e)}, {0.60, hex(0xfbe08a)}, {0.70, hex(0xe9a52b)}, {0.82, hex(0xb9501f)},
		{0.92, hex(0x6e1d33)}, {1.00, hex(0x4a1230)},
	}
)

// under is the colour that the painting has at a place before the brush
// breaks it up.
func under(x, y float64) colour {
	s, t := stream(x, y), phase(x, y)+0.08*clouds(3*x, 3*y, 2, 211)
	cold, warm := ramp(coldPaints, t-math.Floor(t)), ramp(warmPaints, t+0.25-math.Floor(t+0.25))
	heat := 1.00*bump(math.Hypot(x-vortices[0].x, y-vortices[0].y), 0, 0.20) +
		0.95*bump(math.Hypot(x-vortices[3].x, y-vortices[3].y), 0, 0.13) +
		0.80*bump(math.Hypot(x-vortices[2].x, y-vortices[2].y), 0, 0.08) +
		0.75*bump(s, 0.08, 0.045)
	return mix(cold, warm, smooth(0.40, 0.60, heat+0.22*clouds(5*x, 5*y, 3, 221)))
}
