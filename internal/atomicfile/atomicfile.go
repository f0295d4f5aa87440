// Package atomicfile writes files that appear whole or not at all. A file is
// written under a temporary name in the folder it is for, synced and renamed, so
// an older file of its name stays as it was until then, and for good if anything
// fails.
//
// What is there already is treated as a plain write would treat it: a symbolic
// link is followed, even to a file that isn't there yet, a write-protected file is
// refused, and permissions and, where possible, owners stay. Only regular files are
// replaced, never devices, pipes or sockets.
//
// Errors say what is wrong but don't repeat the path, which the caller knows and
// names together with what it was doing.
package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// Write makes the file at path out of what write writes. Where path is a symbolic
// link, what it points to is made or replaced. An error of write is returned as it
// is.
func Write(path string, write func(io.Writer) error) error {
	return WriteOn(Disk{}, path, write)
}

// WriteOn is Write on another file system.
func WriteOn(files FileSystem, path string, write func(io.Writer) error) (err error) {
	target, err := targetOf(path)
	if err != nil {
		return err
	}
	if err := target.open(); err != nil {
		return err
	}
	sweep(target.folder)
	temporary, err := createTemporary(files, target.folder, target.mode())
	if err != nil {
		return err
	}
	defer temporary.release()
	defer func() {
		if err == nil {
			return
		}
		if removeErr := files.Remove(temporary.path); removeErr != nil {
			err = fmt.Errorf("%w; the temporary file %s stays behind: %v", err, temporary.path, WithoutPath(removeErr))
		}
	}()
	if err := fill(temporary.file, write); err != nil {
		return err
	}
	temporary.protectAs(target)
	return WithoutPath(files.Rename(temporary.path, target.path()))
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
