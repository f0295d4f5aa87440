package picture

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
)

// pnmMagic are the beginnings of PBM, PGM and PPM files, each as text and in
// binary.
var pnmMagic = []string{
	"P1 ", "P1\t", "P1\r", "P1\n", "P1#", "P2 ", "P2\t", "P2\r", "P2\n", "P2#",
	"P3 ", "P3\t", "P3\r", "P3\n", "P3#", "P4 ", "P4\t", "P4\r", "P4\n", "P4#",
	"P5 ", "P5\t", "P5\r", "P5\n", "P5#", "P6 ", "P6\t", "P6\r", "P6\n", "P6#",
}

// pnm reads values from a PNM file.
type pnm struct {
	kind    byte // '1' to '6'
	rest    []byte
	highest int // of a value; 1 in bitmaps
}

func readPNM(file []byte) (*header, error) {
	p := &pnm{kind: file[1], rest: file[2:], highest: 1}
	h := &header{}
	fields := []*int{&h.width, &h.height, &p.highest}
	if p.isBitmap() {
		fields = fields[:2]
	}
	for _, field := range fields {
		value, err := p.number(math.MaxInt)
		if err != nil {
			return nil, err
		}
		*field = value
	}
	if p.highest < 1 || p.highest > math.MaxUint16 {
		return nil, fmt.Errorf("%w: its highest value is %d; want 1 to 65535", errDamaged, p.highest)
	}
	if p.isBinary() {
		p.rest = p.rest[min(1, len(p.rest)):] // one white space
	}
	const pixelBytes = 8
	h.memory = pixelBytes * int64(h.width) * int64(h.height)
	h.decode = func(ctx context.Context) (image.Image, error) {
		img := image.NewRGBA64(image.Rect(0, 0, h.width, h.height))
		for y := range h.height {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err := p.row(img, y); err != nil {
				return nil, err
			}
		}
		return img, nil
	}
	return h, nil
}

func (p *pnm) isBitmap() bool { return p.kind == '1' || p.kind == '4' }
func (p *pnm) isBinary() bool { return p.kind >= '4' }
func (p *pnm) isColour() bool { return p.kind == '3' || p.kind == '6' }

// row reads a row of the image.
func (p *pnm) row(img *image.RGBA64, y int) error {
	width := img.Rect.Dx()
	if p.kind == '4' {
		bytes := (width + 7) / 8
		if len(p.rest) < bytes {
			return errTruncated
		}
		for x := range width {
			bit := p.rest[x/8] >> (7 - x%8) & 1
			img.SetRGBA64(x, y, grey16(math.MaxUint16*(1-uint16(bit))))
		}
		p.rest = p.rest[bytes:]
		return nil
	}
	for x := range width {
		c := color.RGBA64{A: math.MaxUint16}
		v, err := p.value()
		if err != nil {
			return err
		}
		if c = grey16(v); p.isColour() {
			if c.G, err = p.value(); err != nil {
				return err
			}
			if c.B, err = p.value(); err != nil {
				return err
			}
		}
		img.SetRGBA64(x, y, c)
	}
	return nil
}

func grey16(v uint16) color.RGBA64 {
	return color.RGBA64{R: v, G: v, B: v, A: math.MaxUint16}
}

// value reads a channel of a pixel, scaled to 16 bits.
func (p *pnm) value() (uint16, error) {
	v, err := 0, error(nil)
	switch {
	case !p.isBinary() && p.isBitmap():
		v, err = p.number(1)
		v = 1 - min(v, 1) // 1 is black
	case !p.isBinary():
		v, err = p.number(math.MaxInt)
	case p.highest > math.MaxUint8 && len(p.rest) >= 2:
		v, p.rest = int(p.rest[0])<<8|int(p.rest[1]), p.rest[2:]
	case p.highest <= math.MaxUint8 && len(p.rest) >= 1:
		v, p.rest = int(p.rest[0]), p.rest[1:]
	default:
		err = errTruncated
	}
	return uint16((min(v, p.highest)*math.MaxUint16 + p.highest/2) / p.highest), err
}

// number reads a number in text, of so many digits at most, after white space
// and comments.
func (p *pnm) number(digits int) (int, error) {
	for len(p.rest) > 0 {
		switch c := p.rest[0]; {
		case c == '#':
			for len(p.rest) > 0 && p.rest[0] != '\n' && p.rest[0] != '\r' {
				p.rest = p.rest[1:]
			}
		case c == ' ' || c >= '\t' && c <= '\r':
			p.rest = p.rest[1:]
		case c >= '0' && c <= '9':
			value := 0
			for ; digits > 0 && len(p.rest) > 0 && p.rest[0] >= '0' && p.rest[0] <= '9'; digits-- {
				value = min(10*value+int(p.rest[0]-'0'), math.MaxInt32)
				p.rest = p.rest[1:]
			}
			return value, nil
		default:
			return 0, fmt.Errorf("%w: it has %q where a number should be", errDamaged, c)
		}
	}
	return 0, errTruncated
}
