// Package picture turns files into planes of float32 and back. It reads the
// kinds of files in Formats, upright whatever the camera's orientation, and
// writes PNG, JPEG and TIFF, whole or not at all. Colours are sRGB as stored:
// embedded colour profiles are not applied.
package picture

import (
	"fmt"
	"image"
	"math"
)

// MaxPixels is the largest picture that is read, 2^28 pixels (16384×16384):
// its planes alone take 3 GiB.
const MaxPixels = 1 << 28

// Picture holds sRGB values in planes.
type Picture struct {
	Width, Height int
	// RGB has 3×Height×Width values in 0–1: the red plane, row by row from the
	// top, then the green, then the blue.
	RGB []float32
	// Remarks are what whoever named the file that the picture was read from should
	// know of how it was read, a line each.
	Remarks []string
}

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

// Image returns a copy of the picture as an *image.RGBA64, opaque, 16 bits a
// channel. Values are clamped to 0–1 and rounded to the nearest level; NaN
// becomes black.
func (p *Picture) Image() image.Image {
	img := image.NewRGBA64(image.Rect(0, 0, p.Width, p.Height))
	r, g, b := p.Planes()
	for i := range r {
		pixel := img.Pix[8*i : 8*i+8 : 8*i+8]
		red, green, blue := level(r[i], math.MaxUint16), level(g[i], math.MaxUint16), level(b[i], math.MaxUint16)
		pixel[0], pixel[1] = uint8(red>>8), uint8(red)
		pixel[2], pixel[3] = uint8(green>>8), uint8(green)
		pixel[4], pixel[5] = uint8(blue>>8), uint8(blue)
		pixel[6], pixel[7] = 0xff, 0xff
	}
	return img
}

// image8 is Image with 8 bits a channel.
func (p *Picture) image8() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	r, g, b := p.Planes()
	for i := range r {
		pixel := img.Pix[4*i : 4*i+4 : 4*i+4]
		pixel[0] = uint8(level(r[i], math.MaxUint8))
		pixel[1] = uint8(level(g[i], math.MaxUint8))
		pixel[2] = uint8(level(b[i], math.MaxUint8))
		pixel[3] = 0xff
	}
	return img
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

// clamp moves v into 0–1.
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
	cropped := &Picture{Width: r.Dx(), Height: r.Dy(), RGB: make([]float32, 0, 3*r.Dx()*r.Dy())}
	for channel := range 3 {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			cropped.RGB = append(cropped.RGB, p.RGB[(channel*p.Height+y)*p.Width+r.Min.X:][:r.Dx()]...)
		}
	}
	return cropped
}
