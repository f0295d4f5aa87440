package picture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"impasto/internal/colour"
)

// FromImage converts any image to planes, in sRGB as its own conversions have it.
// Sixteen-bit values keep their precision; subsampled chroma is interpolated linearly.
// A *Picture is returned as it is, and a *Source is decoded.
func FromImage(img image.Image) (*Picture, error) {
	p, err := fromImage(img, fullRange)
	if err != nil {
		return nil, fmt.Errorf("picture: convert image: %w", err)
	}
	return p, nil
}

// yuvRange is how the bytes of a YCbCr image spread over the range of values.
type yuvRange struct {
	black, luma float32 // the byte of black, and the bytes from black to white
	chroma      float32 // the bytes from the lowest to the highest chroma
	red, blue   float64 // the weights of red and blue in luma
}

var (
	fullRange   = yuvRange{black: 0, luma: 255, chroma: 255, red: 0.299, blue: 0.114}  // JFIF, ITU-R BT.601
	studioRange = yuvRange{black: 16, luma: 219, chroma: 224, red: 0.299, blue: 0.114} // ITU-R BT.601, as in lossy WebP
)

func fromImage(img image.Image, yuv yuvRange) (*Picture, error) {
	if img == nil {
		return nil, errors.New("no image given")
	}
	switch m := img.(type) {
	case *Picture:
		if m != nil {
			return m, nil
		}
	case *Source:
		return m.Picture(context.Background())
	}
	p, err := newPicture(img.Bounds().Dx(), img.Bounds().Dy())
	if err != nil {
		return nil, err
	}
	return p, imageBands(context.Background(), img, yuv, nil, func(y int, band *Picture) error {
		p.setRows(y, band)
		return nil
	})
}

// filler sets a band, which is opaque, from the pixels of an image in a rectangle.
type filler func(band *Picture, bounds image.Rectangle)

// fillerOf returns the filler for an image; inks are the colour space of its inks, where
// there is one.
func fillerOf(img image.Image, yuv yuvRange, inks *colour.Transform) (filler, error) {
	switch m := img.(type) {
	case *image.YCbCr:
		return chromaFiller(m, yuv)
	case *image.NYCbCrA:
		colours, err := chromaFiller(&m.YCbCr, yuv)
		return func(p *Picture, bounds image.Rectangle) {
			colours(p, bounds)
			setPixels(bounds, func(i, x, y int) {
				p.setAlpha(i, float32(m.A[m.AOffset(x, y)])/math.MaxUint8)
			})
		}, err
	case *image.CMYK:
		if inks != nil {
			return inkFiller(m, inks), nil
		}
	case *image.Paletted:
		return paletteFiller(m), nil
	}
	return func(p *Picture, bounds image.Rectangle) { p.setFrom(img, bounds) }, nil
}

// setFrom sets the picture from an image whose pixels have colours of their own.
func (p *Picture) setFrom(img image.Image, bounds image.Rectangle) {
	switch m := img.(type) {
	case *image.NRGBA:
		setPixels(bounds, func(i, x, y int) {
			c := m.NRGBAAt(x, y)
			p.setPixel(i, 257*uint32(c.R), 257*uint32(c.G), 257*uint32(c.B), 257*uint32(c.A))
		})
	case *image.NRGBA64:
		setPixels(bounds, func(i, x, y int) {
			c := m.NRGBA64At(x, y)
			p.setPixel(i, uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
		})
	case image.RGBA64Image:
		setPixels(bounds, func(i, x, y int) {
			c := m.RGBA64At(x, y)
			p.setPremultiplied(i, uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
		})
	default:
		setPixels(bounds, func(i, x, y int) { p.setColour(i, m.At(x, y)) })
	}
}

// setPixels calls set for every pixel of a rectangle: its number in the planes and its
// place in the image.
func setPixels(bounds image.Rectangle, set func(i, x, y int)) {
	i := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			set(i, x, y)
			i++
		}
	}
}

// setPixel sets pixel i from levels of 16 bits that aren't premultiplied.
func (p *Picture) setPixel(i int, r, g, b, a uint32) {
	n := p.Width * p.Height
	p.RGB[i], p.RGB[n+i], p.RGB[2*n+i] = unit16(r), unit16(g), unit16(b)
	p.setAlpha(i, unit16(a))
}

// setPremultiplied sets pixel i from premultiplied levels of 16 bits. A channel above
// its alpha, which is wrong but found, is the lightest there is.
func (p *Picture) setPremultiplied(i int, r, g, b, a uint32) {
	if a == math.MaxUint16 {
		p.setPixel(i, r, g, b, a)
		return
	}
	n, alpha := p.Width*p.Height, max(float32(a), 1)
	p.RGB[i], p.RGB[n+i], p.RGB[2*n+i] = min(float32(r)/alpha, 1), min(float32(g)/alpha, 1), min(float32(b)/alpha, 1)
	p.setAlpha(i, unit16(a))
}

func (p *Picture) setColour(i int, c color.Color) {
	switch c := c.(type) {
	case color.NRGBA:
		p.setPixel(i, 257*uint32(c.R), 257*uint32(c.G), 257*uint32(c.B), 257*uint32(c.A))
	case color.NRGBA64:
		p.setPixel(i, uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
	default:
		r, g, b, a := c.RGBA()
		p.setPremultiplied(i, r, g, b, a)
	}
}

// paletteFiller converts each colour of the palette once.
func paletteFiller(m *image.Paletted) filler {
	palette := paletteOf(m.Palette)
	return func(p *Picture, bounds image.Rectangle) {
		setPixels(bounds, func(i, x, y int) { p.setFromPalette(i, palette, int(m.Pix[m.PixOffset(x, y)])) })
	}
}

// paletteOf is a picture of a palette's colours, in a row. Those beyond it are black.
func paletteOf(colours color.Palette) *Picture {
	palette := &Picture{Width: 256, Height: 1, RGB: make([]float32, 3*256)}
	for i, c := range colours[:min(len(colours), 256)] {
		palette.setColour(i, c)
	}
	return palette
}

// setFromPalette sets pixel i to a colour of a palette.
func (p *Picture) setFromPalette(i int, palette *Picture, index int) {
	n := p.Width * p.Height
	p.RGB[i], p.RGB[n+i], p.RGB[2*n+i] = palette.RGB[index], palette.RGB[256+index], palette.RGB[2*256+index]
	if palette.Alpha != nil {
		p.setAlpha(i, palette.Alpha[index])
	}
}

// unit16 maps 16-bit levels to 0–1.
func unit16(v uint32) float32 { return float32(v) / math.MaxUint16 }
