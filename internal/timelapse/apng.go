package timelapse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"io"

	"impasto/internal/picture"
)

// pngSignature is what every PNG begins with.
const pngSignature = "\x89PNG\r\n\x1a\n"

// encodeAPNG makes an animated PNG (PNG, third edition 2025, section 11.3.6): the chunks of a
// PNG of each frame, of which all but the first have their pixels in other chunks.
func encodeAPNG(w io.Writer, f *frames) error {
	data := make([]byte, f.bytes())
	img := image.NewNRGBA(image.Rect(0, 0, f.width, f.height))
	sequence := uint32(0)
	for i := range f.count {
		if err := f.read(i, data); err != nil {
			return err
		}
		for k := range f.width * f.height {
			copy(img.Pix[4*k:], data[3*k:3*k+3])
			img.Pix[4*k+3] = 255
		}
		var still bytes.Buffer
		if err := png.Encode(&still, img); err != nil {
			return err
		}
		chunks, err := chunksOf(still.Bytes())
		if err != nil {
			return err
		}
		if i == 0 {
			if _, err := io.WriteString(w, pngSignature); err != nil {
				return err
			}
			if err := writeChunk(w, "IHDR", chunks[0].data); err != nil {
				return err
			}
			counts := binary.BigEndian.AppendUint32(nil, uint32(f.count))
			if err := writeChunk(w, "acTL", binary.BigEndian.AppendUint32(counts, 0)); err != nil { // again and again
				return err
			}
			if err := writeChunk(w, "sRGB", []byte{0}); err != nil {
				return err
			}
		}
		if err := writeFrame(w, f, i, chunks, &sequence); err != nil {
			return err
		}
	}
	return writeChunk(w, "IEND", nil)
}

// writeFrame writes the chunks of one frame.
func writeFrame(w io.Writer, f *frames, index int, chunks []chunk, sequence *uint32) error {
	number := func() []byte {
		*sequence++
		return binary.BigEndian.AppendUint32(nil, *sequence-1)
	}
	control := number()
	for _, v := range []uint32{uint32(f.width), uint32(f.height), 0, 0} {
		control = binary.BigEndian.AppendUint32(control, v)
	}
	delay := uint16(1000 / rate) // in thousandths of a second
	if index == f.count-1 {
		delay = 1000 * lastSeconds
	}
	control = binary.BigEndian.AppendUint16(control, delay)
	control = binary.BigEndian.AppendUint16(control, 1000)
	control = append(control, 0, 0) // frames stay, and replace
	if err := writeChunk(w, "fcTL", control); err != nil {
		return err
	}
	for _, c := range chunks {
		if c.kind != "IDAT" {
			continue
		}
		kind, data := "IDAT", c.data
		if index > 0 {
			kind, data = "fdAT", append(number(), c.data...)
		}
		if err := writeChunk(w, kind, data); err != nil {
			return err
		}
	}
	return nil
}

// chunk is one of a PNG.
type chunk struct {
	kind string
	data []byte
}

// chunksOf are the chunks of a PNG.
func chunksOf(file []byte) (chunks []chunk, err error) {
	rest, ok := bytes.CutPrefix(file, []byte(pngSignature))
	for ok && len(rest) >= 12 {
		length := binary.BigEndian.Uint32(rest)
		if uint64(length)+12 > uint64(len(rest)) {
			break
		}
		chunks = append(chunks, chunk{string(rest[4:8]), rest[8 : 8+length]})
		rest = rest[12+length:]
	}
	if len(chunks) == 0 || len(rest) > 0 || chunks[0].kind != "IHDR" {
		return nil, errors.New("a frame isn't the PNG that it was made")
	}
	return chunks, nil
}

func writeChunk(w io.Writer, kind string, data []byte) error {
	_, err := w.Write(picture.PNGChunk(kind, data))
	return err
}
