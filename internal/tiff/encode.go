package tiff

import (
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Rows are a picture to be written.
type Rows struct {
	Width, Height int
	Colours       Colours // Grey or RGB
	// Alpha tells that another value follows a pixel's colours, which aren't premultiplied
	// by it.
	Alpha bool
	// Row sets the values of row y, those of a pixel beside each other, from 0 to the
	// largest that Options.Bits holds. It is asked for each row twice, and has to give the
	// same.
	Row func(y int, values []uint16)
}

// Options say how a picture is written.
type Options struct {
	Bits    int    // of a value: 8, which 0 means too, or 16
	Profile []byte // an ICC profile of the colours, or nil
	// Big writes a BigTIFF, as is done anyway where a classic file would have 4 GiB or more.
	Big bool
	// Resolution is in pixels an inch; 0 means 72.
	Resolution float64
	// Software names the program, Packet is an XMP packet; empty ones are left out.
	Software string
	Packet   []byte
	// Fields are more of the directory, and of those below it. None may be one that
	// describes the pixels.
	Fields Fields
}

// maxResolution is what a resolution is below, in pixels an inch.
const maxResolution = 1e5

// stripBytes is about how large a strip is before it is compressed.
const stripBytes = 1 << 18

// Encode writes a TIFF file, little-endian, in strips that are compressed with
// Deflate after predictor 2. It keeps one row of the picture, and compresses it twice: the
// sizes of strips, which stand before them, are known after the first time.
func Encode(w io.Writer, r Rows, o Options) error {
	e, err := newEncoder(r, o)
	if err != nil {
		return err
	}
	sizes := make([]uint64, 0, ceilDivide(r.Height, e.stripRows))
	total := uint64(0)
	for y := 0; y < r.Height; y += e.stripRows {
		var size counter
		if err := e.strip(&size, y); err != nil {
			return err
		}
		sizes = append(sizes, uint64(size))
		total += uint64(size)
	}
	if _, err := w.Write(e.head(sizes, total)); err != nil {
		return err
	}
	for y := 0; y < r.Height; y += e.stripRows {
		if err := e.strip(w, y); err != nil {
			return err
		}
	}
	return nil
}

// counter counts what is written to it.
type counter uint64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

type encoder struct {
	Rows
	Options
	samples   int
	stripRows int
	values    []uint16
	row       []byte
	deflate   *zlib.Writer
}

func newEncoder(r Rows, o Options) (*encoder, error) {
	if o.Bits == 0 {
		o.Bits = 8
	}
	if o.Resolution == 0 {
		o.Resolution = 72
	}
	samples := int(r.Colours)
	if r.Alpha {
		samples++
	}
	switch {
	case r.Width < 1 || r.Height < 1:
		return nil, fmt.Errorf("a TIFF of %d×%d pixels; want at least 1×1", r.Width, r.Height)
	case r.Colours != Grey && r.Colours != RGB:
		return nil, fmt.Errorf("a TIFF of %d colours; want 1 or 3", r.Colours)
	case o.Bits != 8 && o.Bits != 16:
		return nil, fmt.Errorf("a TIFF of %d bits; want 8 or 16", o.Bits)
	case !(o.Resolution > 0 && o.Resolution < maxResolution):
		return nil, fmt.Errorf("a TIFF of %g pixels an inch; want more than 0 and less than 100000", o.Resolution)
	}
	e := &encoder{Rows: r, Options: o, samples: samples, values: make([]uint16, r.Width*samples)}
	e.row = make([]byte, r.Width*samples*o.Bits/8)
	e.stripRows = min(max(stripBytes/len(e.row), 1), r.Height)
	e.deflate = zlib.NewWriter(io.Discard)
	return e, nil
}

// strip compresses the rows from y on.
func (e *encoder) strip(w io.Writer, y int) error {
	e.deflate.Reset(w)
	for end := min(y+e.stripRows, e.Height); y < end; y++ {
		e.Row(y, e.values)
		e.subtract()
		if _, err := e.deflate.Write(e.row); err != nil {
			return err
		}
	}
	return e.deflate.Close()
}

// subtract makes bytes of a row's values, each less the one of the pixel before.
func (e *encoder) subtract() {
	for i, v := range e.values {
		if i >= e.samples {
			v -= e.values[i-e.samples]
		}
		if e.Bits == 8 {
			e.row[i] = byte(v)
		} else {
			binary.LittleEndian.PutUint16(e.row[2*i:], v)
		}
	}
}

// head is the file up to the first strip: its header, its directory and what that one
// refers to.
func (e *encoder) head(sizes []uint64, total uint64) []byte {
	d := e.directory(sizes, e.Big)
	if !d.big && uint64(d.size())+total > math.MaxUint32 {
		d = e.directory(sizes, true)
	}
	offsets := make([]uint64, len(sizes))
	at := uint64(d.size())
	for i, size := range sizes {
		offsets[i] = at
		at += size
	}
	d.replace(tagStripOffsets, offsets)
	return d.bytes()
}

// directory has all fields, and zeros for the strips' offsets.
func (e *encoder) directory(sizes []uint64, big bool) *directoryWriter {
	d := &directoryWriter{big: big}
	bits := make([]uint64, e.samples)
	for i := range bits {
		bits[i] = uint64(e.Bits)
	}
	photometric := uint64(minIsBlack)
	if e.Colours == RGB {
		photometric = photoRGB
	}
	placeField := longField // of what lies somewhere in the file
	if big {
		placeField = long8Field
	}
	const inches = 2
	resolution := []uint64{uint64(math.Round(e.Resolution * 1000)), 1000}
	d.add(tagImageWidth, longField, uint64(e.Width))
	d.add(tagImageLength, longField, uint64(e.Height))
	d.add(tagBitsPerSample, shortField, bits...)
	d.add(tagCompression, shortField, adobeDeflate)
	d.add(tagPhotometric, shortField, photometric)
	d.add(tagStripOffsets, placeField, make([]uint64, len(sizes))...)
	d.add(tagSamplesPerPixel, shortField, uint64(e.samples))
	d.add(tagRowsPerStrip, longField, uint64(e.stripRows))
	d.add(tagStripByteCounts, placeField, sizes...)
	d.add(tagXResolution, rationalField, resolution...)
	d.add(tagYResolution, rationalField, resolution...)
	d.add(tagResolutionUnit, shortField, inches)
	d.add(tagPredictor, shortField, 2)
	if e.Alpha {
		const unassociated = 2
		d.add(tagExtraSamples, shortField, unassociated)
	}
	if len(e.Profile) > 0 {
		d.addBytes(tagICCProfile, e.Profile)
	}
	if len(e.Packet) > 0 {
		d.addField(Field{tagXMP, octetField, e.Packet})
	}
	if e.Software != "" {
		d.addField(text(tagSoftware, e.Software))
	}
	d.addAll(e.Fields)
	return d
}
