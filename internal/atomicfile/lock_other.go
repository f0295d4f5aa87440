//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import (
	"os"
	"time"
)

// hold would lock a temporary file; where there are no such locks, its age tells that
// it was left behind.
func hold(string) (*os.File, error) { return nil, nil }

// removeAbandoned removes a temporary file or folder that is a day old.
func removeAbandoned(path string) {
	info, err := os.Lstat(path)
	switch {
	case err != nil || time.Since(info.ModTime()) < 24*time.Hour:
	case info.IsDir():
		removeProbe(path)
	case info.Mode().IsRegular():
		os.Remove(path)
	}
}
