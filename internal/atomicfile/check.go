package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Check tells whether Write could write to path, by trying all that it will do: the
// folder that the path leads to is there, a file can be made in it, its name is one
// that a file can have, and a file that is there may be written and replaced.
// Nothing changes.
func Check(path string) error {
	return CheckOn(Disk{}, path)
}

// CheckOn is Check on another file system.
func CheckOn(files FileSystem, path string) error {
	target, err := targetOf(path)
	if err != nil {
		return err
	}
	sweep(target.folder)
	if err := tryFolder(files, target.folder); err != nil {
		return err
	}
	if err := target.open(); err != nil {
		return err
	}
	return target.tryName()
}

// CheckFolder tells whether a folder is there or could be made, with all that it is in.
// Nothing changes.
func CheckFolder(folder string) error {
	if _, err := os.Stat(folder); err == nil {
		return checkFolder(folder)
	}
	first := filepath.Clean(folder)
	for parent := filepath.Dir(first); parent != first; first, parent = parent, filepath.Dir(parent) {
		if _, err := os.Stat(parent); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return Check(first)
}

// tryFolder makes a file in a folder and takes it away again.
func tryFolder(files FileSystem, folder string) error {
	temporary, err := createTemporary(files, folder, 0o600)
	if err != nil {
		return err
	}
	defer temporary.release()
	closeErr := temporary.file.Close()
	if err := files.Remove(temporary.path); err != nil {
		return fmt.Errorf("the temporary file %s stays behind: %w", temporary.path, WithoutPath(err))
	}
	return WithoutPath(closeErr)
}

// tryName tells whether a file can get the target's name. A name that is free is
// tried in a new folder beside it, where nobody else can be meant; one that isn't, by
// a replacement that is bound to fail.
func (t target) tryName() error {
	probe := t.folder + newTemporaryName()
	if err := os.Mkdir(probe, 0o700); err != nil {
		return nil // where no folders can be made, the write itself will tell
	}
	defer os.Remove(probe)
	if t.old != nil {
		return tryReplacing(probe, t.path())
	}
	root, err := os.OpenRoot(probe)
	if err != nil {
		return nil
	}
	defer root.Close()
	file, err := root.OpenFile(t.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("no file of that name can be made: %w", WithoutPath(err))
	}
	file.Close()
	return WithoutPath(root.Remove(t.name))
}
