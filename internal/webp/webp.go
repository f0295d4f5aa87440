// Package webp writes WebP files by libwebp, which runs in a sandbox.
//
// The program is that of the Go module github.com/gen2brain/webp, without the module
// itself: that one loads a shared library where it finds one, whose version nobody knows,
// and what it writes would depend on it. In the sandbox every processor writes the same
// bytes.
package webp

import (
	"context"
	_ "embed" // for the encoder
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"impasto/internal/sandbox"
)

//go:generate go run generate.go

//go:embed libwebp.wasm.gz
var libwebp []byte

// MaxSide is the largest width and height that the format has.
const MaxSide = 1<<14 - 1

// MaxPixels is the largest picture that is written, which takes 2 GiB of memory.
const MaxPixels = 1 << 25

// BytesPerPixel is more than the encoder takes. Of 2 million pixels of noise it took 43
// without loss and 29 with, and 48 where their alpha was noise too.
const BytesPerPixel = 64

// Options say how a file is written.
type Options struct {
	// Quality is 1–100, of the lossy kind, in which four pixels share their chroma; 0 keeps
	// every value.
	Quality int
	Profile []byte // an ICC profile of the colours, or nil
	EXIF    []byte // EXIF data, a small TIFF file, or nil
	Packet  []byte // an XMP packet, or nil
}

// Encode writes a picture of width×height pixels, each of red, green, blue and alpha, which
// they aren't multiplied by. It takes BytesPerPixel of memory at most, and 64 MiB, and ends with ctx.
func Encode(ctx context.Context, w io.Writer, width, height int, pixels []byte, o Options) error {
	switch {
	case width < 1 || height < 1 || width > MaxSide || height > MaxSide:
		return fmt.Errorf("webp: %d×%d pixels; want 1 to %d a side", width, height, MaxSide)
	case width*height > MaxPixels:
		return fmt.Errorf("webp: %d×%d pixels; want %d in all at most", width, height, MaxPixels)
	case len(pixels) != 4*width*height:
		return fmt.Errorf("webp: %d bytes of pixels; want %d", len(pixels), 4*width*height)
	case o.Quality < 0 || o.Quality > 100:
		return fmt.Errorf("webp: quality %d; want 0–100", o.Quality)
	}
	bitmap, err := encode(ctx, width, height, pixels, o.Quality)
	if err != nil {
		return fmt.Errorf("webp: %w", err)
	}
	_, err = w.Write(file(bitmap, width, height, o))
	return err
}

// encode returns a file of pixels alone.
func encode(ctx context.Context, width, height int, pixels []byte, quality int) ([]byte, error) {
	m, err := sandbox.Start(ctx, libwebp, int64(len(pixels))/4*BytesPerPixel+1<<26)
	if err != nil {
		return nil, err
	}
	defer m.End()
	in, err := m.Load(pixels)
	if err != nil {
		return nil, err
	}
	length, err := m.Allocate(8)
	if err != nil {
		return nil, err
	}
	// Of the lossless kind, quality is how much effort is made. Colours of what is
	// transparent are kept (exact).
	const rgba, method, exact, effort = 0, 4, 1, 75
	lossless := uint64(0)
	if quality == 0 {
		quality, lossless = effort, 1
	}
	out, err := m.Call("encode", uint64(in), uint64(width), uint64(height), uint64(length), rgba, uint64(quality), method, lossless, exact)
	if err != nil {
		return nil, err
	}
	if out == 0 {
		return nil, errors.New("libwebp can't encode the picture")
	}
	size, ok := m.Memory().ReadUint32Le(length)
	if !ok {
		return nil, sandbox.ErrTrap
	}
	data, ok := m.Memory().Read(out, size)
	if !ok || len(data) < 12 {
		return nil, sandbox.ErrTrap
	}
	return append([]byte(nil), data...), nil
}

// Flags of the chunk VP8X.
const (
	flagXMP     = 1 << 2
	flagEXIF    = 1 << 3
	flagAlpha   = 1 << 4
	flagProfile = 1 << 5
)

// file puts what there is to say round the chunks of pixels, in the order that the format
// demands.
func file(bitmap []byte, width, height int, o Options) []byte {
	chunks := bitmap[12:]
	flags := byte(0)
	if len(chunks) >= 8+10 && string(chunks[:4]) == "VP8X" {
		flags = chunks[8] & flagAlpha
		chunks = chunks[8+10:]
	} else if len(chunks) >= 8+5 && string(chunks[:4]) == "VP8L" && chunks[8+4]&(1<<4) != 0 {
		flags = flagAlpha
	}
	for _, part := range []struct {
		data []byte
		flag byte
	}{{o.Profile, flagProfile}, {o.EXIF, flagEXIF}, {o.Packet, flagXMP}} {
		if len(part.data) > 0 {
			flags |= part.flag
		}
	}
	size := binary.LittleEndian.AppendUint32([]byte{flags, 0, 0, 0}, uint32(width-1))[:7]
	size = binary.LittleEndian.AppendUint32(size, uint32(height-1))[:10]
	body := []byte("WEBP")
	body = appendChunk(body, "VP8X", size)
	body = appendChunk(body, "ICCP", o.Profile)
	body = append(body, chunks...)
	body = appendChunk(body, "EXIF", o.EXIF)
	body = appendChunk(body, "XMP ", o.Packet)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// appendChunk appends a chunk, unless it is empty.
func appendChunk(to []byte, kind string, data []byte) []byte {
	if len(data) == 0 {
		return to
	}
	to = binary.LittleEndian.AppendUint32(append(to, kind...), uint32(len(data)))
	to = append(to, data...)
	if len(data)%2 == 1 {
		to = append(to, 0)
	}
	return to
}
