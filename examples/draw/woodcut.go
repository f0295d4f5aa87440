package main

import (
	"math"

	"impasto/internal/picture"
)

// The print is drawn at three times its size, in units of its own height: x runs from 0 to
// 5/4, y down from 0 to 1.
const (
	woodcutWidth, woodcutHeight = 600, 480
	woodcutFine                 = 3
)

// The print's inks, and the paper.
var (
	paper     = hex(0xf1e6cb)
	keyInk    = hex(0x14182e)
	sunInk    = hex(0xc8321f)
	skyInk    = hex(0xe3b565)
	waveInks  = []colour{hex(0x9db8b4), hex(0x5f93a3), hex(0x2f6690), hex(0x1d4674), hex(0x12294f)}
	foamInk   = hex(0xf7f1de)
	woodcutAt = struct{ x, y, radius float64 }{0.86, 0.30, 0.17} // the sun
)

func drawWoodcut(scale float64) (*picture.Picture, error) {
	return render(woodcutWidth, woodcutHeight, woodcutFine, scale, func(x, y float64) colour {
		// The paper shows through where the ink is thin, in the grain of the block.
		grain := 0.5 + 0.5*noise(9*x+2*clouds(3*x, 3*y, 2, 41), 130*y, 42)
		return mix(woodcut(x, y), paper, 0.10*grain+0.05*clamp(noise(160*x, 160*y, 43)))
	})
}

// woodcut is the ink at a place: of the nearest wave, of the sun or of the sky.
func woodcut(x, y float64) colour {
	// What a hand cuts isn't quite straight.
	x, y = x+0.004*noise(14*x, 14*y, 44), y+0.004*noise(14*x, 14*y, 45)
	for k := len(waveInks) - 1; k >= 0; k-- {
		if c, ok := wave(k, x, y); ok {
			return c
		}
	}
	if d := math.Hypot(x-woodcutAt.x, y-woodcutAt.y); d < woodcutAt.radius {
		if d > woodcutAt.radius-0.006 || carved(y, 0.020, 0.75*smooth(0.02, 0.36, y-woodcutAt.y+woodcutAt.radius)-0.2) {
			return keyInk
		}
		return sunInk
	}
	// The sky is cut along slow winds, deeper towards the top.
	wind := y + 0.05*clouds(1.3*x, 3*y, 3, 46)
	if carved(wind, 0.026, 0.62-1.15*y) {
		return mix(keyInk, waveInks[2], 0.4)
	}
	return mix(skyInk, paper, smooth(0.15, 0.55, y))
}

// carved tells whether one of the lines that are cut every so far apart is at a place; thick
// is the share of it that they take.
func carved(at, apart, thick float64) bool {
	t := at / apart
	return math.Abs(t-math.Floor(t)-0.5) < thick/2
}

// crest is how far down wave k begins.
func crest(k int, x float64) float64 {
	depth := float64(k) / float64(len(waveInks)-1) // 0 far away, 1 near
	t := x/lerp(0.17, 0.58, depth) + 0.37*float64(k) + 0.06*noise(3*x, float64(k), 47)
	t -= math.Floor(t)
	// Long backs, and crests that lean over.
	back := math.Pow(math.Abs(2*t-1), 1.7)
	return lerp(0.47, 0.86, depth) - lerp(0.035, 0.20, depth)*back*(1+0.25*noise(2*x, 3*float64(k), 48))
}

// wave is the ink of wave k at a place that it covers.
func wave(k int, x, y float64) (c colour, covers bool) {
	depth := float64(k) / float64(len(waveInks)-1)
	d := y - crest(k, x)
	if d < 0 {
		return c, false
	}
	scale := lerp(0.45, 1, depth)
	foam := scale * (0.030 + 0.022*noise(28*x, float64(k), 49))
	switch {
	case d < 0.006*scale+0.002:
		return keyInk, true
	case d < foam:
		if math.Hypot(noise(55*x, 55*y, 50), 0.4) > 0.93 {
			return keyInk, true
		}
		return foamInk, true
	case d < foam+0.004:
		return keyInk, true
	}
	// Lines follow the crest and thin out below it.
	along := d + 0.012*noise(9*x, 9*y, 51)
	if carved(along, 0.030*scale, 0.62-1.9*d/(0.5*scale+0.1)) {
		return foamInk, true
	}
	if carved(along+0.015*scale, 0.030*scale, 1.5*d/(0.6*scale)-0.25) {
		return keyInk, true
	}
	return waveInks[k], true
}
