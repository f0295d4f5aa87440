package picture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// fileSystem is what writing needs of the disk; tests put failing ones in its
// place.
type fileSystem interface {
	// create makes a new file and fails where one of that name is.
	create(path string) (newFile, error)
	rename(from, to string) error
	remove(path string) error
}

type newFile interface {
	io.WriteCloser
	Sync() error
}

type disk struct{}

func (disk) create(path string) (newFile, error) {
	// Mode 0666 less the user's mask is what any program's new file has;
	// os.CreateTemp would make it private.
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }

func (disk) remove(path string) error { return os.Remove(path) }

// createTemporary makes a hidden file in folder under a name that is free.
func createTemporary(files fileSystem, folder string) (newFile, string, error) {
	const attempts = 100
	var err error
	for range attempts {
		name := filepath.Join(folder, fmt.Sprintf(".impasto-%016x.tmp", rand.Uint64()))
		var file newFile
		if file, err = files.create(name); err == nil {
			return file, name, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return nil, "", fmt.Errorf("can't write in the folder %s: %w", folder, withoutPath(err))
}

// tryFolder makes a file beside path and takes it away again.
func tryFolder(files fileSystem, path string) error {
	file, name, err := createTemporary(files, filepath.Dir(path))
	if err != nil {
		return err
	}
	closeErr := file.Close()
	if err := files.remove(name); err != nil {
		return fmt.Errorf("the temporary file %s stays behind: %w", name, withoutPath(err))
	}
	return closeErr
}

// withoutPath takes the path of a temporary file, which means nothing to a
// user, out of an operating system's error.
func withoutPath(err error) error {
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return pathError.Err
	}
	if linkError := (*os.LinkError)(nil); errors.As(err, &linkError) {
		return linkError.Err
	}
	return err
}
