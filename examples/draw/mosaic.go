package main

import (
	"math"

	"impasto/internal/picture"
)

// The mosaic is laid at three times its size, in units of its own height: x runs from 0 to
// 5/4, y down from 0 to 1.
const (
	mosaicWidth, mosaicHeight = 600, 480
	mosaicFine                = 3
)

// rosette is a disc of rings of tesserae.
type rosette struct {
	x, y, radius float64
	rings        []stop // its colours, from the centre at 0 to the rim at 1
	petals       float64
}

var (
	gold    = hex(0xd9a32c)
	cream   = hex(0xf0e2c0)
	wine    = hex(0x8c2132)
	earth   = hex(0xb8572c)
	seaBlue = hex(0x1b6f83)
	night   = hex(0x1a2a5e)
	leaf    = hex(0x4f7d3a)
	grout   = hex(0x3a322c)

	rosettes = []rosette{
		{0.40, 0.44, 0.31, []stop{{0, cream}, {0.16, gold}, {0.34, earth}, {0.50, wine}, {0.62, gold}, {0.76, cream}, {0.88, seaBlue}, {1, night}}, 12},
		{0.99, 0.24, 0.19, []stop{{0, gold}, {0.25, cream}, {0.45, seaBlue}, {0.70, night}, {0.85, gold}, {1, wine}}, 8},
		{0.93, 0.79, 0.17, []stop{{0, wine}, {0.30, earth}, {0.55, cream}, {0.75, leaf}, {1, seaBlue}}, 6},
		{0.05, 0.96, 0.20, []stop{{0, cream}, {0.30, leaf}, {0.60, gold}, {0.80, earth}, {1, wine}}, 10},
		{0.06, 0.06, 0.15, []stop{{0, seaBlue}, {0.40, cream}, {0.70, gold}, {1, night}}, 8},
	}
)

// tessera is the side of a stone.
const tessera = 0.021

func drawMosaic(scale float64) (*picture.Picture, error) {
	return render(mosaicWidth, mosaicHeight, mosaicFine, scale, stone)
}

// stone is the colour at a place: of the stone that lies there, or of the joint.
func stone(x, y float64) colour {
	for k, r := range rosettes {
		dx, dy := x-r.x, y-r.y
		d := math.Hypot(dx, dy)
		if d > r.radius {
			continue
		}
		ring := math.Floor(d / tessera)
		count := max(1, math.Round(2*math.Pi*(ring+0.5)))
		turn := math.Atan2(dy, dx)/(2*math.Pi) + 0.5 + 0.3*ring
		along := turn * count
		at := (ring + 0.5) * tessera / r.radius
		// Petals: every ring's colour shifts with the angle.
		middle := (math.Floor(along) + 0.5) / count
		at += 0.07 * math.Cos(2*math.Pi*r.petals*(middle-0.3*ring)) * smooth(0.15, 0.5, at)
		return set(nearestStop(r.rings, at), frac(along), frac(d/tessera), int64(math.Floor(along)), int64(ring)+100*int64(k))
	}
	// Rows of stones run in waves around the rosettes.
	row := y + 0.035*math.Sin(7*x+1.5) + 0.030*clouds(2*x, 2*y, 2, 61)
	for _, r := range rosettes {
		row += 0.05 * bump(math.Hypot(x-r.x, y-r.y), r.radius, 0.10) * math.Copysign(1, y-r.y)
	}
	line := math.Floor(row / tessera)
	along := x/tessera + 0.5*float64(hash(int64(line), 3, 62)%100)/100
	ground := []colour{night, night, seaBlue, seaBlue, cream, seaBlue, night, leaf, leaf, gold}
	c := ground[int(math.Mod(math.Floor(line/2)+200, float64(len(ground))))]
	return set(c, frac(along), frac(row/tessera), int64(math.Floor(along)), int64(line)-1000)
}

// nearestStop is the colour of the last stop at or below a place; mosaics don't blend.
func nearestStop(stops []stop, at float64) colour {
	c := stops[0].colour
	for _, s := range stops {
		if at >= s.at {
			c = s.colour
		}
	}
	return c
}

// set is a stone of a colour seen at a place within its cell, u and v in 0–1: no two are
// alike, corners are broken, and light falls from the top left.
func set(c colour, u, v float64, i, j int64) colour {
	vary := func(seed uint64) float64 { return float64(hash(i, j, seed)%1000)/1000 - 0.5 }
	// Half the stone's sides, of which each is a little off.
	du, dv := (u-0.5-0.06*vary(63))/(0.42+0.06*vary(64)), (v-0.5-0.06*vary(65))/(0.42+0.06*vary(66))
	edge := math.Pow(math.Pow(math.Abs(du), 5)+math.Pow(math.Abs(dv), 5), 0.2)
	tone := 1 + 0.34*vary(67)
	c = colour{c.r*tone + 0.07*vary(68), c.g*tone + 0.07*vary(69), c.b*tone + 0.07*vary(70)}
	light := -0.10 * smooth(0.6, 1, edge) * (du + dv)
	c = c.times(1 + 0.10*(vary(71)*du+vary(72)*dv) + light)
	return mix(c, grout, smooth(0.93, 1.05, edge))
}

func frac(v float64) float64 { return v - math.Floor(v) }
