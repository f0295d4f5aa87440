package picture

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// exifData are EXIF data, which are a small TIFF file.
type exifData struct {
	data  []byte
	order binary.ByteOrder
}

// exifEntry is a field of a directory.
type exifEntry struct {
	kind  uint16
	count uint32
	value []byte // four bytes: the value where it fits into them, else where it is
}

// readEXIF reads the header, and tells where the first directory is.
func readEXIF(data []byte) (e exifData, first uint32) {
	e = exifData{bytes.TrimPrefix(data, []byte("Exif\x00\x00")), binary.LittleEndian}
	if len(e.data) < 8 {
		return e, 0
	}
	if e.data[0] == 'M' {
		e.order = binary.BigEndian
	}
	const bigTIFF = 43 // whose fields are others
	if e.order.Uint16(e.data[2:]) == bigTIFF {
		return e, 0
	}
	return e, e.order.Uint32(e.data[4:])
}

// directory goes through the fields of the directory at an offset, as far as there are
// any, by their tags.
func (e exifData) directory(at uint32) iter.Seq2[uint16, exifEntry] {
	return func(yield func(uint16, exifEntry) bool) {
		if at == 0 || uint64(at)+2 > uint64(len(e.data)) {
			return
		}
		entries := e.data[at+2:]
		for range e.order.Uint16(e.data[at:]) {
			if len(entries) < 12 || !yield(e.order.Uint16(entries), exifEntry{e.order.Uint16(entries[2:]), e.order.Uint32(entries[4:]), entries[8:12]}) {
				return
			}
			entries = entries[12:]
		}
	}
}

// number is the value of a field with one whole number, or 0.
func (e exifData) number(f exifEntry) uint32 {
	switch f.kind {
	case 1, 6, 7: // BYTE, SBYTE, UNDEFINED
		return uint32(f.value[0])
	case 3, 8: // SHORT, SSHORT
		return uint32(e.order.Uint16(f.value))
	case 4, 9, 13: // LONG, SLONG, IFD
		return e.order.Uint32(f.value)
	}
	return 0
}

// exifOrientation returns the orientation, 1 to 8, from the first directory of
// EXIF data; 1 where there is none or it is damaged, since the pixels may be sound.
func exifOrientation(data []byte) int {
	e, first := readEXIF(data)
	for tag, field := range e.directory(first) {
		const tagOrientation = 0x112
		if tag != tagOrientation {
			continue
		}
		if value := e.number(field); value >= 1 && value <= 8 {
			return int(value)
		}
		break
	}
	return 1
}

// exifIsAdobeRGB tells whether EXIF data say that the colours are Adobe RGB's, as cameras
// do that have no profile in their files: by the interoperability index R03 (DCF 2.0), or
// a colour space of 2, which isn't in the standard.
func exifIsAdobeRGB(data []byte) bool {
	const tagEXIF, tagInteroperability, tagColourSpace, tagIndex = 0x8769, 0xa005, 0xa001, 1
	const adobe, uncalibrated = 2, 0xffff
	e, at := readEXIF(data)
	next := func(wanted uint16) (found uint32) {
		for tag, field := range e.directory(at) {
			if tag == wanted {
				return e.number(field)
			}
		}
		return 0
	}
	at = next(tagEXIF)
	space := next(tagColourSpace)
	if space == adobe {
		return true
	}
	at = next(tagInteroperability)
	for tag, field := range e.directory(at) {
		if tag == tagIndex {
			return space == uncalibrated && bytes.HasPrefix(field.value, []byte("R03"))
		}
	}
	return false
}
