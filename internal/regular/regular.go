// Package regular opens files that end: regular ones. Pipes may wait for ever to be
// opened, and devices may never end.
package regular

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"

	"impasto/internal/quote"
)

// Open opens a regular file for reading, and returns how many bytes it has. It looks
// first, because opening a pipe waits for someone to write to it.
func Open(path string) (file *os.File, size int64, err error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if err := Check(path, before); err != nil {
		return nil, 0, err
	}
	if file, err = os.Open(path); err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil {
		err = Check(path, info)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// kinds are those of files that aren't regular.
var kinds = []struct {
	mode fs.FileMode
	name string
}{
	{fs.ModeDir, "folder"}, {fs.ModeNamedPipe, "pipe"}, {fs.ModeSocket, "socket"}, {fs.ModeDevice, "device"}, {fs.ModeSymlink, "link"},
}

// Check reports a file that isn't regular, and says what it is instead.
func Check(path string, info fs.FileInfo) error {
	for _, k := range kinds {
		if info.Mode()&k.mode != 0 {
			return fmt.Errorf("%s is a %s, not a regular file", quote.Name(path), k.name)
		}
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", quote.Name(path))
	}
	return nil
}

// Digest returns the SHA-256 of a whole file, hexadecimal. Reading ends with an error
// once ctx does.
func Digest(ctx context.Context, file io.ReadSeeker) (string, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	hasher := sha256.New()
	_, err := io.Copy(hasher, Reader(ctx, file))
	return hex.EncodeToString(hasher.Sum(nil)), err
}

// Reader reads from another reader until the context ends; from then on reading is an
// error, the context's cause.
func Reader(ctx context.Context, from io.Reader) io.Reader { return reader{ctx, from} }

type reader struct {
	ctx  context.Context
	from io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.from.Read(p)
}
