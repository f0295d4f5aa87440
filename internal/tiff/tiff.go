// Package tiff reads and writes TIFF and BigTIFF files: the container, the kinds of
// samples and colours, and CCITT's fax compressions. The other compressions are those of
// libraries.
//
// Read are strips and tiles, samples beside each other and in planes, integers of 1 to
// 16, 24 and 32 bits and floating-point numbers of 16, 32 and 64, in grey, RGB,
// palettes, CMYK, YCbCr and CIE L*a*b*, uncompressed or compressed with LZW, Deflate,
// PackBits, JPEG or fax codes. All else is refused by its name.
//
// No more memory is taken than [Picture.Memory] says, whatever the file claims, and no
// more work is done than its size and the picture's ask for.
package tiff

import (
	"context"
	"fmt"
	"math"
)

// Colours are what the values of a pixel mean, and how many there are.
type Colours int

const (
	// Grey is from black at 0 to white at 1.
	Grey Colours = 1
	// RGB is red, green and blue.
	RGB Colours = 3
	// CMYK is cyan, magenta, yellow and black ink, from none at 0 to all at 1.
	CMYK Colours = 4
)

// Picture is what a file's directory says of its picture: the first that isn't a
// thumbnail.
type Picture struct {
	Width, Height int
	// Bits are those of a sample in the file.
	Bits    int
	Colours Colours
	// Alpha tells that another value follows a pixel's colours, from clear at 0 to opaque
	// at 1. Colours aren't premultiplied by it.
	Alpha bool
	// Orientation is that of EXIF, 1 to 8; 1 is upright.
	Orientation int
	// Profile is the ICC profile of the colours, or nil. It shares the file's memory.
	Profile []byte
	// Packet is the XMP packet, or nil. It shares the file's memory.
	Packet []byte
	// Resolution is in pixels an inch, 0 where the file doesn't say.
	Resolution float64
	// RowsAtOnce is how many rows Decode hands out together: those of a row of tiles, or 1
	// where rows come whole.
	RowsAtOnce int
	// Memory is how many bytes Decode takes at most, besides the file and what its
	// caller makes of the values.
	Memory int64
	// Remarks are what a user should know of how the file was read, a line each. Decode
	// may add to them.
	Remarks []string

	layout *layout
}

// Open reads the directories of a file and chooses its picture. It takes next to no
// memory. Sizes are as the file claims; whoever decodes should check them and Memory.
func Open(data []byte) (*Picture, error) {
	f, err := parse(data)
	if err != nil {
		return nil, err
	}
	d, err := f.picture()
	if err != nil {
		return nil, err
	}
	l, err := layoutOf(data, d)
	if err != nil {
		return nil, err
	}
	p := &Picture{
		Width: l.width, Height: l.height, Bits: l.bits, Alpha: l.alpha >= 0,
		Orientation: 1, Profile: d.bytes(tagICCProfile), RowsAtOnce: 1, Memory: l.memory(), layout: l,
	}
	p.Packet, p.Resolution = d.bytes(tagXMP), d.resolution()
	if l.across > 1 {
		p.RowsAtOnce = max(1, min(l.chunkHeight, l.height))
	}
	if o := d.number(tagOrientation, 1); o >= 1 && o <= 8 {
		p.Orientation = o
	}
	switch l.photometric {
	case minIsWhite, minIsBlack:
		p.Colours = Grey
	case separated:
		p.Colours = CMYK
	case cieLab, iccLab:
		p.Colours, p.Profile = RGB, nil
	default:
		p.Colours = RGB
	}
	switch pages := f.countPages(); {
	case f.cut != nil:
		p.Remarks = append(p.Remarks, "the TIFF file is cut off or damaged after its first picture, which is taken")
	case f.more:
		p.Remarks = append(p.Remarks, fmt.Sprintf("the TIFF file has more than %d pages; the first is taken", pages))
	case pages > 1:
		p.Remarks = append(p.Remarks, fmt.Sprintf("the TIFF file has %d pages; the first is taken", pages))
	}
	return p, nil
}

