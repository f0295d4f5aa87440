package picture

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"impasto/internal/tiff"
)

// EXIF is what is kept of a picture's EXIF data. The zero value is nothing.
type EXIF struct{ fields tiff.Fields }

// Tags of EXIF that something is done with, named as the standard does (CIPA DC-008).
const (
	exifXResolution    = 0x11a
	exifYResolution    = 0x11b
	exifResolutionUnit = 0x128
	exifSoftware       = 0x131
	exifArtist         = 0x13b
	exifCopyright      = 0x8298
	exifCamera         = 0x8769
	exifPlace          = 0x8825
	exifVersion        = 0x9000
	exifColourSpace    = 0xa001
	exifWidth          = 0xa002
	exifHeight         = 0xa003
)

// keptOfImage are the tags that are kept of the first directory: what the picture shows, who
// made it, whose it is, with what and when.
var keptOfImage = []int{0x10e, 0x10f, 0x110, 0x132, exifArtist, exifCopyright}

// keptOfCamera are those of the EXIF directory: when and how it was taken, and by which
// lens. Serial numbers, owners, comments and what makers add in forms of their own aren't
// among them, nor what describes pixels that have changed.
var keptOfCamera = []int{
	0x829a, 0x829d, 0x8822, 0x8827, 0x8830, 0x8831, 0x8832, 0x8833, // exposure time, aperture, program, sensitivity
	0x9003, 0x9004, 0x9010, 0x9011, 0x9012, // when, and in which time zone
	0x9201, 0x9202, 0x9203, 0x9204, 0x9205, 0x9206, 0x9207, 0x9208, 0x9209, 0x920a, // shutter to focal length
	0x9290, 0x9291, 0x9292, // fractions of seconds
	0xa217, 0xa401, 0xa402, 0xa403, 0xa404, 0xa405, 0xa406, 0xa407, 0xa408, 0xa409, 0xa40a, 0xa40c, // sensor and modes
	0xa432, 0xa433, 0xa434, // the lens
}

const (
	// keptPlace is the last tag of the GPS directory.
	keptPlace = 0x1f
	// maxEXIFField and maxEXIF are how many bytes a field and all of them may have to be
	// kept.
	maxEXIFField = 4096
	maxEXIF      = 32 << 10
	// maxEXIFKind is the last kind of field that EXIF has.
	maxEXIFKind = 12
)

// EXIF returns what is kept of the file's EXIF data: title, author, copyright, camera, lens
// and exposure, and the place only where it is asked for. Pixels are upright and in sRGB
// here, so that orientation, colour space, sizes and thumbnails aren't.
func (s *Source) EXIF(place bool) EXIF {
	e, first := readEXIF(s.header.exif)
	var kept EXIF
	left := maxEXIF
	kept.fields.Image = e.keep(first, keptOfImage, &left)
	kept.fields.Camera = e.keep(e.pointer(first, exifCamera), keptOfCamera, &left)
	if place {
		var tags []int
		for tag := range keptPlace + 1 {
			tags = append(tags, tag)
		}
		kept.fields.Place = e.keep(e.pointer(first, exifPlace), tags, &left)
	}
	return kept
}

// pointer is where a directory is that a field names, or 0.
func (e exifData) pointer(at uint32, wanted uint16) uint32 {
	for tag, field := range e.directory(at) {
		if tag == wanted {
			return e.number(field)
		}
	}
	return 0
}

// keep copies fields of a directory with some tags, and counts their bytes.
func (e exifData) keep(at uint32, tags []int, left *int) []tiff.Field {
	var kept []tiff.Field
	for tag, entry := range e.directory(at) {
		data := e.values(entry)
		if !slices.Contains(tags, int(tag)) || len(data) == 0 || len(data)+12 > *left ||
			slices.ContainsFunc(kept, func(f tiff.Field) bool { return f.Tag == int(tag) }) {
			continue
		}
		*left -= len(data) + 12
		kept = append(kept, tiff.Field{Tag: int(tag), Kind: int(entry.kind), Data: data})
	}
	return kept
}

