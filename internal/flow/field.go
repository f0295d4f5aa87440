package flow

import (
	"fmt"
	"math"
)

// Plane is one channel of a picture: Height×Width values, row by row from the top.
type Plane struct {
	Width, Height int
	Values        []float32
}

// NewPlane is a plane of zeros.
func NewPlane(width, height int) Plane {
	return Plane{width, height, make([]float32, width*height)}
}

// row is the row y of a plane.
func (p Plane) row(y int) []float32 { return p.Values[y*p.Width : (y+1)*p.Width : (y+1)*p.Width] }

// Grey is the brightness of a picture in sRGB, 0–255, given three planes of values in 0–1:
// Rec. 601's luma, as other estimators of flow take it.
func Grey(width, height int, rgb []float32) (Plane, error) {
	if n := width * height; len(rgb) != 3*n {
		return Plane{}, fmt.Errorf("flow: %d values, want 3×%d×%d", len(rgb), height, width)
	}
	grey := NewPlane(width, height)
	n := width * height
	red, green, blue := rgb[:n], rgb[n:2*n], rgb[2*n:]
	for i := range grey.Values {
		grey.Values[i] = 255 * (float32(0.299*red[i]) + float32(0.587*green[i]) + float32(0.114*blue[i]))
	}
	return grey, nil
}

// Field is a flow: what is at (x, y) in one picture is at (x+U, y+V) in the other. U and V
// are Height×Width displacements in pixels, row by row from the top, to the right and down.
type Field struct {
	Width, Height int
	U, V          []float32
}

// NewField is a field of zeros.
func NewField(width, height int) Field {
	return Field{width, height, make([]float32, width*height), make([]float32, width*height)}
}

// LeadsOut tells whether what is at a pixel is beyond the border of the other picture.
func (f Field) LeadsOut(x, y int) bool {
	i := y*f.Width + x
	toX, toY := float32(x)+f.U[i], float32(y)+f.V[i]
	return toX < 0 || toY < 0 || toX > float32(f.Width-1) || toY > float32(f.Height-1)
}

// At is the displacement at a point, by bilinear interpolation; beyond the border it is
// that of the nearest pixel.
func (f Field) At(x, y float32) (u, v float32) {
	s := f.sample(x, y)
	return s.of(f.U), s.of(f.V)
}

// sample is where four neighbours of a point are, and their weights.
type sample struct {
	at     [4]int
	weight [4]float32
}

func (f Field) sample(x, y float32) sample {
	x, y = min(max(x, 0), float32(f.Width-1)), min(max(y, 0), float32(f.Height-1))
	left, top := int(x), int(y)
	right, bottom := min(left+1, f.Width-1), min(top+1, f.Height-1)
	return sample{
		[4]int{top*f.Width + left, top*f.Width + right, bottom*f.Width + left, bottom*f.Width + right},
		bilinear(x-float32(left), y-float32(top)),
	}
}

// bilinear are the weights of the four pixels about a point that is so far right of the
// upper left one and below it: of that, the one beside it, and the two below.
func bilinear(a, b float32) [4]float32 {
	return [4]float32{(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b}
}

func (s sample) of(values []float32) float32 {
	w := &s.weight
	return float32(w[0]*values[s.at[0]]) + float32(w[1]*values[s.at[1]]) + float32(w[2]*values[s.at[2]]) + float32(w[3]*values[s.at[3]])
}

// EndPointError is the mean distance of a field's displacements from those of another, in
// pixels, over the pixels of which counts says so; nil counts all. It is 0 where none
// counts.
func (f Field) EndPointError(truth Field, counts []bool) float64 {
	var sum float64
	n := 0
	for i := range f.U {
		if counts != nil && !counts[i] {
			continue
		}
		sum += math.Hypot(float64(f.U[i]-truth.U[i]), float64(f.V[i]-truth.V[i]))
		n++
	}
	return sum / float64(max(n, 1))
}
