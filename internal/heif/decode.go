package heif

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
)

var errMemory = fmt.Errorf("%w: it needs more memory than a picture of its size should", ErrDamaged)

// Decode reads the pixels, of 8 bits a channel or, in AVIF, of up to 16. It ends
// with ctx, with its cause as the error.
func (h *Header) Decode(ctx context.Context) (image.Image, error) {
	img, err := h.decode(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && h.cut:
		return nil, ErrTruncated
	}
	return img, err
}

func (h *Header) decode(ctx context.Context) (image.Image, error) {
	if h.avif {
		img, err := h.decodeAVIF(ctx)
		return crop(img, h.aperture), err
	}
	// Width, height, colour space, chroma format, whether alpha is premultiplied.
	file := h.file
	if h.tile != nil {
		file = h.tile
	}
	m, in, out, err := h.start(ctx, libheif, file, 5)
	if err != nil {
		return nil, err
	}
	defer m.close()
	img, err := h.decodeHEIC(m, in, len(file), out)
	if err != nil || h.alpha == 0 {
		return img, err
	}
	// The decoder knows only a file's primary picture, so the opacity becomes that.
	if h.tile != nil {
		if in, err = m.load(h.file); err != nil {
			return nil, err
		}
	}
	number := binary.BigEndian.AppendUint32(nil, uint32(h.alpha))[4-h.primaryLen:]
	if !m.Memory().Write(in+uint32(h.primaryAt), number) {
		return nil, ErrDamaged
	}
	opacity, err := h.decodeHEIC(m, in, len(h.file), out)
	if err != nil {
		return nil, fmt.Errorf("its opacity: %w", err)
	}
	return withAlpha(img, opacity)
}

// withAlpha gives an image its opacity, which is the luma of another.
func withAlpha(img, opacity image.Image) (image.Image, error) {
	if img.Bounds() != opacity.Bounds() {
		return nil, fmt.Errorf("%w: its opacity has another size", ErrDamaged)
	}
	var alpha []byte
	var stride int
	switch m := opacity.(type) {
	case *image.Gray:
		alpha, stride = m.Pix, m.Stride
	case *image.YCbCr:
		alpha, stride = m.Y, m.YStride
	default:
		return img, nil
	}
	switch m := img.(type) {
	case *image.YCbCr:
		return &image.NYCbCrA{YCbCr: *m, A: alpha, AStride: stride}, nil
	case *image.Gray:
		blank := bytes.Repeat([]byte{128}, len(m.Pix))
		grey := image.YCbCr{
			Y: m.Pix, Cb: blank, Cr: blank, YStride: m.Stride, CStride: m.Stride,
			SubsampleRatio: image.YCbCrSubsampleRatio444, Rect: m.Rect,
		}
		return &image.NYCbCrA{YCbCr: grey, A: alpha, AStride: stride}, nil
	}
	return img, nil // RGB comes with its opacity
}

// start starts a decoder and gives it the file and room for some numbers that it
// returns.
func (h *Header) start(ctx context.Context, program, file []byte, numbers int64) (m *module, in, out uint32, err error) {
	m, err = newModule(ctx, program, h.Memory)
	if err != nil {
		return nil, 0, 0, err
	}
	if in, err = m.load(file); err == nil {
		out, err = m.allocate(4 * numbers)
	}
	if err != nil {
		_ = m.close()
		return nil, 0, 0, err
	}
	return m, in, out, nil
}

// numbers reads 32-bit numbers from the decoder's memory.
func (m *module) numbers(at uint32, n int) ([]int, error) {
	values := make([]int, n)
	for i := range values {
		v, ok := m.Memory().ReadUint32Le(at + uint32(4*i))
		if !ok {
			return nil, ErrDamaged
		}
		values[i] = int(v)
	}
	return values, nil
}

// decode calls the decoder's only function, which says whether it succeeded.
func (m *module) decode(arguments ...uint64) error {
	if done, err := m.call("decode", arguments...); err != nil {
		return err
	} else if done == 0 {
		return ErrDamaged
	}
	return nil
}

// checkSize holds a decoder's claim against the header's, by which memory was
// weighed.
func (h *Header) checkSize(width, height int) error {
	if width < 1 || height < 1 || width > h.Width*h.Height/height {
		return fmt.Errorf("%w: it has %d×%d pixels and claims %d×%d", ErrDamaged, width, height, h.Width, h.Height)
	}
	return nil
}

