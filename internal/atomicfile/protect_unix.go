//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// protect gives a file the owner, the group and the permissions of the older one at
// path, as far as the system lets this user. Where it can't have the group or the
// access control list, the group may do no more than everybody. What fails leaves the
// file more private, never less.
func protect(file *os.File, path string, old fs.FileInfo) {
	mode := old.Mode().Perm()
	everybody := mode & 0o007
	strict := mode&0o707 | everybody<<3
	if stat, ok := old.Sys().(*syscall.Stat_t); ok && file.Chown(int(stat.Uid), int(stat.Gid)) != nil && file.Chown(-1, int(stat.Gid)) != nil {
		mode = strict
	}
	if file.Chmod(mode) == nil && copyAccessList(file, path) != nil {
		_ = file.Chmod(strict)
	}
}

// tryReplacing tells whether a file may be replaced: a folder may have the sticky
// bit, in which all may make files and none may touch another's. A folder can never
// take a file's place, so the system refuses either way, but says first where the
// user isn't allowed to.
func tryReplacing(probe, path string) error {
	err := os.Rename(probe, path)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("the file there may not be replaced: %w", WithoutPath(err))
	}
	return nil
}
