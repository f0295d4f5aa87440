package picture

import (
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"

	"impasto/internal/regular"
)

// The colour types of PNG, third edition, 11.2.1.
const pngGrey, pngRGB, pngPalette, pngGreyAlpha, pngRGBA = 0, 2, 3, 4, 6

// pngSamples are those of a pixel, by colour type.
var pngSamples = map[byte]int{pngGrey: 1, pngRGB: 3, pngPalette: 1, pngGreyAlpha: 2, pngRGBA: 4}

// pngRows reads the pixels of a PNG file row by row.
type pngRows struct {
	width, height int
	depth         int // bits of a sample
	kind          byte
	samples       int      // of a pixel
	palette       *Picture // in a row, or nil
	transparent   []uint32 // the samples of pixels that are transparent, or nil
	data          [][]byte // compressed
}

// rows returns the reader for the file, or nil where package png has to do: for interlaced
// pixels, and for files that have something wrong with their chunks, which it describes.
func (c *pngChunks) rows() *pngRows {
	config, err := png.DecodeConfig(chain(c.pixels...))
	size := c.first["IHDR"]
	if err != nil || size[12] != 0 || c.broken || !c.inOrder() {
		return nil
	}
	r := &pngRows{width: config.Width, height: config.Height, depth: int(size[8]), kind: size[9], samples: pngSamples[size[9]]}
	for _, chunk := range c.pixels[1:] {
		if string(chunk[4:8]) == "IDAT" {
			r.data = append(r.data, chunk[8:len(chunk)-4])
		}
	}
	if colours, ok := config.ColorModel.(color.Palette); ok {
		r.palette = paletteOf(colours)
		return r
	}
	key, keyed := c.first["tRNS"]
	if !keyed {
		return r
	}
	if r.kind != pngGrey && r.kind != pngRGB || len(key) != 2*r.samples {
		return nil
	}
	for i := range r.samples {
		r.transparent = append(r.transparent, uint32(binary.BigEndian.Uint16(key[2*i:]))&(1<<r.depth-1))
	}
	return r
}

// inOrder tells whether the chunks are whole and follow on each other as they should.
func (c *pngChunks) inOrder() bool {
	order := []string{"IHDR", "PLTE", "tRNS", "IDAT", "IEND"}
	last := -1
	for _, chunk := range c.pixels[1:] {
		at := slices.Index(order, string(chunk[4:8]))
		if at < 0 || at < last || at == last && order[at] != "IDAT" {
			return false
		}
		last = at
	}
	return last == len(order)-1
}

// alpha tells whether there may be some.
func (r *pngRows) alpha() bool {
	return r.kind == pngGreyAlpha || r.kind == pngRGBA || r.transparent != nil || r.palette != nil && r.palette.Alpha != nil
}

// rowBytes are those of a row, without its filter's type.
func (r *pngRows) rowBytes() int { return (r.width*r.samples*r.depth + 7) / 8 }

// memory is what stream takes, in bytes.
func (r *pngRows) memory() int64 {
	const inflater = 1 << 17
	return 2*int64(r.rowBytes()) + 4*int64(r.width*r.samples) + inflater
}

var errPixels = fmt.Errorf("%w: not enough pixel data", errDamaged)

