package picture

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/colour"
	"impasto/internal/jpeg"
)

// SaveOptions say how a picture is written. The zero value is good.
type SaveOptions struct {
	// Depth is the bits of a channel: 8, which 0 means too, or 16, which JPEG
	// hasn't got.
	Depth int
	// Quality is JPEG's, 1–100; 0 means 95. From 90 on, chroma is kept at every pixel,
	// below it for four at once. Other formats lose nothing.
	Quality int
	// Format is one of Formats; an empty one goes by the extension.
	Format string
}

// Save writes img to path as PNG, JPEG or TIFF, by the extension (.png, .jpg,
// .jpeg, .tif or .tiff, in either case), and says in the file that it is sRGB. What is
// transparent stays so in PNG and TIFF, and is laid on white in JPEG; see Flattens. The
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

// Flattens tells whether the picture is laid on white in the format, one of Written,
// which has no transparency.
func Flattens(format string, img image.Image) bool {
	if !isJPEG("." + format) {
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
	extension := filepath.Ext(path)
	if o.Format != "" {
		extension = "." + o.Format
	}
	switch {
	case extension == "":
		return nil, errors.New("the name has no extension; want .png, .jpg, .jpeg, .tif or .tiff")
	case strings.EqualFold(extension, ".png"):
		return func(w io.Writer, p *Picture) error { return writePNG(w, p, o.Depth) }, nil
	case strings.EqualFold(extension, ".tif"), strings.EqualFold(extension, ".tiff"):
		return func(w io.Writer, p *Picture) error { return writeTIFF(w, p, o.Depth) }, nil
	case !isJPEG(extension):
		return nil, fmt.Errorf("can't write %s; want .png, .jpg, .jpeg, .tif or .tiff", extension)
	}
	if o.Depth == 16 {
		return nil, errors.New("JPEG has 8 bits a channel, not 16; use PNG or TIFF")
	}
	return func(w io.Writer, p *Picture) error { return writeJPEG(w, p, cmp.Or(o.Quality, 95)) }, nil
}

func isJPEG(extension string) bool {
	return strings.EqualFold(extension, ".jpg") || strings.EqualFold(extension, ".jpeg")
}

// writeJPEG writes the picture on white, and keeps all chroma from jpeg.FullChroma on.
func writeJPEG(w io.Writer, p *Picture, quality int) error {
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
	}, jpeg.Options{Quality: quality, Profile: colour.SRGBProfile()})
}
