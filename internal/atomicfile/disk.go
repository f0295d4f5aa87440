package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// FileSystem is what writing needs of a disk. Disk is the real one; tests put
// failing ones in its place.
type FileSystem interface {
	// Create makes a new file, its permissions less the user's mask, and fails where
	// one of that name is.
	Create(path string, mode fs.FileMode) (File, error)
	Rename(from, to string) error
	Remove(path string) error
}

// File is one that is being written.
type File interface {
	io.WriteCloser
	Sync() error
}

// Disk is the operating system's file system.
type Disk struct{}

// Create implements FileSystem.
func (Disk) Create(path string, mode fs.FileMode) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// Rename implements FileSystem.
func (Disk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FileSystem.
func (Disk) Remove(path string) error { return os.Remove(path) }

// WithoutPath takes the path out of an operating system's error, for those who
// name it themselves, or where it is a temporary file's, which means nothing to a
// user.
func WithoutPath(err error) error {
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return pathError.Err
	}
	if linkError := (*os.LinkError)(nil); errors.As(err, &linkError) {
		return linkError.Err
	}
	return err
}
