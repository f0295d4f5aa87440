package weights

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// noFollow is nothing here; links are told by what is opened then being another file.
const noFollow = 0

// links isn't told by what the system says of a file's name.
func links(fs.FileInfo) uint64 { return 1 }

// lockFile locks a byte of a file unless another has it locked.
func lockFile(file *os.File) (held bool, err error) {
	err = windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// removeClosed removes a file that couldn't be while it was open; where another opened
// it meanwhile, that one will.
func removeClosed(path string) { _ = os.Remove(path) }
