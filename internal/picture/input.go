package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"impasto/internal/regular"
)

// openFile opens what pictures can be read from: regular files and pipes. It
// doesn't open anything else, since opening alone may block or have effects.
func openFile(ctx context.Context, path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := checkKind(info); err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() {
		return os.Open(path)
	}
	// Opening a pipe waits for a writer.
	opened := make(chan *os.File, 1)
	file, err := within(ctx, func() (*os.File, error) {
		file, err := os.Open(path)
		opened <- file
		return file, err
	})
	if err != nil && file == nil {
		go func() { (<-opened).Close() }() // whenever it comes
	}
	return file, err
}

// checkKind refuses what is neither a regular file nor a pipe, and regular files
// that are too large.
func checkKind(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return fmt.Errorf("a folder; want a %s image", Formats())
	case mode&fs.ModeSocket != 0:
		return errors.New("a socket; want a picture in a file or from a pipe")
	case mode&(fs.ModeDevice|fs.ModeCharDevice) != 0:
		return errors.New("a device; want a picture in a file or from a pipe")
	case mode.IsRegular() && info.Size() > maxBytes:
		return fmt.Errorf("the file has more than %d MiB; none that large is read", maxBytes>>20)
	case !mode.IsRegular() && mode&fs.ModeNamedPipe == 0:
		return errors.New("not a regular file; want a picture in a file or from a pipe")
	}
	return nil
}

// headBytes is how much of a file is looked at to tell what it is.
const headBytes = 4096

// readFile reads a whole file, but no more than its beginning where that is of
// no format that is read.
func readFile(ctx context.Context, r io.Reader, available func() (int64, bool)) ([]byte, *format, error) {
	most := int64(maxBytes)
	if free, known := available(); known {
		most = min(most, free/3) // a buffer that grows is copied to one of twice its size
	}
	var file bytes.Buffer
	if size, known := sizeOf(r); known && size <= maxBytes {
		most = maxBytes
		if free, known := available(); known && size > free {
			return nil, nil, memoryError("the file", size, free)
		}
		file.Grow(int(size) + bytes.MinRead) // so that it needn't move as it grows
	}
	r = regular.Reader(ctx, io.LimitReader(r, most+1))
	if _, err := io.CopyN(&file, r, headBytes); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	f, err := identify(file.Bytes())
	if err != nil {
		return nil, nil, err
	}
	if _, err := file.ReadFrom(r); err != nil {
		return nil, nil, err
	}
	if int64(file.Len()) > most {
		return nil, nil, fmt.Errorf("the file has more than %d MiB; none that large is read", most>>20)
	}
	return file.Bytes(), f, nil
}

// sizeOf tells the size of a regular file.
func sizeOf(r io.Reader) (bytes int64, known bool) {
	file, ok := r.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return 0, false
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Size(), true
}

// chain reads one part after the other.
func chain(parts ...[]byte) io.Reader {
	var readers []io.Reader
	for _, part := range parts {
		readers = append(readers, bytes.NewReader(part))
	}
	return io.MultiReader(readers...)
}
