// Package picture turns files into planes of float32 and back. It reads the
// kinds of files in Formats, upright whatever the camera's orientation, and
// writes PNG, JPEG, TIFF and WebP, whole or not at all. Colours are sRGB: what a file
// has in another colour space is converted on reading, and what is written says
// that it is sRGB.
package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// MaxPixels is the largest picture that is read, 2^28 pixels (16384×16384):
// its planes alone take 3 GiB.
const MaxPixels = 1 << 28

// Picture holds sRGB values in planes. It is an image.Image of 16 bits a channel, which
// FromImage and Save take without a copy. So a picture is not to be changed once it has
// been handed on.
type Picture struct {
	Width, Height int
	// RGB has 3×Height×Width values in 0–1: the red plane, row by row from the
	// top, then the green, then the blue. They aren't multiplied by alpha.
	RGB []float32
	// Alpha has Height×Width values in 0–1, from transparent to opaque. It is nil
	// where all is opaque.
	Alpha []float32
	// Remarks are what whoever named the file that the picture was read from should
	// know of how it was read, a line each.
	Remarks []string
}

var _ image.RGBA64Image = (*Picture)(nil)

// newPicture returns a black picture, or an error where nothing of that size
// may exist.
func newPicture(width, height int) (*Picture, error) {
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	return &Picture{Width: width, Height: height, RGB: make([]float32, 3*width*height)}, nil
}

func checkSize(width, height int) error {
	switch {
	case width < 1 || height < 1:
		return fmt.Errorf("%d×%d pixels; want at least 1×1", width, height)
	case width > MaxPixels/height:
		return fmt.Errorf("%d×%d pixels; at most %d (%d megapixels) fit", width, height, MaxPixels, MaxPixels/1_000_000)
	}
	return nil
}

// Planes returns the red, green and blue plane, each Height×Width, sharing
// p's memory.
func (p *Picture) Planes() (r, g, b []float32) {
	n := p.Width * p.Height
	return p.RGB[:n:n], p.RGB[n : 2*n : 2*n], p.RGB[2*n : 3*n : 3*n]
}

// Bounds is the rectangle from (0, 0) to (Width, Height).
func (p *Picture) Bounds() image.Rectangle { return image.Rect(0, 0, p.Width, p.Height) }

// ColorModel is that of 16 bits a channel, with colours as they are or, where alpha is
// not everywhere 1, not premultiplied.
func (p *Picture) ColorModel() color.Model {
	if p.Opaque() {
		return color.RGBA64Model
	}
	return color.NRGBA64Model
}

// Opaque tells whether there is no alpha.
func (p *Picture) Opaque() bool { return p.Alpha == nil }

// At returns the pixel's colour in the color model. Values are clamped to 0–1 and
// rounded to the nearest level; NaN becomes black.
func (p *Picture) At(x, y int) color.Color {
	if p.Opaque() {
		return p.RGBA64At(x, y)
	}
	return color.NRGBA64(p.straight(x, y))
}

// RGBA64At returns the pixel's colour, premultiplied by its alpha.
func (p *Picture) RGBA64At(x, y int) color.RGBA64 {
	c := p.straight(x, y)
	if c.A != math.MaxUint16 {
		r, g, b, a := color.NRGBA64(c).RGBA()
		return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
	}
	return c
}

// straight is a pixel that isn't premultiplied, and zero outside of the picture.
func (p *Picture) straight(x, y int) (c color.RGBA64) {
	if !(image.Point{X: x, Y: y}).In(p.Bounds()) {
		return c
	}
	n, i := p.Width*p.Height, y*p.Width+x
	c.R = uint16(level(p.RGB[i], math.MaxUint16))
	c.G = uint16(level(p.RGB[n+i], math.MaxUint16))
	c.B = uint16(level(p.RGB[2*n+i], math.MaxUint16))
	c.A = math.MaxUint16
	if p.Alpha != nil {
		c.A = uint16(level(p.Alpha[i], math.MaxUint16))
	}
	return c
}

// level returns the integer nearest to v·most, clamped to 0 … most.
func level(v float32, most float32) uint32 {
	switch {
	case v >= 1:
		return uint32(most)
	case v > 0:
		return uint32(v*most + 0.5)
	default:
		return 0
	}
}

// unit moves v into 0–1; NaN becomes 0.
func unit(v float32) float32 {
	if v > 0 {
		return min(v, 1)
	}
	return 0
}

// clamp moves v, which is no NaN, into 0–1.
func clamp(v float32) float32 {
	return min(max(v, 0), 1)
}

// FitSize returns the size of a width×height picture scaled so that its longer
// side is longest and its aspect is kept to the nearest pixel. No side is less
// than 1.
func FitSize(width, height, longest int) (int, int) {
	if width < 1 || height < 1 || longest < 1 {
		return 1, 1
	}
	scale := func(side, longer int) int {
		return max(1, int(math.Round(float64(side)*float64(longest)/float64(longer))))
	}
	if width >= height {
		return longest, scale(height, width)
	}
	return scale(width, height), longest
}

// Crop returns a copy of a rectangle of the picture, in pixels, which has to lie in it.
func (p *Picture) Crop(r image.Rectangle) *Picture {
	crop := func(planes []float32, count int) []float32 {
		cropped := make([]float32, 0, count*r.Dx()*r.Dy())
		for plane := range count {
			for y := r.Min.Y; y < r.Max.Y; y++ {
				cropped = append(cropped, planes[(plane*p.Height+y)*p.Width+r.Min.X:][:r.Dx()]...)
			}
		}
		return cropped
	}
	cropped := &Picture{Width: r.Dx(), Height: r.Dy(), RGB: crop(p.RGB, 3)}
	if p.Alpha != nil {
		cropped.Alpha = crop(p.Alpha, 1)
	}
	return cropped
}

// Clamp moves all colours into 0–1; NaN becomes 0.
func (p *Picture) Clamp() {
	for i, v := range p.RGB {
		p.RGB[i] = unit(v)
	}
}
