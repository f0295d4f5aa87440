// Package faulty has a disk on which things go wrong, for tests of what writes
// files.
package faulty

import (
	"errors"
	"io/fs"
	"os"

	"impasto/internal/atomicfile"
)

// Err is what fails.
var Err = errors.New("the disk is on fire")

// Operations are those that can be made to fail with Err.
var Operations = []string{"create", "write", "sync", "close", "rename"}

// Full is the device that has no space left, where the system has one.
const Full = "/dev/full"

// Disk is a disk on which the operation of one name fails: of Operations, or
// "full", which writes to Full.
type Disk struct {
	atomicfile.Disk
	Failing string
}

// Create implements atomicfile.FileSystem.
func (d Disk) Create(path string, mode fs.FileMode) (atomicfile.File, error) {
	switch d.Failing {
	case "create":
		return nil, &fs.PathError{Op: "open", Path: path, Err: Err}
	case "full":
		// Remove has to find a file of that name.
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return nil, err
		}
		return os.OpenFile(Full, os.O_WRONLY, 0)
	}
	f, err := d.Disk.Create(path, mode)
	return file{f, d.Failing}, err
}

// Rename implements atomicfile.FileSystem.
func (d Disk) Rename(from, to string) error {
	if d.Failing == "rename" {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: Err}
	}
	return d.Disk.Rename(from, to)
}

type file struct {
	atomicfile.File
	failing string
}

func (f file) Write(p []byte) (int, error) {
	if f.failing == "write" {
		return len(p) / 2, Err
	}
	return f.File.Write(p)
}

func (f file) Sync() error {
	if f.failing == "sync" {
		return Err
	}
	return f.File.Sync()
}

func (f file) Close() error {
	err := f.File.Close()
	if f.failing == "close" {
		return Err
	}
	return err
}
