package picture

import (
	"context"
	"fmt"
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
	h.stream = func(ctx context.Context, put bandFunc) error {
		reader := *p
		rows := bandRows(h.width, h.height)
		band := newBand(h.width, rows, false)
		return rowsOf(ctx, h.height, rows, func(y, rows int) error {
			band.cut(rows)
			for i := range rows {
				if err := reader.row(band, i); err != nil {
					return err
				}
			}
			return put(y, band)
		})
	}
	return h, nil
}

func (p *pnm) isBitmap() bool { return p.kind == '1' || p.kind == '4' }
func (p *pnm) isBinary() bool { return p.kind >= '4' }
func (p *pnm) isColour() bool { return p.kind == '3' || p.kind == '6' }

// row reads the picture's next row into row y of a band.
func (p *pnm) row(band *Picture, y int) error {
	from := y * band.Width
	if p.kind == '4' {
		bytes := (band.Width + 7) / 8
		if len(p.rest) < bytes {
			return errTruncated
		}
		for x := range band.Width {
			bit := p.rest[x/8] >> (7 - x%8) & 1
			v := math.MaxUint16 * (1 - uint32(bit)) // 1 is black
			band.setPixel(from+x, v, v, v, math.MaxUint16)
		}
		p.rest = p.rest[bytes:]
		return nil
	}
	channels := 1
	if p.isColour() {
		channels = 3
	}
	for x := range band.Width {
		var values [3]uint32
		for i := range channels {
			v, err := p.value()
			if err != nil {
				return err
			}
			values[i] = uint32(v)
		}
		if channels == 1 {
			values[1], values[2] = values[0], values[0]
		}
		band.setPixel(from+x, values[0], values[1], values[2], math.MaxUint16)
	}
	return nil
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
