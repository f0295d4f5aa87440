package picture

import (
	"cmp"
	"context"
	"image"
	"io"
	"math"
	"slices"

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
		profile: t.Profile, exif: file, remarks: t.Remarks, bits: t.Bits, resolution: t.Resolution, packet: t.Packet,
	}
	if t.Colours == tiff.CMYK {
		h.memory += 4 * int64(t.Width) * int64(t.Height)
		h.decode = func(ctx context.Context) (image.Image, error) { return decodeInks(ctx, t) }
		return h, nil
	}
	h.rowsAtOnce = t.RowsAtOnce
	h.stream = func(ctx context.Context, put bandFunc) error {
		rows := max(t.RowsAtOnce, bandRows(t.Width, t.Height)/t.RowsAtOnce*t.RowsAtOnce)
		return streamTIFF(ctx, *t, rows, put)
	}
	return h, nil
}

// streamTIFF hands out bands of a number of rows.
func streamTIFF(ctx context.Context, t tiff.Picture, rows int, put bandFunc) error {
	known := len(t.Remarks)
	t.Remarks = slices.Clip(t.Remarks) // decoding adds to them
	colours, stride := int(t.Colours), int(t.Colours)
	if t.Alpha {
		stride++
	}
	band := newBand(t.Width, rows, t.Alpha)
	start, end := 0, 0 // the rows of the band
	var fault error
	flush := func() {
		if end > start && fault == nil {
			band.Remarks = t.Remarks[known:]
			fault = put(start, band)
		}
	}
	err := t.Decode(ctx, func(x, y int, values []float32) {
		if y >= end {
			flush()
			start, end = y, min(y+rows, t.Height)
			band.cut(end - start)
		}
		n, at := band.Width*band.Height, (y-start)*band.Width+x
		for i := range len(values) / stride {
			pixel := values[i*stride:][:stride]
			for plane := range 3 {
				band.RGB[plane*n+at+i] = pixel[min(plane, colours-1)] // of grey, all are alike
			}
			if t.Alpha {
				band.setAlpha(at+i, pixel[colours])
			}
		}
	})
	if err == nil {
		flush()
	}
	return cmp.Or(fault, err)
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
func writeTIFF(w io.Writer, p *Picture, o SaveOptions) error {
	options := tiff.Options{
		Bits: 8, Profile: colour.SRGBProfile(), Resolution: o.DPI, Software: o.Made.Software, Packet: o.Made.Packet,
		Fields: o.EXIF.sized(p.Width, p.Height),
	}
	quantise := o.quantiser()
	if o.Depth == 16 {
		options.Bits = 16
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
					values[x*channels+channel] = uint16(quantise(v, x, y, channel))
				}
			}
		},
	}, options)
}
