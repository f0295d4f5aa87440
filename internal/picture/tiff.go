package picture

import (
	"context"
	"image"
	"io"
	"math"

	"impasto/internal/colour"
	"impasto/internal/tiff"
)

func readTIFF(file []byte) (*header, error) {
	t, err := tiff.Open(file)
	if err != nil {
		return nil, err
	}
	h := &header{
		width: t.Width, height: t.Height, memory: t.Memory, orientation: t.Orientation,
		profile: t.Profile, exif: file, remarks: t.Remarks,
	}
	h.decode = func(ctx context.Context) (image.Image, error) { return decodeTIFF(ctx, t) }
	if t.Colours == tiff.CMYK {
		h.memory += 4 * int64(t.Width) * int64(t.Height)
	}
	return h, nil
}

// decodeTIFF fills the planes of a Picture, or makes an image of CMYK.
func decodeTIFF(ctx context.Context, t *tiff.Picture) (image.Image, error) {
	if t.Colours == tiff.CMYK {
		return decodeInks(ctx, t)
	}
	p, err := newPicture(t.Width, t.Height)
	if err != nil {
		return nil, err
	}
	before := len(t.Remarks)
	n, colours := p.Width*p.Height, int(t.Colours)
	stride := colours
	if t.Alpha {
		stride++
	}
	err = t.Decode(ctx, func(x, y int, values []float32) {
		at := y*p.Width + x
		for i := range len(values) / stride {
			pixel := values[i*stride:][:stride]
			for plane := range 3 {
				p.RGB[plane*n+at+i] = pixel[min(plane, colours-1)] // of grey, all are alike
			}
			if t.Alpha {
				p.setAlpha(at+i, pixel[colours])
			}
		}
	})
	p.Remarks = append(p.Remarks, t.Remarks[before:]...) // what decoding added
	return p, err
}

// decodeInks makes an image of 8 bits an ink. Alpha is left out.
func decodeInks(ctx context.Context, t *tiff.Picture) (image.Image, error) {
	m := image.NewCMYK(image.Rect(0, 0, t.Width, t.Height))
	stride := int(t.Colours)
	if t.Alpha {
		stride++
	}
	err := t.Decode(ctx, func(x, y int, values []float32) {
		row := m.Pix[y*m.Stride+4*x:]
		for i := range len(values) / stride {
			for ink, v := range values[i*stride:][:4] {
				row[4*i+ink] = uint8(level(v, math.MaxUint8))
			}
		}
	})
	return m, err
}

// writeTIFF writes the picture with 8 or 16 bits a channel and a profile of sRGB.
func writeTIFF(w io.Writer, p *Picture, depth int) error {
	options := tiff.Options{Bits: 8, Profile: colour.SRGBProfile()}
	most := float32(math.MaxUint8)
	if depth == 16 {
		options.Bits, most = 16, math.MaxUint16
	}
	planes := [4][]float32{3: p.Alpha}
	planes[0], planes[1], planes[2] = p.Planes()
	channels := 3
	if !p.Opaque() {
		channels = 4
	}
	return tiff.Encode(w, tiff.Rows{
		Width: p.Width, Height: p.Height, Colours: tiff.RGB, Alpha: !p.Opaque(),
		Row: func(y int, values []uint16) {
			for channel, plane := range planes[:channels] {
				for x, v := range plane[y*p.Width:][:p.Width] {
					values[x*channels+channel] = uint16(level(v, most))
				}
			}
		},
	}, options)
}