func (h *Header) decodeAVIF(ctx context.Context) (image.Image, error) {
	// Width, height, bits a channel, number of frames; a frame's duration.
	m, in, out, err := h.start(ctx, libavif, h.file, 6)
	if err != nil {
		return nil, err
	}
	defer m.close()
	decode := func(headerOnly uint64, pixels uint32) error {
		return m.decode(uint64(in), uint64(len(h.file)), headerOnly, 0,
			uint64(out), uint64(out+4), uint64(out+8), uint64(out+12), uint64(out+16), uint64(pixels))
	}
	if err := decode(1, 0); err != nil {
		return nil, err
	}
	said, err := m.numbers(out, 3)
	if err != nil {
		return nil, err
	}
	width, height, bits := said[0], said[1], said[2]
	if err := h.checkSize(width, height); err != nil {
		return nil, err
	}
	stride := 4 * width
	if bits > 8 {
		stride *= 2
	}
	pixels, err := m.allocate(int64(stride) * int64(height))
	if err != nil {
		return nil, err
	}
	if err := decode(0, pixels); err != nil {
		return nil, err
	}
	pix, ok := m.Memory().Read(pixels, uint32(stride*height))
	if !ok {
		return nil, ErrDamaged
	}
	bounds := image.Rect(0, 0, width, height)
	if bits <= 8 {
		return &image.RGBA{Pix: pix, Stride: stride, Rect: bounds}, nil
	}
	for i := 0; i < len(pix); i += 2 {
		pix[i], pix[i+1] = pix[i+1], pix[i] // the sandbox is little-endian
	}
	return &image.RGBA64{Pix: pix, Stride: stride, Rect: bounds}, nil
}

// The decoder's names for what it returns, as libheif has them.
const (
	spaceYCbCr, spaceRGB, spaceGrey = 0, 1, 2
)

// chromaRatios are indexed by libheif's number of a chroma format.
var chromaRatios = []image.YCbCrSubsampleRatio{
	1: image.YCbCrSubsampleRatio420, 2: image.YCbCrSubsampleRatio422, 3: image.YCbCrSubsampleRatio444,
}

// rowBytes is what a row of libheif's planes takes: at least 64 pixels, an even
// number of them, and a multiple of 16 bytes.
func rowBytes(width, pixelBytes int) int {
	return (max(width+width&1, 64)*pixelBytes + 15) &^ 15
}

func (h *Header) decodeHEIC(m *module, in uint32, length int, out uint32) (image.Image, error) {
	decode := func(headerOnly uint64, pixels uint32) error {
		return m.decode(uint64(in), uint64(length), headerOnly,
			uint64(out), uint64(out+4), uint64(out+8), uint64(out+12), uint64(out+16), uint64(pixels))
	}
	if err := decode(1, 0); err != nil {
		return nil, err
	}
	said, err := m.numbers(out, 5)
	if err != nil {
		return nil, err
	}
	width, height, space, chroma, premultiplied := said[0], said[1], said[2], said[3], said[4]
	if err := h.checkSize(width, height); err != nil {
		return nil, err
	}
	bounds := image.Rect(0, 0, width, height)
	luma, chromaStride, chromaSize := rowBytes(width, 1)*height, 0, 0
	var ratio image.YCbCrSubsampleRatio
	switch space {
	case spaceYCbCr:
		if chroma < 1 || chroma >= len(chromaRatios) {
			return nil, Unread(fmt.Sprintf("has the chroma format %d", chroma))
		}
		ratio = chromaRatios[chroma]
		chromaWidth, chromaHeight := width, height
		if chroma < 3 {
			chromaWidth = (width + 1) / 2
		}
		if chroma < 2 {
			chromaHeight = (height + 1) / 2
		}
		chromaStride = rowBytes(chromaWidth, 1)
		chromaSize = chromaStride * chromaHeight
	case spaceRGB:
		luma = rowBytes(width, 4) * height
	case spaceGrey:
	default:
		return nil, Unread(fmt.Sprintf("has the colour space %d", space))
	}
	size := luma + 2*chromaSize
	pixels, err := m.allocate(int64(size))
	if err != nil {
		return nil, err
	}
	if err := decode(0, pixels); err != nil {
		return nil, err
	}
	pix, ok := m.Memory().Read(pixels, uint32(size))
	if !ok {
		return nil, ErrDamaged
	}
	switch {
	case space == spaceYCbCr:
		return &image.YCbCr{
			Y: pix[:luma:luma], Cb: pix[luma : luma+chromaSize : luma+chromaSize], Cr: pix[luma+chromaSize:],
			YStride: rowBytes(width, 1), CStride: chromaStride, SubsampleRatio: ratio, Rect: bounds,
		}, nil
	case space == spaceGrey:
		return &image.Gray{Pix: pix, Stride: rowBytes(width, 1), Rect: bounds}, nil
	case premultiplied == 1:
		return &image.RGBA{Pix: pix, Stride: rowBytes(width, 4), Rect: bounds}, nil
	}
	return &image.NRGBA{Pix: pix, Stride: rowBytes(width, 4), Rect: bounds}, nil
}
