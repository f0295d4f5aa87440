// Package atomicfile writes files that appear whole or not at all. A file is
// written under a temporary name in the folder it is for, synced and renamed, so
// an older file of its name stays as it was until then, and for good if anything
// fails.
//
// Errors say what is wrong but don't repeat the path, which the caller knows and
// names together with what it was doing.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Write makes the file at path out of what write writes. Where path is a symbolic
// link, what it points to is replaced. An error of write is returned as it is.
func Write(path string, write func(io.Writer) error) error {
	return WriteOn(Disk{}, path, write)
}

// WriteOn is Write on another file system.
func WriteOn(files FileSystem, path string, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	file, temporary, err := createTemporary(files, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		if removeErr := files.Remove(temporary); removeErr != nil {
			err = fmt.Errorf("%w; the temporary file %s stays behind: %v", err, temporary, WithoutPath(removeErr))
		}
	}()
	if err := fill(file, write); err != nil {
		return err
	}
	return WithoutPath(files.Rename(temporary, path))
}

// fill writes a file to its end and closes it, whatever fails.
func fill(file File, write func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(pathless{file}, 1<<16)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = WithoutPath(file.Sync())
	}
	if closeErr := file.Close(); err == nil {
		err = WithoutPath(closeErr)
	}
	return err
}

// pathless writes to a file whose errors don't name it.
type pathless struct{ io.Writer }

func (w pathless) Write(data []byte) (int, error) {
	n, err := w.Writer.Write(data)
	return n, WithoutPath(err)
}

// Check tells whether Write could write to path: the folder is there and a file
// can be made in it.
func Check(path string) error {
	return CheckOn(Disk{}, path)
}

// CheckOn is Check on another file system.
func CheckOn(files FileSystem, path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return errors.New("a folder of that name is in the way")
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %s does not exist; make it first", folder)
	case err != nil:
		return WithoutPath(err)
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", folder)
	}
	return tryFolder(files, folder)
}

// tryFolder makes a file in a folder and takes it away again.
func tryFolder(files FileSystem, folder string) error {
	file, name, err := createTemporary(files, folder)
	if err != nil {
		return err
	}
	closeErr := file.Close()
	if err := files.Remove(name); err != nil {
		return fmt.Errorf("the temporary file %s stays behind: %w", name, WithoutPath(err))
	}
	return WithoutPath(closeErr)
}

// createTemporary makes a hidden file in folder under a name that is free.
func createTemporary(files FileSystem, folder string) (File, string, error) {
	const attempts = 100
	var err error
	for range attempts {
		name := filepath.Join(folder, fmt.Sprintf(".impasto-%016x.tmp", rand.Uint64()))
		var file File
		if file, err = files.Create(name); err == nil {
			return file, name, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return nil, "", fmt.Errorf("can't write in the folder %s: %w", folder, WithoutPath(err))
}

// Replaces returns the first of the files, under whichever path it is named, that
// writing to path would replace; ok is false where there is none.
func Replaces(path string, files []string) (file string, ok bool) {
	target, err := os.Stat(path)
	if err != nil {
		return "", false
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && os.SameFile(target, info) {
			return file, true
		}
	}
	return "", false
}