// stream hands out the pixels, band by band.
func (r *pngRows) stream(ctx context.Context, put bandFunc) error {
	inflated, err := zlib.NewReader(regular.Reader(ctx, chain(r.data...)))
	if err != nil {
		return pngFault(err)
	}
	row, above := make([]byte, r.rowBytes()), make([]byte, r.rowBytes())
	values := make([]uint32, r.width*r.samples)
	rows := bandRows(r.width, r.height)
	band := newBand(r.width, rows, r.alpha())
	err = rowsOf(ctx, r.height, rows, func(y, rows int) error {
		band.cut(rows)
		for i := range rows {
			var filter [1]byte
			if _, err := io.ReadFull(inflated, filter[:]); err != nil {
				return pngFault(err)
			}
			if _, err := io.ReadFull(inflated, row); err != nil {
				return pngFault(err)
			}
			if err := unfilter(filter[0], row, above, max(1, r.samples*r.depth/8)); err != nil {
				return err
			}
			unpack(values, row, r.depth)
			r.convert(band, i*r.width, values)
			row, above = above, row
		}
		return put(y, band)
	})
	if err != nil {
		return err
	}
	// At the end, its checksum is looked at.
	switch n, err := io.CopyN(io.Discard, inflated, 1); {
	case n > 0:
		return fmt.Errorf("%w: too much pixel data", errDamaged)
	case err != io.EOF:
		return pngFault(err)
	}
	return nil
}

// pngFault says what is wrong with compressed pixels.
func pngFault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errPixels
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

// unfilter undoes a row's filter (PNG, third edition, 9.2), given the row above and the
// distance in bytes to the pixel before.
func unfilter(kind byte, row, above []byte, distance int) error {
	const none, sub, up, average, paeth = 0, 1, 2, 3, 4
	first := min(distance, len(row)) // bytes that have nothing before them
	switch kind {
	case none:
	case sub:
		for i := first; i < len(row); i++ {
			row[i] += row[i-distance]
		}
	case up:
		for i, v := range above {
			row[i] += v
		}
	case average:
		for i := range first {
			row[i] += above[i] / 2
		}
		for i := first; i < len(row); i++ {
			row[i] += byte((int(row[i-distance]) + int(above[i])) / 2)
		}
	case paeth:
		for i := range first {
			row[i] += above[i]
		}
		for i := first; i < len(row); i++ {
			row[i] += nearest(row[i-distance], above[i], above[i-distance])
		}
	default:
		return fmt.Errorf("%w: bad filter type", errDamaged)
	}
	return nil
}

// nearest is Paeth's predictor: of the bytes before, above, and before that one, the one
// nearest to what a plane through them has.
func nearest(before, above, corner byte) byte {
	distance := func(a, b int) int { return max(a-b, b-a) }
	a, b, c := int(before), int(above), int(corner)
	plane := a + b - c
	toA, toB, toC := distance(plane, a), distance(plane, b), distance(plane, c)
	switch {
	case toA <= toB && toA <= toC:
		return before
	case toB <= toC:
		return above
	}
	return corner
}

// unpack sets values to samples of depth bits, the highest bits of a byte first.
func unpack(values []uint32, row []byte, depth int) {
	switch depth {
	case 16:
		for i := range values {
			values[i] = uint32(row[2*i])<<8 | uint32(row[2*i+1])
		}
	case 8:
		for i := range values {
			values[i] = uint32(row[i])
		}
	default:
		perByte, most := 8/depth, byte(1<<depth-1)
		for i := range values {
			values[i] = uint32(row[i/perByte] >> (8 - depth - i%perByte*depth) & most)
		}
	}
}

// convert sets a row of a band, from pixel at on, from samples.
func (r *pngRows) convert(band *Picture, at int, values []uint32) {
	scale := uint32(math.MaxUint16 / (1<<r.depth - 1))
	for x := range r.width {
		pixel := values[x*r.samples:][:r.samples]
		if r.palette != nil {
			band.setFromPalette(at+x, r.palette, int(pixel[0]))
			continue
		}
		alpha := uint32(math.MaxUint16)
		if r.kind == pngGreyAlpha || r.kind == pngRGBA {
			alpha = scale * pixel[r.samples-1]
		} else if r.transparent != nil && slices.Equal(pixel, r.transparent) {
			alpha = 0
		}
		red, green, blue := scale*pixel[0], scale*pixel[0], scale*pixel[0]
		if r.samples >= 3 {
			green, blue = scale*pixel[1], scale*pixel[2]
		}
		band.setPixel(at+x, red, green, blue, alpha)
	}
}
