package picture

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/disintegration/imaging"
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
// white. The file appears whole or not at all: it is written to a temporary
// file in the same folder, synced and renamed, so an older file of that name
// stays as it was until then, and for good if anything fails.
func Save(path string, img image.Image, o SaveOptions) error {
	return saveTo(disk{}, path, img, o)
}

func saveTo(files fileSystem, path string, img image.Image, o SaveOptions) error {
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
	return saveError(path, writeWhole(files, path, func(w io.Writer) error { return encode(w, img) }))
}

// WriteFile makes the file at path out of what write writes, whole or not at all,
// as Save does for pictures.
func WriteFile(path string, write func(io.Writer) error) error {
	return saveError(path, writeWhole(disk{}, path, write))
}

// CheckOutput tells before hours of work whether Save could write to path: the
// extension is known, the folder is there and a file can be made in it.
func CheckOutput(path string) error {
	if _, err := encoderOf(path, SaveOptions{}); err != nil {
		return saveError(path, err)
	}
	return checkOutput(disk{}, path)
}

// CheckFile tells whether WriteFile could write to path: the folder is there and
// a file can be made in it.
func CheckFile(path string) error {
	return checkOutput(disk{}, path)
}

func checkOutput(files fileSystem, path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return saveError(path, errors.New("a folder of that name is in the way"))
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return saveError(path, fmt.Errorf("the folder %s does not exist; make it first", folder))
	case err != nil:
		return saveError(path, err)
	case !info.IsDir():
		return saveError(path, fmt.Errorf("%s is not a folder", folder))
	}
	return saveError(path, tryFolder(files, path))
}

// saveError puts the path before err, and only once; nil stays nil.
func saveError(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("picture: save %s: %w", path, withoutPath(err))
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
	return func(w io.Writer, img image.Image) error {
		return imaging.Encode(w, img, format, imaging.JPEGQuality(quality))
	}, nil
}

var written = []imaging.Format{imaging.PNG, imaging.JPEG, imaging.TIFF}

// writeWhole makes the file at path out of what write writes, or leaves
// everything as it was.
func writeWhole(files fileSystem, path string, write func(io.Writer) error) (err error) {
	// A link stays one: what it points to is replaced.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	temporary, name, err := createTemporary(files, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		if removeErr := files.remove(name); removeErr != nil {
			err = fmt.Errorf("%w; the temporary file %s stays behind: %v", withoutPath(err), name, withoutPath(removeErr))
		}
	}()
	buffered := bufio.NewWriterSize(temporary, 1<<16)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = temporary.Sync()
	}
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return files.rename(name, path)
}
