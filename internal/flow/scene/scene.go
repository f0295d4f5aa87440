// Package scene renders synthetic scenes whose motion is known exactly: pictures of a
// background and of things before it, the flow from each picture to the next, and which
// pixels the next one hides. Estimators of optical flow are judged by them.
package scene

import (
	"image"
	"image/color"
	"math"

	"impasto/internal/flow"
)

// Affine maps (x, y) to (A·x+B·y+E, C·x+D·y+F).
type Affine struct{ A, B, C, D, E, F float64 }

// Apply maps a point.
func (m Affine) Apply(x, y float64) (float64, float64) {
	return m.A*x + m.B*y + m.E, m.C*x + m.D*y + m.F
}

// inverse is the map back.
func (m Affine) inverse() Affine {
	d := m.A*m.D - m.B*m.C
	return Affine{
		m.D / d, -m.B / d, -m.C / d, m.A / d,
		(m.B*m.F - m.D*m.E) / d, (m.C*m.E - m.A*m.F) / d,
	}
}

// Placed turns by an angle in radians and scales about the origin, then moves there.
func Placed(x, y, angle, scale float64) Affine {
	sin, cos := math.Sincos(angle)
	return Affine{scale * cos, -scale * sin, scale * sin, scale * cos, x, y}
}

// Layer is something flat that moves. Its own coordinates are in pixels about its middle.
type Layer struct {
	// Inside tells whether a point in its own coordinates belongs to it; nil has all.
	Inside func(x, y float64) bool
	// Colour is sRGB, 0–1, at a point.
	Colour func(x, y float64) [3]float64
	// Place maps its own coordinates to those of the picture at a time, in pictures.
	Place func(time float64) Affine
}

// Scene is what there is to see, the farthest first. The first layer has all points.
type Scene struct {
	Name          string
	Width, Height int
	Layers        []Layer
}

// samples is how many rays a pixel has along a side.
const samples = 3

// Picture is the scene at a time: three planes of Height×Width values, sRGB in 0–1.
func (s Scene) Picture(time float64) []float32 {
	n := s.Width * s.Height
	rgb := make([]float32, 3*n)
	inverses := s.inverses(time)
	for y := range s.Height {
		for x := range s.Width {
			var sum [3]float64
			for i := range samples * samples {
				px := float64(x) + (float64(i%samples)+0.5)/samples - 0.5
				py := float64(y) + (float64(i/samples)+0.5)/samples - 0.5
				layer, lx, ly := s.seen(inverses, px, py)
				colour := s.Layers[layer].Colour(lx, ly)
				for c := range sum {
					sum[c] += colour[c]
				}
			}
			for c := range sum {
				rgb[c*n+y*s.Width+x] = float32(sum[c] / (samples * samples))
			}
		}
	}
	return rgb
}

// Bytes is Picture in 8 bits, as files have it.
func (s Scene) Bytes(time float64) *image.RGBA {
	n, rgb := s.Width*s.Height, s.Picture(time)
	img := image.NewRGBA(image.Rect(0, 0, s.Width, s.Height))
	for i := range n {
		level := func(channel int) uint8 { return uint8(255*rgb[channel*n+i] + 0.5) }
		img.SetRGBA(i%s.Width, i/s.Width, color.RGBA{level(0), level(1), level(2), 255})
	}
	return img
}

// Truth is the flow from the picture of one time to that of another, and which pixels the
// other one doesn't show. Both are of the middles of pixels.
func (s Scene) Truth(from, to float64) (field flow.Field, hidden []bool) {
	field, hidden = flow.NewField(s.Width, s.Height), make([]bool, s.Width*s.Height)
	before, after := s.inverses(from), s.inverses(to)
	for y := range s.Height {
		for x := range s.Width {
			i := y*s.Width + x
			layer, lx, ly := s.seen(before, float64(x), float64(y))
			toX, toY := s.Layers[layer].Place(to).Apply(lx, ly)
			field.U[i], field.V[i] = float32(toX-float64(x)), float32(toY-float64(y))
			inside := toX >= 0 && toY >= 0 && toX <= float64(s.Width-1) && toY <= float64(s.Height-1)
			then, _, _ := s.seen(after, toX, toY)
			hidden[i] = !inside || then != layer
		}
	}
	return field, hidden
}

// inverses are maps of the picture to the layers.
func (s Scene) inverses(time float64) []Affine {
	var all []Affine
	for _, l := range s.Layers {
		all = append(all, l.Place(time).inverse())
	}
	return all
}

// seen is the nearest layer at a point of the picture, and the point in its coordinates.
func (s Scene) seen(inverses []Affine, x, y float64) (layer int, lx, ly float64) {
	for layer = len(s.Layers) - 1; ; layer-- {
		lx, ly = inverses[layer].Apply(x, y)
		if inside := s.Layers[layer].Inside; layer == 0 || inside == nil || inside(lx, ly) {
			return layer, lx, ly
		}
	}
}
