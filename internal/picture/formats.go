package picture

import (
	"context"
	"errors"
	"image"
	"strings"

	"impasto/internal/colour"
)

// format is a kind of file that is read.
type format struct {
	name       string
	extensions []string // that its files usually have
	magic      []string // what a file may begin with; ? is any byte
	// read reads what goes before the pixels. Nothing may be allocated for them.
	read func(file []byte) (*header, error)
}

// formats are those that are read. Of those with the same beginning, the first
// counts.
var formats = [...]format{
	{"PNG", []string{"png"}, []string{"\x89PNG\r\n\x1a\n"}, readPNG},
	{"JPEG", []string{"jpg", "jpeg"}, []string{"\xff\xd8"}, readJPEG},
	{"WebP", []string{"webp"}, []string{"RIFF????WEBP"}, readWebP},
	{"HEIC", []string{"heic", "heif"}, []string{"????ftyphei", "????ftyphev", "????ftypmif1", "????ftypmsf1"}, readHEIF},
	{"AVIF", []string{"avif"}, []string{"????ftypavif", "????ftypavis"}, readHEIF},
	{"TIFF", []string{"tif", "tiff"}, []string{"II*\x00", "MM\x00*", "II+\x00", "MM\x00+"}, readTIFF},
	{"GIF", []string{"gif"}, []string{"GIF87a", "GIF89a"}, readGIF},
	{"BMP", []string{"bmp"}, []string{"BM????\x00\x00\x00\x00", "BM????????????\x00\x00"}, readBMP},
	{"PNM", []string{"ppm", "pgm", "pbm", "pnm"}, pnmMagic, readPNM},
}

// Formats names the formats that are read, as in "PNG, JPEG or GIF".
func Formats() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// Extensions are those that files of these formats usually have, without the point. No
// file is known by them.
func Extensions() []string {
	var all []string
	for _, f := range formats {
		all = append(all, f.extensions...)
	}
	return all
}

// header is what a file says of its picture, and how to go on.
type header struct {
	width, height int    // in pixels, before it is turned upright
	memory        int64  // what decode takes at most, in bytes, beside the file
	orientation   int    // of EXIF, 1–8; 0 is as good as 1
	profile       []byte // the embedded ICC profile, nil where there is none
	profileFault  error  // why it couldn't be had from the file, or what is wrong with the colours' description
	code          *codePoints
	chunks        map[string][]byte // a PNG's gAMA, cHRM and sRGB
	exif          []byte            // a small TIFF file
	bits          int               // of a channel in the file, 0 where nobody looked
	resolution    float64           // pixels an inch, as the format itself has it; 0 for none
	texts         map[string]string // a PNG's, by keyword, of those in pngTexts
	packet        []byte            // XMP, nil where there is none
	space         *colour.Transform // from the file's colours to sRGB, nil where there is none
	yuv           yuvRange          // of YCbCr images
	remarks       []string
	proven        []string // more of them, which hold only once all pixels have been read
	decode        func(context.Context) (image.Image, error)
	// stream, where there is one, takes the place of decode: it decodes band by band. What
	// both do can be done again.
	stream     func(context.Context, bandFunc) error
	unsized    bool // the size may be another once the picture is decoded
	rowsAtOnce int  // the rows of a band, where stream needs more than others
}

// identify tells a file's format by its beginning.
func identify(head []byte) (*format, error) {
	if len(head) == 0 {
		return nil, errors.New("the file is empty; want a " + Formats() + " image")
	}
	if s := strangerOf(head); s != nil {
		return nil, s.refuse()
	}
	for i := range formats {
		if startsLike(head, formats[i].magic) {
			return &formats[i], nil
		}
	}
	return nil, errors.New("not a " + Formats() + " image")
}

// startsLike tells whether the data begin with one of the patterns.
func startsLike(data []byte, patterns []string) bool {
	for _, pattern := range patterns {
		if len(data) < len(pattern) {
			continue
		}
		same := true
		for i := range len(pattern) {
			same = same && (pattern[i] == '?' || pattern[i] == data[i])
		}
		if same {
			return true
		}
	}
	return false
}
