package picture

import (
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"
)

// Written are the formats that pictures are written in.
var Written = [...]string{"png", "jpeg", "tiff", "webp"}

// written are their names as people write them.
var written = map[string]string{"png": "PNG", "jpeg": "JPEG", "tiff": "TIFF", "webp": "WebP"}

// Title is the name of one of Written as people write it.
func Title(format string) string { return written[format] }

// IsShallow tells whether one of Written has 8 bits a channel at most.
func IsShallow(format string) bool { return format == "jpeg" || format == "webp" }

// FormatOf returns which of Written a file of that name is written in, by its
// extension, or what is wrong with the name.
func FormatOf(path string) (string, error) {
	if _, err := encoderOf(path, SaveOptions{}); err != nil {
		return "", saveError(path, err)
	}
	extension := strings.ToLower(filepath.Ext(path))
	switch {
	case isJPEG(extension):
		return "jpeg", nil
	case extension == ".png":
		return "png", nil
	case extension == ".webp":
		return "webp", nil
	}
	return "tiff", nil
}

// Encode writes img to w as Save writes a file, in the format of the options, which
// is PNG where they say none.
func Encode(w io.Writer, img image.Image, o SaveOptions) error {
	if o.Format == "" {
		o.Format = Written[0]
	}
	write, err := writerOf("", img, o)
	if err == nil {
		err = write(w)
	}
	if err != nil {
		return fmt.Errorf("picture: write %s: %w", strings.ToUpper(o.Format), err)
	}
	return nil
}
