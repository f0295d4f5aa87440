package tiff

import (
	"compress/zlib"
	"encoding/binary"
	"errors"
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
	// Resolution is in pixels an inch; 0 means 72.
	Resolution float64
}

// stripBytes is about how large a strip is before it is compressed.
const stripBytes = 1 << 18

// Encode writes a classic TIFF file, little-endian, in strips that are compressed with
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
	head, err := e.head(sizes, total)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
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
	case !(o.Resolution > 0 && o.Resolution < 1e5):
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
func (e *encoder) head(sizes []uint64, total uint64) ([]byte, error) {
	d := &directoryWriter{}
	bits := make([]uint32, e.samples)
	for i := range bits {
		bits[i] = uint32(e.Bits)
	}
	photometric := uint32(minIsBlack)
	if e.Colours == RGB {
		photometric = photoRGB
	}
	const inches = 2
	resolution := []uint32{uint32(math.Round(e.Resolution * 1000)), 1000}
	d.add(tagImageWidth, longField, uint32(e.Width))
	d.add(tagImageLength, longField, uint32(e.Height))
	d.add(tagBitsPerSample, shortField, bits...)
	d.add(tagCompression, shortField, adobeDeflate)
	d.add(tagPhotometric, shortField, photometric)
	offsets := make([]uint32, len(sizes))
	d.add(tagStripOffsets, longField, offsets...)
	d.add(tagSamplesPerPixel, shortField, uint32(e.samples))
	d.add(tagRowsPerStrip, longField, uint32(e.stripRows))
	counts := make([]uint32, len(sizes))
	for i, size := range sizes {
		counts[i] = uint32(size)
	}
	d.add(tagStripByteCounts, longField, counts...)
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
	at := uint64(d.size())
	if at+total > math.MaxUint32 {
		return nil, errors.New("the TIFF file would be larger than 4 GiB; write PNG, or 8 bits a channel")
	}
	for i, size := range sizes {
		offsets[i] = uint32(at)
		at += size
	}
	d.replace(tagStripOffsets, offsets)
	return d.bytes(), nil
}

// Field types that are written.
const (
	shortField     = 3
	longField      = 4
	rationalField  = 5
	undefinedField = 7
)

// directoryWriter collects a directory's fields, whose tags come in ascending order.
type directoryWriter struct {
	fields []writtenField
}

type writtenField struct {
	tag, kind, count int
	data             []byte
}

func (d *directoryWriter) add(tag, kind int, numbers ...uint32) {
	f := writtenField{tag: tag, kind: kind, count: len(numbers)}
	if kind == rationalField {
		f.count /= 2
	}
	f.data = numbersOf(kind, numbers)
	d.fields = append(d.fields, f)
}

func (d *directoryWriter) addBytes(tag int, data []byte) {
	d.fields = append(d.fields, writtenField{tag, undefinedField, len(data), data})
}

// replace sets the numbers of a field anew, of which there are as many as before.
func (d *directoryWriter) replace(tag int, numbers []uint32) {
	for i := range d.fields {
		if f := &d.fields[i]; f.tag == tag {
			f.data = numbersOf(f.kind, numbers)
		}
	}
}

func numbersOf(kind int, numbers []uint32) []byte {
	var data []byte
	for _, n := range numbers {
		if kind == shortField {
			data = binary.LittleEndian.AppendUint16(data, uint16(n))
		} else {
			data = binary.LittleEndian.AppendUint32(data, n)
		}
	}
	return data
}

const headerBytes = 8

// size is that of the header, the directory and what it refers to.
func (d *directoryWriter) size() int {
	size := headerBytes + 2 + 12*len(d.fields) + 4
	for _, f := range d.fields {
		if len(f.data) > 4 {
			size += len(f.data) + len(f.data)%2
		}
	}
	return size
}

func (d *directoryWriter) bytes() []byte {
	order := binary.LittleEndian
	head := make([]byte, 0, d.size())
	head = append(head, "II*\x00"...)
	head = order.AppendUint32(head, headerBytes)
	head = order.AppendUint16(head, uint16(len(d.fields)))
	var beyond []byte
	start := headerBytes + 2 + 12*len(d.fields) + 4
	for _, f := range d.fields {
		head = order.AppendUint16(head, uint16(f.tag))
		head = order.AppendUint16(head, uint16(f.kind))
		head = order.AppendUint32(head, uint32(f.count))
		if len(f.data) <= 4 {
			head = append(head, append(f.data, make([]byte, 4-len(f.data))...)...)
			continue
		}
		head = order.AppendUint32(head, uint32(start+len(beyond)))
		beyond = append(beyond, f.data...)
		if len(beyond)%2 == 1 {
			beyond = append(beyond, 0)
		}
	}
	head = order.AppendUint32(head, 0)
	return append(head, beyond...)
}
