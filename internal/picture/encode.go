package picture

import (
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"slices"

	"github.com/disintegration/imaging"

	"impasto/internal/atomicfile"
)

// SaveOptions say how a picture is written. The zero value is good.
type SaveOptions struct {
	// Depth is the bits of a channel: 8, which 0 means too, or 16, which JPEG
	// hasn't got.
	Depth int
	// Quality is JPEG's, 1–100; 0 means 95. Other formats lose nothing.
	Quality int
}

// Save writes img to path as PNG, JPEG or TIFF, by the extension (.png, .jpg,
// .jpeg, .tif or .tiff, in either case). What is transparent is composited on
// white. The file appears whole or not at all; see package atomicfile.
func Save(path string, img image.Image, o SaveOptions) error {
	return saveOn(atomicfile.Disk{}, path, img, o)
}

func saveOn(files atomicfile.FileSystem, path string, img image.Image, o SaveOptions) error {
	encode, err := encoderOf(path, o)
	if err != nil {
		return saveError(path, err)
	}
	p, err := fromImage(img, fullRange)
	if err != nil {
		return saveError(path, err)
	}
	if o.Depth == 16 {
		img = p.Image()
	} else {
		img = p.image8()
	}
	return saveError(path, atomicfile.WriteOn(files, path, func(w io.Writer) error { return encode(w, img) }))
}

// SaveWith makes the file at path out of what write writes, a picture in a format
// of its own such as a figure in SVG, whole or not at all.
func SaveWith(path string, write func(io.Writer) error) error {
	return saveError(path, atomicfile.Write(path, write))
}

// CheckOutput tells before hours of work whether Save could write to path: the
// extension is known, the folder is there and a file can be made in it.
func CheckOutput(path string) error {
	if _, err := encoderOf(path, SaveOptions{}); err != nil {
		return saveError(path, err)
	}
	return CheckFile(path)
}

// CheckFile tells whether SaveWith could write to path: the folder is there and a
// file can be made in it.
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

type encoder func(io.Writer, image.Image) error

// encoderOf chooses by the extension and checks the options.
func encoderOf(path string, o SaveOptions) (encoder, error) {
	if o.Depth != 0 && o.Depth != 8 && o.Depth != 16 {
		return nil, fmt.Errorf("%d bits a channel; want 8 or 16", o.Depth)
	}
	if o.Quality < 0 || o.Quality > 100 {
		return nil, fmt.Errorf("JPEG quality %d; want 1–100", o.Quality)
	}
	extension := filepath.Ext(path)
	if extension == "" {
		return nil, errors.New("the name has no extension; want .png, .jpg, .jpeg, .tif or .tiff")
	}
	format, err := imaging.FormatFromExtension(extension)
	if err != nil || !slices.Contains(written, format) {
		return nil, fmt.Errorf("can't write %s; want .png, .jpg, .jpeg, .tif or .tiff", extension)
	}
	if format == imaging.JPEG && o.Depth == 16 {
		return nil, errors.New("JPEG has 8 bits a channel, not 16; use PNG or TIFF")
	}
	quality := o.Quality
	if quality == 0 {
		quality = 95
	}
	if format == imaging.TIFF {
		return encodeTIFF, nil
	}
	return func(w io.Writer, img image.Image) error {
		return imaging.Encode(w, img, format, imaging.JPEGQuality(quality))
	}, nil
}

var written = []imaging.Format{imaging.PNG, imaging.JPEG, imaging.TIFF}
