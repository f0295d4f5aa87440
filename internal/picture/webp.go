package picture

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/webp"

	"impasto/internal/regular"
)

// webpChunk is a chunk of a RIFF file: four letters and a body.
type webpChunk struct {
	kind string
	body []byte
	cut  bool // the file ends before the body does
}

// webpChunks splits a file's contents into chunks.
func webpChunks(data []byte) []webpChunk {
	var chunks []webpChunk
	for len(data) >= 8 {
		length := uint64(binary.LittleEndian.Uint32(data[4:]))
		kind, body := string(data[:4]), data[8:]
		cut := length > uint64(len(body))
		if cut {
			length = uint64(len(body))
		}
		chunks = append(chunks, webpChunk{kind, body[:length], cut})
		data = body[min(length+length&1, uint64(len(body))):]
	}
	return chunks
}

// webpFrame is a picture in a WebP file.
type webpFrame struct {
	place    image.Rectangle // on the canvas
	alpha    *webpChunk      // the opacity of lossy pixels, nil for all
	bitmap   *webpChunk
	animated bool
}

func readWebP(file []byte) (*header, error) {
	h := &header{yuv: studioRange, bits: 8}
	var frame webpFrame
	chunks := webpChunks(file[12:])
	for _, c := range chunks {
		switch c.kind {
		case "VP8X":
			if len(c.body) < 10 {
				return nil, errTruncated
			}
			h.width, h.height = 1+u24(c.body[4:]), 1+u24(c.body[7:])
		case "ICCP":
			h.profile = c.body
		case "XMP ":
			h.packet = c.body
		case "EXIF":
			h.orientation, h.exif = exifOrientation(c.body), c.body
		case "ANMF":
			if frame.bitmap == nil && !frame.animated {
				if len(c.body) < 16 {
					return nil, errTruncated
				}
				x, y := 2*u24(c.body), 2*u24(c.body[3:])
				frame = webpFrame{animated: true}
				frame.take(webpChunks(c.body[16:]))
				frame.place = image.Rect(x, y, x+1+u24(c.body[6:]), y+1+u24(c.body[9:]))
				h.remarks = append(h.remarks, animationRemark)
			}
		}
	}
	if !frame.animated {
		frame.take(chunks)
	}
	if frame.bitmap == nil {
		return nil, errTruncated
	}
	if frame.bitmap.cut || frame.alpha != nil && frame.alpha.cut {
		return nil, errTruncated
	}
	config, err := webp.DecodeConfig(frame.file(0, 0))
	if err != nil {
		return nil, err
	}
	if h.width == 0 {
		h.width, h.height = config.Width, config.Height
	}
	if !frame.animated {
		frame.place = image.Rect(0, 0, config.Width, config.Height)
	}
	if frame.place.Dx() != config.Width || frame.place.Dy() != config.Height ||
		!frame.place.In(image.Rect(0, 0, h.width, h.height)) {
		return nil, fmt.Errorf("%w: a frame of %d×%d pixels doesn't fit its place", errDamaged, config.Width, config.Height)
	}
	const pixelBytes = 20 // lossless pixels and their transformed copies, or chroma in float32 on its way
	h.memory = pixelBytes * int64(config.Width) * int64(config.Height)
	h.decode = func(ctx context.Context) (image.Image, error) {
		img, err := webp.Decode(regular.Reader(ctx, frame.file(config.Width, config.Height)))
		if err != nil {
			return nil, err
		}
		return onCanvas(img, frame.place.Min, h.width, h.height), nil
	}
	return h, nil
}

func u24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// take finds the frame's chunks among others.
func (f *webpFrame) take(chunks []webpChunk) {
	for i := range chunks {
		switch c := &chunks[i]; c.kind {
		case "ALPH":
			if f.alpha == nil && f.bitmap == nil {
				f.alpha = c
			}
		case "VP8 ", "VP8L":
			if f.bitmap == nil {
				f.bitmap = c
			}
		}
	}
}

// file is a still WebP file of the frame, with its opacity where its size is
// given.
func (f *webpFrame) file(width, height int) io.Reader {
	contents := []byte("WEBP")
	length := 0
	var parts [][]byte
	add := func(kind string, body []byte) {
		header := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
		parts = append(parts, header, body, make([]byte, len(body)&1))
		length += len(header) + len(body) + len(body)&1
	}
	if f.alpha != nil && f.bitmap.kind == "VP8 " && width > 0 {
		const hasAlpha = 1 << 4
		extended := binary.LittleEndian.AppendUint32([]byte{hasAlpha, 0, 0, 0}, uint32(width-1))
		extended = binary.LittleEndian.AppendUint32(extended[:7], uint32(height-1))
		add("VP8X", extended[:10])
		add("ALPH", f.alpha.body)
	}
	add(f.bitmap.kind, f.bitmap.body)
	start := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(contents)+length))
	return chain(append([][]byte{start, contents}, parts...)...)
}
