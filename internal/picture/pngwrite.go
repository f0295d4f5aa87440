package picture

import (
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"impasto/internal/colour"
)

// writePNG writes the picture with 8 or 16 bits a channel. It says that it is sRGB by the
// chunk of that name, and for programs that don't know that by gAMA and cHRM (PNG, third
// edition, 11.3.2.5).
func writePNG(w io.Writer, p *Picture, depth int) error {
	var img image.Image = p
	if depth != 16 {
		img = rounded{p}
	}
	return png.Encode(&pngTagger{w: w}, img)
}

// rounded is a picture in 8 bits a channel.
type rounded struct{ *Picture }

func (r rounded) ColorModel() color.Model {
	if r.Opaque() {
		return color.RGBAModel
	}
	return color.NRGBAModel
}

// At rounds from the plane's values once. The color model of opaque colours is
// premultiplied, which makes no difference to them.
func (r rounded) At(x, y int) color.Color {
	n, i := r.Width*r.Height, y*r.Width+x
	c := color.NRGBA{A: math.MaxUint8}
	c.R = uint8(level(r.RGB[i], math.MaxUint8))
	c.G = uint8(level(r.RGB[n+i], math.MaxUint8))
	c.B = uint8(level(r.RGB[2*n+i], math.MaxUint8))
	if r.Opaque() {
		return color.RGBA(c)
	}
	c.A = uint8(level(r.Alpha[i], math.MaxUint8))
	return c
}

// pngHead is the length of a PNG file's signature and first chunk, in bytes.
const pngHead = 8 + 12 + 13

// pngTagger writes a PNG file on, with the chunks of its colour space after the first.
type pngTagger struct {
	w       io.Writer
	written int
}

func (t *pngTagger) Write(data []byte) (int, error) {
	before := max(0, min(pngHead-t.written, len(data)))
	n, err := t.w.Write(data[:before])
	t.written += n
	if err != nil || t.written < pngHead {
		return n, err
	}
	if n > 0 {
		if _, err := t.w.Write(pngColourSpace()); err != nil {
			return n, err
		}
	}
	m, err := t.w.Write(data[before:])
	return n + m, err
}

// pngColourSpace are the chunks that say sRGB.
func pngColourSpace() []byte {
	var numbers []byte
	s := colour.SRGB
	for _, c := range []colour.Chromaticity{s.White, s.Red, s.Green, s.Blue} {
		for _, v := range []float64{c.X, c.Y} {
			numbers = binary.BigEndian.AppendUint32(numbers, uint32(math.Round(1e5*v)))
		}
	}
	const perceptual = 0
	chunks := pngChunk("sRGB", []byte{perceptual})
	chunks = append(chunks, pngChunk("gAMA", binary.BigEndian.AppendUint32(nil, 45455))...)
	return append(chunks, pngChunk("cHRM", numbers)...)
}

func pngChunk(kind string, body []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, kind...), body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}
