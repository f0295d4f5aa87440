package picture

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"path/filepath"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/colour"
	"impasto/internal/jpeg"
)

// SaveOptions say how a picture is written. The zero value is good.
type SaveOptions struct {
	// Depth is the bits of a channel: 8, which 0 means too, or 16, which JPEG and WebP
	// haven't got.
	Depth int
	// Quality is JPEG's, 1–100; 0 means 95. From 90 on, chroma is kept at every pixel,
	// below it for four at once. Other formats lose nothing.
	Quality int
	// WebPQuality is WebP's, 1–100, of the lossy kind, in which four pixels share their
	// chroma; 0 keeps every value.
	WebPQuality int
	// Format is one of Written; an empty one goes by the extension.
	Format string
	// DPI is the resolution that the file says, in pixels an inch, below 65536. JPEG and PNG
	// without one say none, TIFF 72. WebP says it in EXIF.
	DPI float64
	// Dither spreads what rounding to 8 bits loses, which otherwise makes steps of what
	// changes slowly; see dither. The same Seed spreads it in the same way. JPEG, whose
	// values aren't rounded, and 16 bits stay as they are.
	Dither bool
	Seed   uint64
	// Made says how the picture was made.
	Made Made
	// EXIF is kept of another picture; see Source.EXIF.
	EXIF EXIF
}

// Made is what a file says of how its picture was made. Empty fields are left out.
type Made struct {
	Software string // the program, in ASCII
	Document string // a JSON document in ASCII; PNG has it in a chunk of its own
	Packet   []byte // an XMP packet, in which the others have it
}

// maxPacket is the largest XMP packet that JPEG's segments hold.
const maxPacket = 65533 - len(jpegXMP)

// Save writes img to path as PNG, JPEG, TIFF or WebP, by the extension (.png, .jpg,
// .jpeg, .tif, .tiff or .webp, in either case), and says in the file that it is sRGB. What
// is transparent stays so, but in JPEG, where it is laid on white; see Flattens. The
// file appears whole or not at all; see package atomicfile.
func Save(path string, img image.Image, o SaveOptions) error {
	return saveOn(atomicfile.Disk{}, path, img, o)
}

func saveOn(files atomicfile.FileSystem, path string, img image.Image, o SaveOptions) error {
	write, err := writerOf(path, img, o)
	if err != nil {
		return saveError(path, err)
	}
	return saveError(path, atomicfile.WriteOn(files, path, write))
}

// writerOf returns what writes img as the options say, or as path does.
func writerOf(path string, img image.Image, o SaveOptions) (func(io.Writer) error, error) {
	encode, err := encoderOf(path, o)
	if err != nil {
		return nil, err
	}
	p, err := fromImage(img, fullRange)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error { return encode(w, p) }, nil
}

// Flattens tells whether Save at that path would lay the picture on white, since its
// format has no transparency.
func Flattens(path string, img image.Image, o SaveOptions) bool {
	if !isJPEG(extensionOf(path, o)) {
		return false
	}
	p, err := fromImage(img, fullRange)
	return err == nil && !p.Opaque()
}

// SaveWith makes the file at path out of what write writes, a picture in a format
// of its own such as a figure in SVG, whole or not at all.
func SaveWith(path string, write func(io.Writer) error) error {
	return saveError(path, atomicfile.Write(path, write))
}

// CheckFile tells before hours of work whether Save and SaveWith could write to path,
// by trying all that they will do; see atomicfile.Check.
func CheckFile(path string) error {
	return saveError(path, atomicfile.Check(path))
}

// saveError puts the path before err; nil stays nil.
func saveError(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("picture: save %s: %w", path, err)
}

// encoder writes a picture in a format.
type encoder func(io.Writer, *Picture) error

// encoderOf chooses by the extension and checks the options.
func encoderOf(path string, o SaveOptions) (encoder, error) {
	if o.Depth != 0 && o.Depth != 8 && o.Depth != 16 {
		return nil, fmt.Errorf("%d bits a channel; want 8 or 16", o.Depth)
	}
	if o.Quality < 0 || o.Quality > 100 {
		return nil, fmt.Errorf("JPEG quality %d; want 1–100", o.Quality)
	}
	if !(o.DPI >= 0 && o.DPI < 1<<16) {
		return nil, fmt.Errorf("%g pixels an inch; want less than 65536", o.DPI)
	}
	if len(o.Made.Packet) > maxPacket {
		return nil, fmt.Errorf("an XMP packet of %d bytes; want %d at most", len(o.Made.Packet), maxPacket)
	}
	switch extension := extensionOf(path, o); {
	case extension == "":
		return nil, errors.New("the name has no extension; want .png, .jpg, .jpeg, .tif, .tiff or .webp")
	case strings.EqualFold(extension, ".png"):
		return func(w io.Writer, p *Picture) error { return writePNG(w, p, o) }, nil
	case strings.EqualFold(extension, ".tif"), strings.EqualFold(extension, ".tiff"):
		return func(w io.Writer, p *Picture) error { return writeTIFF(w, p, o) }, nil
	case strings.EqualFold(extension, ".webp"):
		if o.Depth == 16 {
			return nil, errors.New("WebP has 8 bits a channel, not 16; use PNG or TIFF")
		}
		if o.WebPQuality < 0 || o.WebPQuality > 100 {
			return nil, fmt.Errorf("WebP quality %d; want 0–100", o.WebPQuality)
		}
		return func(w io.Writer, p *Picture) error { return writeWebP(w, p, o) }, nil
	case !isJPEG(extension):
		return nil, fmt.Errorf("can't write %s; want .png, .jpg, .jpeg, .tif, .tiff or .webp", extension)
	}
	if o.Depth == 16 {
		return nil, errors.New("JPEG has 8 bits a channel, not 16; use PNG or TIFF")
	}
	return func(w io.Writer, p *Picture) error { return writeJPEG(w, p, o) }, nil
}

// extensionOf is the extension of a path, or the one that stands for the format of the
// options.
func extensionOf(path string, o SaveOptions) string {
	if o.Format != "" {
		return "." + o.Format
	}
	return filepath.Ext(path)
}

func isJPEG(extension string) bool {
	return strings.EqualFold(extension, ".jpg") || strings.EqualFold(extension, ".jpeg")
}

// writeJPEG writes the picture on white, and keeps all chroma from jpeg.FullChroma on.
func writeJPEG(w io.Writer, p *Picture, o SaveOptions) error {
	planes := [3][]float32{}
	planes[0], planes[1], planes[2] = p.Planes()
	return jpeg.Encode(w, p.Width, p.Height, func(y int, r, g, b []float32) {
		from, to := y*p.Width, (y+1)*p.Width
		for plane, row := range [][]float32{r, g, b} {
			for x, v := range planes[plane][from:to] {
				row[x] = unit(v)
			}
			if p.Alpha != nil {
				onWhite(row, row, p.Alpha[from:to])
			}
		}
	}, jpeg.Options{
		Quality: cmp.Or(o.Quality, 95), Profile: colour.SRGBProfile(), DPI: int(math.Round(o.DPI)), Segments: o.segments(p),
	})
}

// segments are the APP1 segments of a JPEG file.
func (o SaveOptions) segments(p *Picture) [][]byte {
	var all [][]byte
	if fields := o.EXIF.sized(p.Width, p.Height); !fields.Empty() {
		all = append(all, append([]byte(jpegEXIF), fields.Bytes()...))
	}
	if len(o.Made.Packet) > 0 {
		all = append(all, append([]byte(jpegXMP), o.Made.Packet...))
	}
	return all
}
