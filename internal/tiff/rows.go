package tiff

import (
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/image/tiff/lzw"
)

// rowReader reads the rows of strips or tiles.
type rowReader interface {
	// start begins with the data of another strip or tile, rows high.
	start(chunk []byte, rows int) error
	// row puts the samples of the next row into dst, a pixel's beside each other.
	row(dst []float32) error
	// release lets go of what start took.
	release()
}

// pick is a sample of a chunk that is wanted, and its place in a pixel of dst.
type pick struct{ sample, place int }

// picks are those of a chunk of a plane, and how many samples a pixel of dst has.
func (l *layout) picks(plane int) ([]pick, int) {
	wanted := l.colours
	if l.alpha >= 0 {
		wanted++
	}
	if l.planar && l.samples > 1 {
		return []pick{{0, min(plane, l.colours)}}, wanted
	}
	picks := make([]pick, wanted)
	for i := range picks {
		picks[i] = pick{i, i}
	}
	if l.alpha >= 0 {
		picks[l.colours].sample = l.alpha
	}
	return picks, wanted
}

// newRowReader returns a reader of the chunks of a plane.
func (l *layout) newRowReader(plane int, b *budget) rowReader {
	picks, wanted := l.picks(plane)
	in := &source{budget: b, reverse: l.reversed && l.compression != jpegCoded}
	if l.compression == jpegCoded {
		return &jpegRows{layout: l, in: in, picks: picks, wanted: wanted}
	}
	coded := &codedRows{layout: l, in: in, picks: picks, wanted: wanted, buffer: make([]byte, l.rowBytes())}
	if l.predictor == 3 {
		coded.scratch = make([]byte, l.rowBytes())
	}
	if l.subX*l.subY > 1 {
		return &subsampledRows{codedRows: coded}
	}
	return coded
}

// codedRows reads samples that are kept as bits, compressed without loss or not at all.
type codedRows struct {
	*layout
	in      *source
	stream  io.Reader // what gives decompressed bytes
	fax     *faxReader
	picks   []pick
	wanted  int
	buffer  []byte // a row
	scratch []byte // another one, for predictor 3
}

func (c *codedRows) start(chunk []byte, _ int) error {
	c.in.start(chunk)
	switch c.compression {
	case noCompression:
		c.stream = c.in
	case packBits:
		c.stream = &packBitsReader{r: c.in}
	case lzwCoded:
		if len(chunk) > 1 && chunk[0] == 0 && chunk[1]&1 == 1 {
			return unsupported("a TIFF compressed with LZW as libtiff did before 1994")
		}
		c.release()
		c.stream = lzw.NewReader(c.in, lzw.MSB, 8)
	case adobeDeflate, oldDeflate:
		if again, ok := c.stream.(zlib.Resetter); ok {
			return described(again.Reset(c.in, nil))
		}
		var err error
		c.stream, err = zlib.NewReader(c.in)
		return described(err)
	default:
		if c.fax == nil {
			c.fax = newFaxReader(c.layout, c.in)
			c.stream = c.fax
		}
		c.fax.start()
	}
	return nil
}

func (c *codedRows) release() {
	if closer, ok := c.stream.(io.Closer); ok && c.compression == lzwCoded {
		// It gives its memory back; its error is of what was already read.
		_ = closer.Close()
	}
}

func (c *codedRows) row(dst []float32) error {
	if err := c.fill(); err != nil {
		return err
	}
	switch c.predictor {
	case 2:
		addNeighbours(c.buffer, c.order, c.bits/8, c.perChunk())
	case 3:
		addFloats(c.buffer, c.scratch, c.bits/8, c.perChunk())
	}
	order := c.order
	if c.predictor == 3 {
		order = bigEndian
	}
	for _, p := range c.picks {
		c.unpack(dst[p.place:], c.buffer, order, p.sample, c.wanted)
	}
	return nil
}

// fill reads a row's bytes.
func (c *codedRows) fill() error {
	_, err := io.ReadFull(c.stream, c.buffer)
	return described(err)
}

// described says what an error of a decoder means.
func described(err error) error {
	for _, itself := range []error{nil, errSharedData, errFaxCode, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, itself) {
			return err
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return truncated("a strip or tile ends too early")
	}
	var refused *Unsupported
	if errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("a strip or tile is damaged: %w", err)
}

// subsampledRows reads YCbCr colours of which neighbouring pixels share chroma: units
// of subX×subY luma samples, their blue and their red chroma.
type subsampledRows struct {
	*codedRows
	line int // of the units in buffer, the next row
}

func (s *subsampledRows) start(chunk []byte, rows int) error {
	s.line = 0
	return s.codedRows.start(chunk, rows)
}

func (s *subsampledRows) row(dst []float32) error {
	if s.line == 0 {
		if err := s.fill(); err != nil {
			return err
		}
	}
	luma := s.subX * s.subY
	for x := range s.chunkWidth {
		unit := s.buffer[x/s.subX*(luma+2):][:luma+2]
		pixel := dst[3*x:][:3]
		pixel[0] = float32(unit[s.line*s.subX+x%s.subX])
		pixel[1], pixel[2] = float32(unit[luma]), float32(unit[luma+1])
	}
	s.line = (s.line + 1) % s.subY
	return nil
}
