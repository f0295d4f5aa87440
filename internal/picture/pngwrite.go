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
func writePNG(w io.Writer, p *Picture, o SaveOptions) error {
	var img image.Image = p
	if o.Depth != 16 {
		img = rounded{p, o.quantiser()}
	}
	return png.Encode(&pngTagger{w: w, chunks: append(pngColourSpace(), o.pngChunks(p)...)}, img)
}

// rounded is a picture in 8 bits a channel.
type rounded struct {
	*Picture
	quantise quantiser
}

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
	c.R = uint8(r.quantise(r.RGB[i], x, y, 0))
	c.G = uint8(r.quantise(r.RGB[n+i], x, y, 1))
	c.B = uint8(r.quantise(r.RGB[2*n+i], x, y, 2))
	if r.Opaque() {
		return color.RGBA(c)
	}
	c.A = uint8(level(r.Alpha[i], math.MaxUint8))
	return c
}

// pngHead is the length of a PNG file's signature and first chunk, in bytes.
const pngHead = 8 + 12 + 13

// pngTagger writes a PNG file on, with more chunks after the first.
type pngTagger struct {
	w       io.Writer
	chunks  []byte
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
		if _, err := t.w.Write(t.chunks); err != nil {
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
	chunks := PNGChunk("sRGB", []byte{perceptual})
	chunks = append(chunks, PNGChunk("gAMA", binary.BigEndian.AppendUint32(nil, 45455))...)
	return append(chunks, PNGChunk("cHRM", numbers)...)
}

// pngChunks are the chunks of what the file says besides.
func (o SaveOptions) pngChunks(p *Picture) []byte {
	var chunks []byte
	if o.DPI > 0 {
		const metre = 1
		body := binary.BigEndian.AppendUint32(nil, uint32(math.Round(o.DPI/inch)))
		body = append(binary.BigEndian.AppendUint32(body, uint32(math.Round(o.DPI/inch))), metre)
		chunks = append(chunks, PNGChunk("pHYs", body)...)
	}
	if fields := o.EXIF.sized(p.Width, p.Height); !fields.Empty() {
		chunks = append(chunks, PNGChunk("eXIf", fields.Bytes())...)
	}
	if o.Made.Software != "" {
		chunks = append(chunks, PNGChunk("tEXt", []byte(pngSoftware+"\x00"+o.Made.Software))...)
	}
	if o.Made.Document != "" {
		// Neither compressed nor in a language, and the keyword isn't translated.
		chunks = append(chunks, PNGChunk("iTXt", []byte(pngDocument+"\x00\x00\x00\x00\x00"+o.Made.Document))...)
	}
	return chunks
}

// PNGChunk is a chunk of a PNG, of four letters and a body.
func PNGChunk(kind string, body []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, kind...), body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}
