package model

import (
	"math"

	"impasto/internal/picture"
)

// rounded is a picture in 16 bits a value, which take half of the memory: what a level began
// with, while it descends. It is looked at again to see how far the level came, or where the
// level came to nothing.
type rounded struct {
	width, height int
	values        []uint16
}

// rounding is a picture rounded. What is beyond 0–1 is moved there.
func rounding(p *picture.Picture) rounded {
	r := rounded{p.Width, p.Height, make([]uint16, len(p.RGB))}
	for i, v := range p.RGB {
		r.values[i] = uint16(math.Round(math.MaxUint16 * float64(min(max(v, 0), 1))))
	}
	return r
}

// picture is the picture with float32 values. Rounded again it is the same.
func (r rounded) picture() *picture.Picture {
	p := &picture.Picture{Width: r.width, Height: r.height, RGB: make([]float32, len(r.values))}
	for i, v := range r.values {
		p.RGB[i] = single(v)
	}
	return p
}

// single is a rounded value as float32.
func single(v uint16) float32 { return float32(v) / math.MaxUint16 }
