package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"github.com/bep/imagemeta"
	"golang.org/x/image/webp"

	"impasto/internal/atomicfile"
	"impasto/internal/tiff"
)

const (
	// maxBytes is the largest file that is read, 1 GiB.
	maxBytes = 1 << 30
	// maxPixelsPerByte is the highest compression that is believed of a file whose
	// picture is larger than trustedPixels. The densest honest file is a
	// one-coloured PNG of 1 bit a pixel: Deflate makes at most 1032 bytes of one,
	// so 8256 pixels.
	maxPixelsPerByte = 1 << 14
	trustedPixels    = 1 << 22
)

// format is a kind of file that can be read.
type format struct {
	name     string
	magic    []string // what a file may begin with; ? is any byte
	config   func(io.Reader) (image.Config, error)
	decode   func(io.Reader) (image.Image, error)
	metadata imagemeta.ImageFormat
	yuv      yuvRange
}

var formats = [...]format{
	{"PNG", []string{"\x89PNG\r\n\x1a\n"}, png.DecodeConfig, png.Decode, imagemeta.PNG, fullRange},
	{"JPEG", []string{"\xff\xd8"}, jpeg.DecodeConfig, jpeg.Decode, imagemeta.JPEG, fullRange},
	{"TIFF", []string{"II*\x00", "MM\x00*", "II+\x00", "MM\x00+"}, tiffConfig, decodeTIFF, imagemeta.TIFF, fullRange},
	{"WebP", []string{"RIFF????WEBP"}, webp.DecodeConfig, webp.Decode, imagemeta.WebP, studioRange},
}

// Open reads a PNG, JPEG, TIFF or WebP file, which it knows by its content.
// The picture is turned upright as the file's EXIF orientation says, and
// composited on white where it is transparent. Of a file with several
// pictures, it is the first.
func Open(ctx context.Context, path string) (*Picture, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return nil, openError(path, err)
	} else if info.IsDir() {
		return nil, openError(path, errors.New("a folder; want a PNG, JPEG, TIFF or WebP image"))
	}
	return Decode(ctx, file, path)
}

// Decode is Open for what a reader gives; name stands for the file in errors.
func Decode(ctx context.Context, r io.Reader, name string) (p *Picture, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			p, err = nil, fmt.Errorf("picture: open %s: the image is damaged: %v", name, fault)
		}
	}()
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, openError(name, err)
	}
	if p, err = decode(data); err != nil {
		return nil, openError(name, err)
	}
	return p, nil
}

// openError puts the name before err, and only once.
func openError(name string, err error) error {
	return fmt.Errorf("picture: open %s: %w", name, atomicfile.WithoutPath(err))
}

func decode(data []byte) (*Picture, error) {
	if len(data) == 0 {
		return nil, errors.New("the file is empty; want a PNG, JPEG, TIFF or WebP image")
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("the file has more than %d MiB; none that large is read", maxBytes>>20)
	}
	f := formatOf(data)
	if f == nil {
		return nil, errors.New("not a PNG, JPEG, TIFF or WebP image")
	}
	config, err := f.config(bytes.NewReader(data))
	if err != nil {
		return nil, f.damaged(err)
	}
	if err := checkClaim(config.Width, config.Height, len(data)); err != nil {
		return nil, fmt.Errorf("the %s header claims %w", f.name, err)
	}
	img, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return nil, f.damaged(err)
	}
	p, err := fromImage(img, f.yuv)
	if err != nil {
		return nil, fmt.Errorf("the %s image has %w", f.name, err)
	}
	return p.upright(f.orientation(data)), nil
}

// checkClaim refuses a size before anything is allocated for it.
func checkClaim(width, height, size int) error {
	if err := checkSize(width, height); err != nil {
		return err
	}
	if pixels := width * height; pixels > trustedPixels && pixels/maxPixelsPerByte > size {
		return fmt.Errorf("%d×%d pixels in a file of %d bytes, which can't be; the file is damaged", width, height, size)
	}
	return nil
}

func formatOf(data []byte) *format {
	for i := range formats {
		for _, magic := range formats[i].magic {
			if hasMagic(data, magic) {
				return &formats[i]
			}
		}
	}
	return nil
}

func hasMagic(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// damaged says in one line why a file of the format can't be read.
func (f *format) damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the %s image ends too early; the file is truncated", f.name)
	}
	if refused := (*tiff.Unsupported)(nil); errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("the %s image is damaged or of an unsupported kind: %w", f.name, err)
}
