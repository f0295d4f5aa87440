package main

import (
	"math"
	"math/rand/v2"

	"impasto/internal/picture"
)

// board is a canvas with paint on it that has thickness.
type board struct {
	width, height int
	scale         float64 // how many times its usual size
	paints        []colour
	thick         []float64 // of the paint, in pixels
}

// brush leaves a trace of bristles.
type brush struct {
	width float64 // pixels
	load  float64 // paint, in lengths of a stroke until it runs dry
	smear float64 // share of the paint that is exchanged with the board's at each step
}

// layer is one pass over the whole board.
type layer struct {
	brush
	length  float64 // of a stroke, pixels
	spacing float64 // of strokes, pixels
	jitter  float64 // of the colour from stroke to stroke
	accents float64 // share of strokes in a paint of their own
}

// scaled is the layer for a board of another size.
func (l layer) scaled(scale float64) layer {
	l.width, l.length, l.spacing = scale*l.width, scale*l.length, scale*l.spacing
	return l
}

// newBoard is a board with a dark ground.
func newBoard(width, height int, scale float64) *board {
	b := &board{width: width, height: height, scale: scale, paints: make([]colour, width*height), thick: make([]float64, width*height)}
	for i := range b.paints {
		b.paints[i] = hex(0x2a1d33)
	}
	return b
}

// paint covers the board with strokes in random order.
func (b *board) paint(l layer, random *rand.Rand) {
	type place struct{ x, y float64 }
	var places []place
	for y := -l.width; y < float64(b.height)+l.width; y += l.spacing {
		for x := -l.width; x < float64(b.width)+l.width; x += l.spacing {
			places = append(places, place{x + l.spacing*(random.Float64()-0.5), y + l.spacing*(random.Float64()-0.5)})
		}
	}
	random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	for _, p := range places {
		unit := float64(b.height)
		c := under(p.x/unit, p.y/unit)
		tone := 1 + 2*l.jitter*(random.Float64()-0.5)
		c = colour{
			c.r*tone + l.jitter*(random.Float64()-0.5),
			c.g*tone + l.jitter*(random.Float64()-0.5),
			c.b*tone + l.jitter*(random.Float64()-0.5),
		}
		if random.Float64() < l.accents {
			c = accents[random.IntN(len(accents))]
		}
		b.stroke(l.brush, b.path(p.x, p.y, l.length*(0.55+0.6*random.Float64())), c, random)
	}
}

var accents = []colour{hex(0x0a1030), hex(0xf8efd0), hex(0xf2a93b), hex(0xd2392b), hex(0x3aa6b9)}

// spot is a place on a stroke and the direction across it.
type spot struct{ x, y, acrossX, acrossY float64 }

// stepLength is short enough for bristles not to leave gaps in a bend.
const stepLength = 0.6

// path follows the flow both ways from the middle of a stroke.
func (b *board) path(x, y, length float64) []spot {
	unit := float64(b.height)
	half := int(length / 2 / stepLength)
	spots := make([]spot, 2*half+1)
	for _, way := range []int{-1, 1} {
		px, py := x, y
		for i := 0; i <= half; i++ {
			fx, fy := flow(px/unit, py/unit)
			spots[half+way*i] = spot{px, py, -fy, fx}
			px += float64(way) * fx * stepLength
			py += float64(way) * fy * stepLength
		}
	}
	return spots
}

func (b *board) stroke(br brush, path []spot, c colour, random *rand.Rand) {
	const pitch = 0.8 // of bristles, pixels
	count := max(2, int(br.width/pitch))
	grain := random.Uint64()
	for i := range count {
		o := 2*(float64(i)+0.5)/float64(count) - 1 // −1 to 1 across the brush
		// Bristles clot in strands of a few.
		strand := noise(0.45*float64(i), 0.5, grain)
		own := c.times(1 + 0.16*strand + 0.05*(random.Float64()-0.5))
		reach := 0.5 * math.Sqrt(1-0.8*o*o) * (0.86 + 0.14*random.Float64())
		rise := (0.55 + 0.45*strand + 0.5*o*o*o*o) * br.width / b.scale * 0.16
		for s, at := range path {
			t := float64(s)/float64(len(path)-1) - 0.5
			if math.Abs(t) > reach {
				continue
			}
			// The paint runs dry towards the end, first in the furrows.
			if dry := (t + 0.5) / br.load; dry > 0.72 && strand+0.5*noise(0.05*float64(s), 0.7*float64(i), grain+1) < 4*(dry-0.72)-0.75 {
				continue
			}
			off := o * br.width / 2 * (1 - 2.8*math.Abs(t*t*t))
			x, y := int(math.Floor(at.x+off*at.acrossX)), int(math.Floor(at.y+off*at.acrossY))
			if x < 0 || y < 0 || x >= b.width || y >= b.height {
				continue
			}
			j := y*b.width + x
			own = mix(own, b.paints[j], br.smear)
			b.paints[j] = own
			b.thick[j] = 0.25*b.thick[j] + 0.75*rise*(1-0.5*math.Abs(2*t))
		}
	}
}

// lit is the painting seen with a lamp at the top left.
func (b *board) lit() *picture.Picture {
	p := &picture.Picture{Width: b.width, Height: b.height, RGB: make([]float32, 3*b.width*b.height)}
	red, green, blue := p.Planes()
	at := func(x, y int) float64 {
		return b.thick[min(max(y, 0), b.height-1)*b.width+min(max(x, 0), b.width-1)]
	}
	for i, c := range b.paints {
		x, y := i%b.width, i/b.width
		slope := 0.6*(at(x+1, y+1)-at(x-1, y-1)) + 0.25*(at(x+1, y)-at(x-1, y)) + 0.35*(at(x, y+1)-at(x, y-1))
		light := math.Tanh(0.35 * slope)
		c = c.times(1 + 0.34*light)
		c = c.screen(hex(0xfff6e0).times(0.22 * smooth(0.35, 1, light)))
		red[i], green[i], blue[i] = float32(clamp(c.r)), float32(clamp(c.g)), float32(clamp(c.b))
	}
	return p
}
