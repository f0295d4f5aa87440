package weights

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"impasto/internal/quote"
	"impasto/internal/regular"
)

// openOwn opens a file for reading and writing, or makes it, but follows no link: what
// is written is written to a file that has no other name. Without this, whoever may
// write to a folder could have any file overwritten.
func openOwn(path string) (*os.File, error) {
	before, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
	}
	if err != nil {
		return nil, err
	}
	if err := regular.Check(path, before); err != nil {
		return nil, fmt.Errorf("%w; remove it and try again", err)
	}
	if links(before) > 1 {
		return nil, fmt.Errorf("%s is a file that has other names too; remove it and try again", quote.Name(path))
	}
	file, err := os.OpenFile(path, os.O_RDWR|noFollow, 0)
	if err != nil {
		return nil, err
	}
	if after, err := file.Stat(); err != nil || !os.SameFile(before, after) {
		file.Close()
		return nil, fmt.Errorf("%s was replaced meanwhile; try again", quote.Name(path))
	}
	return file, nil
}

// lockInterval is how often a lock that another has is tried again.
const lockInterval = 100 * time.Millisecond

// lock waits until nobody else holds the lock at path, a file that is there as long as
// it is held, and returns what gives it back. The system gives it back when a process
// ends, however that ends. Where the file system knows no locks there is none.
func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	for told := false; ; {
		file, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if file != nil {
			return func() {
				_ = os.Remove(path) // while it is held; elsewhere an open file stays
				_ = file.Close()
				removeClosed(path)
			}, nil
		}
		if !told {
			waiting()
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockInterval):
		}
	}
}

// tryLock returns the locked file, or none where another has it.
func tryLock(path string) (*os.File, error) {
	file, err := openOwn(path)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil // another made or removed it just now
	}
	if err != nil {
		return nil, err
	}
	held, err := lockFile(file)
	if err == nil && held {
		// Who had the lock before may have removed the file that was opened here.
		opened, statErr := file.Stat()
		there, err := os.Lstat(path)
		if statErr == nil && err == nil && os.SameFile(opened, there) {
			return file, nil
		}
	}
	file.Close()
	return nil, err
}
