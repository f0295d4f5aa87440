package picture

import (
	"bytes"
	"io"

	"github.com/bep/imagemeta"
	"golang.org/x/image/riff"
)

// orientation reads the EXIF orientation, 1 to 8. A file whose metadata is
// absent or damaged is taken as upright, 1.
func (f *format) orientation(data []byte) int {
	found := 1
	metadata := f.metadata
	if metadata == imagemeta.WebP {
		// imagemeta 1.0.1 loses its way in a WebP file after a chunk of odd length.
		// The chunk that holds the EXIF data is a small TIFF file.
		data, metadata = webpEXIF(data), imagemeta.TIFF
	}
	// The error is of no use: the pixels are sound, and most files have no EXIF.
	_, _ = imagemeta.Decode(imagemeta.Options{
		R:           bytes.NewReader(data),
		ImageFormat: metadata,
		Sources:     imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool {
			// IFD1 describes the thumbnail.
			return tag.Tag == "Orientation" && tag.Namespace == "IFD0"
		},
		HandleTag: func(tag imagemeta.TagInfo) error {
			if value, ok := tag.Value.(uint16); ok && value >= 1 && value <= 8 {
				found = int(value)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return found
}

// webpEXIF returns the EXIF chunk of a WebP file, or nothing.
func webpEXIF(data []byte) []byte {
	_, chunks, err := riff.NewReader(bytes.NewReader(data))
	for err == nil {
		var id riff.FourCC
		var chunk io.Reader
		if id, _, chunk, err = chunks.Next(); err == nil && id == (riff.FourCC{'E', 'X', 'I', 'F'}) {
			exif, _ := io.ReadAll(chunk)
			return bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))
		}
	}
	return nil
}

// turn is how a stored picture becomes upright: pixel (x, y) of the upright
// one is (x, y) of the stored one, with x and y exchanged first and then
// counted from the far side, as told.
type turn struct {
	exchange, farX, farY bool
}

// turns are indexed by EXIF orientation.
var turns = [9]turn{
	2: {farX: true},
	3: {farX: true, farY: true},
	4: {farY: true},
	5: {exchange: true},
	6: {exchange: true, farY: true},
	7: {exchange: true, farX: true, farY: true},
	8: {exchange: true, farX: true},
}

// upright returns the picture turned as its EXIF orientation asks.
func (p *Picture) upright(orientation int) *Picture {
	t := turns[orientation]
	if t == (turn{}) {
		return p
	}
	width, height := p.Width, p.Height
	if t.exchange {
		width, height = height, width
	}
	turned := &Picture{Width: width, Height: height, RGB: make([]float32, len(p.RGB))}
	i := 0
	for plane := range 3 {
		stored := p.RGB[plane*width*height:]
		for y := range height {
			for x := range width {
				sx, sy := x, y
				if t.exchange {
					sx, sy = y, x
				}
				if t.farX {
					sx = p.Width - 1 - sx
				}
				if t.farY {
					sy = p.Height - 1 - sy
				}
				turned.RGB[i] = stored[sy*p.Width+sx]
				i++
			}
		}
	}
	return turned
}
