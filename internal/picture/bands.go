package picture

import (
	"context"
	"image"

	"impasto/internal/colour"
)

// bandFunc takes a band: some whole rows of a picture as it is stored, from row y on. The
// first band is at the top and each follows on the one before. A band is good until the
// function returns. Either all bands of a picture have alpha or none has; it may be 1
// everywhere. Remarks are those of decoding, with any of the bands.
type bandFunc func(y int, band *Picture) error

// bandPixels is about how many a band has, if rows aren't longer.
const bandPixels = 1 << 16

// bandRows is how many rows of a picture a band has.
func bandRows(width, height int) int { return min(max(1, bandPixels/width), height) }

// bandMemory is what a band takes, with lines of samples on their way, in bytes.
func (h *header) bandMemory() int64 {
	rows := max(h.rowsAtOnce, bandRows(h.width, h.height))
	const sideBytes = 256 // a pixel of a side: kernels' weights, lines of chroma and of the resampler
	return planesBytes*int64(h.width)*int64(rows) + sideBytes*int64(h.width+h.height)
}

// newBand returns a band of at most rows rows.
func newBand(width, rows int, alpha bool) *Picture {
	band := &Picture{Width: width, Height: rows, RGB: make([]float32, 3*width*rows)}
	if alpha {
		band.Alpha = make([]float32, width*rows)
	}
	return band
}

// cut makes a band one of rows rows, all opaque.
func (p *Picture) cut(rows int) {
	p.Height = rows
	p.RGB = p.RGB[:3*p.Width*rows]
	if p.Alpha != nil {
		p.Alpha = p.Alpha[:p.Width*rows]
		for i := range p.Alpha {
			p.Alpha[i] = 1
		}
	}
}

// rowsOf calls band for every band of a picture: its first row and how many it has.
func rowsOf(ctx context.Context, height, rows int, band func(y, rows int) error) error {
	for y := 0; y < height; y += rows {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := band(y, min(rows, height-y)); err != nil {
			return err
		}
	}
	return nil
}

// imageBands hands out an image, in the colours of its values, or in sRGB where it has
// inks and there is a space for them.
func imageBands(ctx context.Context, img image.Image, yuv yuvRange, inks *colour.Transform, put bandFunc) error {
	bounds := img.Bounds()
	if err := checkSize(bounds.Dx(), bounds.Dy()); err != nil {
		return err
	}
	fill, err := fillerOf(img, yuv, inks)
	if err != nil {
		return err
	}
	rows := bandRows(bounds.Dx(), bounds.Dy())
	band := newBand(bounds.Dx(), rows, mayBeTransparent(img))
	return rowsOf(ctx, bounds.Dy(), rows, func(y, rows int) error {
		band.cut(rows)
		fill(band, image.Rect(bounds.Min.X, bounds.Min.Y+y, bounds.Max.X, bounds.Min.Y+y+rows))
		return put(y, band)
	})
}

// mayBeTransparent tells whether images of this type can have alpha.
func mayBeTransparent(img image.Image) bool {
	switch img.(type) {
	case *image.Gray, *image.Gray16, *image.YCbCr, *image.CMYK:
		return false
	}
	return true
}

// setRows copies a band to the picture's rows from y on.
func (p *Picture) setRows(y int, band *Picture) {
	n, m, at := p.Width*p.Height, band.Width*band.Height, y*p.Width
	for plane := range 3 {
		copy(p.RGB[plane*n+at:], band.RGB[plane*m:][:m])
	}
	for i, a := range band.Alpha {
		p.setAlpha(at+i, a)
	}
}