// values are the values of a field, little-endian, or nil where they aren't there, are too
// many or of a kind that EXIF hasn't got.
func (e exifData) values(f exifEntry) []byte {
	size := tiff.KindSize(int(f.kind))
	bytes := uint64(size) * uint64(f.count)
	if size == 0 || f.kind > maxEXIFKind || bytes == 0 || bytes > maxEXIFField {
		return nil
	}
	raw := f.value
	if bytes > uint64(len(raw)) {
		at := uint64(e.order.Uint32(f.value))
		if at+bytes > uint64(len(e.data)) {
			return nil
		}
		raw = e.data[at:]
	}
	data := slices.Clone(raw[:bytes])
	if e.order == binary.ByteOrder(binary.LittleEndian) {
		return data
	}
	if f.kind == 5 || f.kind == 10 { // a fraction is two numbers
		size /= 2
	}
	for value := range slices.Chunk(data, size) {
		slices.Reverse(value)
	}
	return data
}

// sized are the fields for a picture of that size, in sRGB and upright.
func (kept EXIF) sized(width, height int) tiff.Fields {
	if kept.fields.Empty() {
		return tiff.Fields{}
	}
	long := func(tag int, v uint32) tiff.Field {
		return tiff.Field{Tag: tag, Kind: 4, Data: binary.LittleEndian.AppendUint32(nil, v)}
	}
	const undefined, short, sRGB = 7, 3, 1
	f := kept.fields
	f.Camera = append(slices.Clone(f.Camera),
		tiff.Field{Tag: exifVersion, Kind: undefined, Data: []byte("0232")},
		tiff.Field{Tag: exifColourSpace, Kind: short, Data: []byte{sRGB, 0}},
		long(exifWidth, uint32(width)), long(exifHeight, uint32(height)))
	return f
}

// resolutionFields say a resolution in pixels an inch.
func resolutionFields(dpi float64) []tiff.Field {
	const short, rational, inches, parts = 3, 5, 2, 1000
	fraction := binary.LittleEndian.AppendUint32(nil, uint32(math.Round(dpi*parts)))
	fraction = binary.LittleEndian.AppendUint32(fraction, parts)
	return []tiff.Field{
		{Tag: exifXResolution, Kind: rational, Data: fraction}, {Tag: exifYResolution, Kind: rational, Data: fraction},
		{Tag: exifResolutionUnit, Kind: short, Data: []byte{inches, 0}},
	}
}

// readEXIFTexts are the texts of the first directory, by their tags, up to the first zero.
func readEXIFTexts(data []byte) map[int]string {
	const ascii = 2
	e, first := readEXIF(data)
	texts := map[int]string{}
	for tag, entry := range e.directory(first) {
		if entry.kind != ascii {
			continue
		}
		text, _, _ := strings.Cut(string(e.values(entry)), "\x00")
		if _, again := texts[int(tag)]; !again {
			texts[int(tag)] = strings.TrimSpace(text)
		}
	}
	return texts
}

// exifResolution is in pixels an inch, or 0.
func exifResolution(data []byte) float64 {
	const rational, centimetres = 5, 3
	e, first := readEXIF(data)
	resolution, unit := 0., 1.
	for tag, entry := range e.directory(first) {
		switch values := e.values(entry); {
		case tag == exifXResolution && entry.kind == rational && len(values) == 8:
			resolution = float64(binary.LittleEndian.Uint32(values)) / float64(binary.LittleEndian.Uint32(values[4:]))
		case tag == exifResolutionUnit && e.number(entry) == centimetres:
			unit = 2.54
		}
	}
	if resolution *= unit; math.IsNaN(resolution) || resolution < 1 || resolution >= 1<<16 {
		return 0
	}
	return resolution
}
