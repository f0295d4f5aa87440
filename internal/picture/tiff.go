package picture

import (
	"context"
	"encoding/binary"
	"image"
	"io"
	"math"

	"impasto/internal/tiff"
)

func readTIFF(file []byte) (*header, error) {
	p, err := tiff.Open(file)
	if err != nil {
		return nil, err
	}
	pixelBytes := int64(1)
	if p.Colours != tiff.Grey || p.Alpha {
		pixelBytes = 4
	}
	if p.Bits > 8 {
		pixelBytes *= 2
	}
	h := &header{width: p.Width, height: p.Height, orientation: p.Orientation, profile: p.Profile}
	h.memory = p.Memory + pixelBytes*int64(p.Width)*int64(p.Height)
	h.decode = func(ctx context.Context) (image.Image, error) {
		img, err := tiffImage(ctx, p)
		h.remarks = p.Remarks
		return img, err
	}
	return h, nil
}

// tiffImage decodes a TIFF file into the smallest of the image package's types that holds
// it: Gray or NRGBA, with 16 bits where there are more than eight, or CMYK.
func tiffImage(ctx context.Context, p *tiff.Picture) (image.Image, error) {
	bounds := image.Rect(0, 0, p.Width, p.Height)
	deep := p.Bits > 8
	colours, channels := int(p.Colours), int(p.Colours)
	if p.Alpha {
		channels++
	}
	var img image.Image
	var pix []uint8
	var stored int // channels of the image
	switch {
	case p.Colours == tiff.CMYK:
		m := image.NewCMYK(bounds)
		img, pix, stored, deep = m, m.Pix, 4, false
	case channels == 1 && deep:
		m := image.NewGray16(bounds)
		img, pix, stored = m, m.Pix, 1
	case channels == 1:
		m := image.NewGray(bounds)
		img, pix, stored = m, m.Pix, 1
	case deep:
		m := image.NewNRGBA64(bounds)
		img, pix, stored = m, m.Pix, 4
	default:
		m := image.NewNRGBA(bounds)
		img, pix, stored = m, m.Pix, 4
	}
	size := 1
	if deep {
		size = 2
	}
	err := p.Decode(ctx, func(x, y int, values []float32) {
		at := (y*p.Width + x) * stored * size
		for ; len(values) > 0; values = values[channels:] {
			for k := range stored {
				value := float32(1) // an opaque pixel's alpha
				switch {
				case k < min(stored, 3) || stored == colours:
					value = values[min(k, colours-1)] // of grey, all are alike
				case channels > colours:
					value = values[colours]
				}
				putLevel(pix[at:], value, deep)
				at += size
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return img, nil
}

// putLevel writes a value of 0–1 as a level of 8 bits, or of 16, the high byte first.
func putLevel(pix []uint8, value float32, deep bool) {
	if deep {
		binary.BigEndian.PutUint16(pix, uint16(level(value, math.MaxUint16)))
		return
	}
	pix[0] = uint8(level(value, math.MaxUint8))
}

// encodeTIFF writes what Save made of a picture, an opaque image of 8 or 16 bits.
func encodeTIFF(w io.Writer, img image.Image) error {
	bounds := img.Bounds()
	rows := tiff.Rows{Width: bounds.Dx(), Height: bounds.Dy(), Colours: tiff.RGB}
	options := tiff.Options{Bits: 8}
	switch m := img.(type) {
	case *image.RGBA64:
		options.Bits = 16
		rows.Row = func(y int, values []uint16) {
			row := m.Pix[y*m.Stride:][:8*rows.Width]
			for i := range values {
				values[i] = binary.BigEndian.Uint16(row[i/3*8+i%3*2:])
			}
		}
	case *image.RGBA:
		rows.Row = func(y int, values []uint16) {
			row := m.Pix[y*m.Stride:][:4*rows.Width]
			for i := range values {
				values[i] = uint16(row[i/3*4+i%3])
			}
		}
	}
	return tiff.Encode(w, rows, options)
}
