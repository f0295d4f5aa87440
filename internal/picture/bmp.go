package picture

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"slices"

	"golang.org/x/image/bmp"

	"impasto/internal/regular"
)

// The parts of a BMP file: a file header, an information header of one of many
// lengths, a palette, and rows of pixels somewhere after that.
const (
	bmpFileHeader = 14
	bmpCoreHeader = 12 // of OS/2, with shorter fields
	bmpInfoHeader = 40
	bmpV4Header   = 108
)

// bitmap is what a BMP file says of itself.
type bitmap struct {
	width, height int // height is negative where the first row is the uppermost
	bits          int // a pixel
	compression   uint32
	masks         [4]uint32 // of red, green, blue and opacity, where there are some
	palette       []byte    // blue, green, red and a byte of nothing each
	pixels        []byte
}

func readBMP(file []byte) (*header, error) {
	b, err := parseBMP(file)
	if err != nil {
		return nil, err
	}
	alpha, err := b.check()
	if err != nil {
		return nil, err
	}
	h := &header{width: b.width, height: max(b.height, -b.height)}
	pixelBytes := int64(4)
	if b.bits <= 8 {
		pixelBytes = 1
	}
	h.memory = pixelBytes * int64(h.width) * int64(h.height)
	row := (int64(h.width)*int64(b.bits) + 31) / 32 * 4
	h.decode = func(ctx context.Context) (image.Image, error) {
		if int64(len(b.pixels)) < row*int64(h.height) {
			return nil, errTruncated
		}
		return bmp.Decode(regular.Reader(ctx, chain(b.plainHeader(alpha), b.pixels)))
	}
	return h, nil
}

func parseBMP(file []byte) (*bitmap, error) {
	if len(file) < bmpFileHeader+bmpCoreHeader {
		return nil, errTruncated
	}
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	b := &bitmap{}
	length := int64(u32(file[bmpFileHeader:]))
	info := file[bmpFileHeader:]
	colours, colourBytes := int64(0), int64(4)
	switch {
	case length == bmpCoreHeader:
		b.width, b.height, b.bits = int(u16(info[4:])), int(int16(u16(info[6:]))), int(u16(info[10:]))
		colourBytes = 3
	case length < bmpInfoHeader:
		return nil, fmt.Errorf("%w: its header has %d bytes", errDamaged, length)
	case int64(len(info)) < length:
		return nil, errTruncated
	default:
		b.width, b.height, b.bits = int(int32(u32(info[4:]))), int(int32(u32(info[8:]))), int(u16(info[14:]))
		b.compression, colours = u32(info[16:]), int64(u32(info[32:]))
		if masks := info[bmpInfoHeader:]; len(masks) >= 16 { // in a longer header, or after it
			b.masks = [4]uint32{u32(masks), u32(masks[4:]), u32(masks[8:])}
			if length > 52 || b.compression == 6 {
				b.masks[3] = u32(masks[12:])
			}
		}
	}
	if b.bits <= 8 {
		if colours == 0 || colours > 256 {
			colours = 1 << b.bits
		}
		palette := file[min(bmpFileHeader+length, int64(len(file))):]
		palette = palette[:min(colours*colourBytes, int64(len(palette)))]
		for colour := range slices.Chunk(palette, int(colourBytes)) {
			if len(colour) >= 3 {
				b.palette = append(b.palette, colour[0], colour[1], colour[2], 0)
			}
		}
	}
	if at := int64(u32(file[10:])); at < int64(len(file)) {
		b.pixels = file[at:]
	}
	return b, nil
}

// check refuses kinds that are not read, and tells whether there is opacity.
func (b *bitmap) check() (alpha bool, err error) {
	const rgb, fields, alphaFields = 0, 3, 6
	switch b.compression {
	case rgb, fields, alphaFields:
	case 1, 2:
		return false, unread("is run-length-compressed")
	case 4, 5:
		return false, unread("has a JPEG or PNG inside")
	default:
		return false, unread(fmt.Sprintf("has compression %d", b.compression))
	}
	switch b.bits {
	case 1, 4, 8, 24:
		return false, nil
	case 32:
		if b.compression == rgb {
			return false, nil
		}
		if b.masks[0] != 0xff0000 || b.masks[1] != 0xff00 || b.masks[2] != 0xff {
			return false, unread("has its channels in an unusual order")
		}
		return b.masks[3] == 0xff000000, nil
	}
	return false, unread(fmt.Sprintf("has %d bits a pixel", b.bits))
}

// plainHeader is the header as package bmp wants it: no gap before the pixels,
// a whole palette, and a longer header where there is opacity.
func (b *bitmap) plainHeader(alpha bool) []byte {
	length := bmpInfoHeader
	if alpha {
		length = bmpV4Header
	}
	var palette []byte
	if b.bits <= 8 {
		palette = make([]byte, 4<<b.bits)
		copy(palette, b.palette)
	}
	u16, u32 := binary.LittleEndian.PutUint16, binary.LittleEndian.PutUint32
	h := make([]byte, bmpFileHeader+length)
	copy(h, "BM")
	u32(h[10:], uint32(len(h)+len(palette)))
	u32(h[14:], uint32(length))
	u32(h[18:], uint32(int32(b.width)))
	u32(h[22:], uint32(int32(b.height)))
	u16(h[26:], 1)
	u16(h[28:], uint16(b.bits))
	return append(h, palette...)
}