// Decode reads the picture and hands it out in pieces of rows, some pixels from (x, y) to
// the right at a time: Colours values a pixel and alpha if there is one, 0–1, in values,
// which is good until put returns. Rows of strips come from top to bottom, those of tiles
// a tile at a time. Integers are divided by the largest of their bits, signed ones from
// the lowest on. Floating-point numbers are taken as they are and cut off at 0 and 1,
// but if more than half of those above 0 are above 1, they are levels of 255 or 65535,
// or of their largest. CIE L*a*b* is converted to sRGB, YCbCr and palettes to RGB; no
// profile is applied. An error leaves what came before it.
func (p *Picture) Decode(ctx context.Context, put func(x, y int, values []float32)) error {
	l := p.layout
	if l.width < 1 || l.height < 1 {
		return fmt.Errorf("a picture of %d×%d pixels; the file is damaged", l.width, l.height)
	}
	if err := l.checkChunks(); err != nil {
		return err
	}
	if l.chunkWidth > maxRowPixels || l.rowBytes() > maxRowBytes {
		return fmt.Errorf("rows of %d pixels and %d bytes; at most %d and %d are read", l.chunkWidth, l.rowBytes(), maxRowPixels, maxRowBytes)
	}
	c, err := newConverter(l)
	if err != nil {
		return err
	}
	if l.format == floatSamples {
		var scan floatScan
		if err := l.decode(ctx, func(_, _ int, samples []float32) { scan.add(samples, l) }); err != nil {
			return err
		}
		if remark := c.setScale(&scan); remark != "" {
			p.Remarks = append(p.Remarks, remark)
		}
	}
	return l.decode(ctx, func(x, y int, samples []float32) { put(x, y, c.convert(samples)) })
}

const (
	// maxRowPixels and maxRowBytes are of the longest rows that are read.
	maxRowPixels = 1 << 24
	maxRowBytes  = 1 << 28
	// codecBytes is the memory of a decompressor, with its tables and all, and more.
	codecBytes = 1 << 18
	// smallChunk is the size in pixels of strips and tiles for which memory is counted as
	// if they were progressive JPEGs.
	smallChunk = 1 << 20
)

// decode hands out the samples of colours and alpha, as the numbers that they are in the
// file.
func (l *layout) decode(ctx context.Context, put func(x, y int, samples []float32)) error {
	planes := l.planes()
	allowed := float64(l.width) * float64(l.height) * float64(l.samples*l.bits) / 4
	allowed += float64(len(l.data)) + float64(l.offsets.count)*2048
	b := &budget{ctx: ctx, left: int64(min(allowed, math.MaxInt64/2))}
	readers := make([]rowReader, len(planes))
	for i, plane := range planes {
		readers[i] = l.newRowReader(plane, b)
		defer readers[i].release()
	}
	_, wanted := l.picks(0)
	samples := make([]float32, l.chunkWidth*wanted)
	for row := range l.down {
		rows := min(l.chunkHeight, l.height-row*l.chunkHeight)
		for column := range l.across {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i, plane := range planes {
				chunk, err := l.chunk(plane, row, column)
				if err != nil {
					return err
				}
				if err := readers[i].start(chunk, rows); err != nil {
					return err
				}
			}
			x, width := column*l.chunkWidth, min(l.chunkWidth, l.width-column*l.chunkWidth)
			for y := range rows {
				for _, r := range readers {
					if err := r.row(samples); err != nil {
						return err
					}
				}
				put(x, row*l.chunkHeight+y, samples[:width*wanted])
			}
		}
	}
	return nil
}

// memory is what Decode takes, at most: rows, decompressors and, of JPEGs, all of a strip
// or tile.
func (l *layout) memory() int64 {
	if l.width < 1 || l.height < 1 {
		return 0
	}
	planes := int64(len(l.planes()))
	_, wanted := l.picks(0)
	total := planes*(2*int64(l.rowBytes())+codecBytes) + 8*int64(l.chunkWidth)*int64(wanted+1) + 3<<18
	switch {
	case l.fax():
		total += 32 * int64(l.chunkWidth) * planes
	case l.compression == jpegCoded:
		progressive := l.chunkArea() <= smallChunk || l.startsProgressive()
		total += planes * l.chunkArea() * jpegBytes(l.perChunk(), progressive)
	}
	return total
}

// chunkArea is the size of a strip or tile in pixels, with what a JPEG may stand out.
func (l *layout) chunkArea() int64 {
	return (int64(l.chunkWidth) + 32) * (int64(l.chunkHeight) + 32)
}

// startsProgressive tells whether the first strip or tile is a progressive JPEG.
func (l *layout) startsProgressive() bool {
	chunk, err := l.chunk(0, 0, 0)
	if err != nil {
		return false
	}
	head, err := readJPEGHead(chunk, false)
	return err == nil && head.progressive
}
