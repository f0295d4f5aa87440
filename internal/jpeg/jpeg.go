// Package jpeg writes baseline JPEG files (ITU-T T.81) from rows of float32. Unlike
// image/jpeg it keeps chroma at every pixel where the quality asks for it, embeds a
// colour profile, and never holds more than sixteen rows.
package jpeg

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// FullChroma is the quality from which on chroma is kept at every pixel. Below it, four
// pixels share one (4:2:0).
const FullChroma = 90

// maxSegment is the most bytes that a segment holds.
const maxSegment = 1<<16 - 1 - 2

// maxSide is the largest width and height that the format has.
const maxSide = 1<<16 - 1

// Options say how a file is written.
type Options struct {
	// Quality is 1–100, as the Independent JPEG Group scales the tables of Annex K.
	Quality int
	// Profile is an ICC profile to embed; nil leaves it out.
	Profile []byte
	// DPI is the resolution in pixels an inch, below 65536; 0 leaves it open.
	DPI int
	// Segments are the contents of APP1 segments, each of 65533 bytes at most, as EXIF and
	// XMP are embedded.
	Segments [][]byte
}

// Encode writes a picture of width×height pixels. row fills in the red, green and blue
// of a row, width values each in 0–1; it is called once for each row from the top.
func Encode(w io.Writer, width, height int, row func(y int, r, g, b []float32), o Options) error {
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return fmt.Errorf("jpeg: %d×%d pixels; want 1 to %d a side", width, height, maxSide)
	}
	if o.DPI < 0 || o.DPI >= 1<<16 {
		return fmt.Errorf("jpeg: %d pixels an inch; want 0 to 65535", o.DPI)
	}
	if o.Quality < 1 || o.Quality > 100 {
		return fmt.Errorf("jpeg: quality %d; want 1–100", o.Quality)
	}
	e := &encoder{w: bufio.NewWriter(w), width: width, height: height, step: 2}
	if o.Quality >= FullChroma {
		e.step = 1
	}
	e.quantisers = [2]quantiser{newQuantiser(&luminance, o.Quality), newQuantiser(&chrominance, o.Quality)}
	if err := e.writeHeaders(o); err != nil {
		return err
	}
	e.scan(row)
	e.marker(0xd9, nil)
	return e.w.Flush() // the writer keeps the first error
}

// encoder writes one file.
type encoder struct {
	w             *bufio.Writer
	width, height int
	step          int          // luma samples that share a chroma sample, in each direction
	quantisers    [2]quantiser // of luma and of chroma
	previous      [3]int32     // the last DC coefficient of each channel
	bits          uint32       // not yet written, from the top
	count         uint         // how many those are
}

// marker writes a marker, and after it a segment unless the contents are nil.
func (e *encoder) marker(code byte, contents []byte) {
	e.w.Write([]byte{0xff, code})
	if contents != nil {
		binary.Write(e.w, binary.BigEndian, uint16(2+len(contents)))
		e.w.Write(contents)
	}
}

// writeHeaders writes all that stands before the coefficients.
func (e *encoder) writeHeaders(o Options) error {
	e.marker(0xd8, nil)
	unit, density := byte(0), 1 // square pixels of any size
	if o.DPI > 0 {
		unit, density = 1, o.DPI
	}
	e.marker(0xe0, []byte{'J', 'F', 'I', 'F', 0, 1, 1, unit, byte(density >> 8), byte(density), byte(density >> 8), byte(density), 0, 0})
	for _, segment := range o.Segments {
		if len(segment) > maxSegment {
			return fmt.Errorf("jpeg: a segment of %d bytes; at most %d fit", len(segment), maxSegment)
		}
		e.marker(0xe1, segment)
	}
	if err := e.writeProfile(o.Profile); err != nil {
		return err
	}
	for i, q := range e.quantisers {
		table := []byte{byte(i)}
		for _, at := range zigzag {
			table = append(table, q.steps[at])
		}
		e.marker(0xdb, table)
	}
	frame := []byte{8, byte(e.height >> 8), byte(e.height), byte(e.width >> 8), byte(e.width), 3}
	sampling := byte(e.step<<4 | e.step)
	e.marker(0xc0, append(frame, 1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1))
	for class, pair := range [2][2]huffmanCode{{dcLuminance, dcChrominance}, {acLuminance, acChrominance}} {
		for i, code := range pair {
			table := append([]byte{byte(class<<4 | i)}, code.counts[:]...)
			e.marker(0xc4, append(table, code.values...))
		}
	}
	e.marker(0xda, []byte{3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0})
	return nil
}

// writeProfile writes an ICC profile in as many segments as it needs (ICC.1:2022, B.4).
func (e *encoder) writeProfile(profile []byte) error {
	const signature, largest = "ICC_PROFILE\x00", maxSegment - 14
	parts := (len(profile) + largest - 1) / largest
	if parts > 255 {
		return fmt.Errorf("jpeg: a profile of %d bytes; at most %d fit", len(profile), 255*largest)
	}
	for i := range parts {
		part := profile[i*largest : min((i+1)*largest, len(profile))]
		e.marker(0xe2, append([]byte(signature+string([]byte{byte(i + 1), byte(parts)})), part...))
	}
	return nil
}
