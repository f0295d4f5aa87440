//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// hold locks a temporary file that was just made, so that nobody takes it for one
// that was left behind: the system lets go of the lock where a process ends, however
// it ends. The error is fs.ErrExist where it was taken for one already.
func hold(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrExist
	}
	if err != nil {
		return nil, nil // it can be written all the same
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || !names(path, file) {
		file.Close()
		return nil, fs.ErrExist
	}
	return file, nil // maybe not locked: where there are no locks, nothing is swept
}

// names tells whether path is a name of an open file.
func names(path string, file *os.File) bool {
	held, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(held, named)
}

// removeAbandoned removes a temporary file of this user that no process holds, or a
// temporary folder of Check's that is a minute old.
func removeAbandoned(path string) {
	info, err := os.Lstat(path)
	if err != nil || !owned(info) {
		return
	}
	if info.IsDir() {
		if time.Since(info.ModTime()) > time.Minute {
			removeProbe(path)
		}
		return
	}
	if !info.Mode().IsRegular() {
		return
	}
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && names(path, file) {
		os.Remove(path)
	}
}

// owned tells whether a file is this user's.
func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
