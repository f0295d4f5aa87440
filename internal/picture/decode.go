package picture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/tiff"
)

const (
	// maxBytes is the largest file that is read, 4 GiB.
	maxBytes = 4 << 30
	// maxPixelsPerByte is the highest compression that is believed of a file whose
	// picture is larger than trustedPixels. The densest honest file is a
	// one-coloured PNG of 1 bit a pixel: Deflate makes at most 1032 bytes of one,
	// so 8256 pixels.
	maxPixelsPerByte = 1 << 14
	trustedPixels    = 1 << 22
)

// Open reads a file of one of the kinds in Formats, which it knows by its
// content. The picture is turned upright as the file says, and its colours are
// converted to sRGB. Of a file with several pictures, it is the
// first or, where the file says so, the main one; a remark says so. What the
// header claims is held against the memory that there is before anything is
// allocated for it. When ctx ends, so does Open, with its cause as the error.
//
// Devices and sockets are refused. Pipes are read until their end.
func Open(ctx context.Context, path string) (*Picture, error) {
	s, err := OpenSource(ctx, path)
	if err != nil {
		return nil, err
	}
	return s.Picture(ctx)
}

// Decode is Open for what a reader gives; name stands for the file in errors.
// It ends with ctx even where the reader blocks; then a goroutine goes on
// waiting for the reader.
func Decode(ctx context.Context, r io.Reader, name string) (*Picture, error) {
	s, err := ReadSource(ctx, r, name)
	if err != nil {
		return nil, err
	}
	return s.Picture(ctx)
}

// within returns what do returns, or ctx's cause as soon as it ends. Then do
// goes on by itself until it sees that ctx has ended. A panic becomes an error.
func within[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if fault := recover(); fault != nil {
				r.err = fmt.Errorf("the image is damaged: %v", fault)
			}
			done <- r
		}()
		r.value, r.err = do()
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// openError puts the name before err, and only once.
func openError(name string, err error) error {
	return &ReadError{Name: name, Err: atomicfile.WithoutPath(err)}
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

var (
	errTruncated = errors.New("truncated")
	errDamaged   = errors.New("damaged")
)

// unread is a kind of a format that is not read. Its text follows the name of
// the format, as in "the JPEG image is lossless".
type unread string

func (u unread) Error() string { return string(u) }

// fault says in one line and in plain words why a file of the format can't be
// read.
func (f *format) fault(err error) error {
	var kind unread
	switch {
	case errors.Is(err, errTruncated), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the %s image ends too early; the file is truncated", f.name)
	case errors.As(err, &kind):
		return fmt.Errorf("the %s image %w, which is not read; save it as an ordinary PNG first", f.name, kind)
	}
	if refused := (*tiff.Unsupported)(nil); errors.As(err, &refused) {
		return err
	}
	detail := err.Error()
	for _, prefix := range []string{"png: ", "gif: ", "tiff: ", "webp: ", "vp8: ", "vp8l: ", "bmp: ", "riff: ", "invalid format: ", "damaged: "} {
		detail = strings.TrimPrefix(detail, prefix)
	}
	if err == errDamaged {
		return fmt.Errorf("the %s image is damaged", f.name)
	}
	return fmt.Errorf("the %s image is damaged: %s", f.name, detail)
}
