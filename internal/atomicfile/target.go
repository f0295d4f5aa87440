package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// target is the file that a path leads to.
type target struct {
	folder string      // with a separator at its end, or empty for the current one
	name   string      // in the folder
	old    fs.FileInfo // of the regular file that is there; nil where there is none
}

func (t target) path() string { return t.folder + t.name }

// mode is what a file in the target's place is made with: that of any program's new
// file, or, until it gets the older file's own, one that lets nobody else read it.
func (t target) mode() fs.FileMode {
	if t.old != nil {
		return 0o600
	}
	return 0o666
}

// targetOf follows the symbolic links of a path, and refuses what a file can't or
// shouldn't take the place of.
func targetOf(path string) (target, error) {
	there, err := os.Stat(path)
	switch {
	case err == nil:
		if err := checkReplaceable(there); err != nil {
			return target{}, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		folder, _ := filepath.Split(path)
		if err := checkFolder(folder); err != nil {
			return target{}, err
		}
		return target{}, WithoutPath(err)
	}
	end, err := followLinks(path)
	if err != nil {
		return target{}, err
	}
	t := target{old: there}
	t.folder, t.name = filepath.Split(end)
	if err := checkFolder(t.folder); err != nil {
		return target{}, err
	}
	if t.name == "" {
		return target{}, errors.New("it names a folder; want a file")
	}
	if last, err := os.Lstat(end); (err == nil) != (there != nil) || err == nil && !os.SameFile(there, last) {
		// The links of /proc/self/fd, for one, lead to files that may have no name.
		return target{}, errors.New("its symbolic link leads to a file that can't be found by name; name the file itself")
	}
	return t, nil
}

// followLinks returns where the symbolic links of a path end, whether a file is
// there or not. It never shortens a path: in link/../name, the dots lead out of the
// folder that the link points to.
func followLinks(path string) (string, error) {
	const most = 40 // as on Linux
	for range most {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", WithoutPath(err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", WithoutPath(err)
		}
		if !filepath.IsAbs(link) {
			folder, _ := filepath.Split(path)
			link = folder + link
		}
		path = link
	}
	return "", errors.New("its symbolic links lead in a circle")
}

// checkReplaceable tells what may not be replaced: all but regular files, and those
// that are write-protected, whoever asks.
func checkReplaceable(info fs.FileInfo) error {
	mode := info.Mode()
	kind := ""
	switch {
	case mode.IsDir():
		return errors.New("a folder of that name is in the way")
	case mode.IsRegular():
		if mode.Perm()&0o222 == 0 {
			return errors.New("the file there is write-protected; make it writable (chmod u+w) or name another")
		}
		return nil
	case mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	default:
		kind = "something else"
	}
	return fmt.Errorf("it is %s; want the name of a regular file or a new one", kind)
}

// checkFolder tells whether a folder is there; the empty one is the current.
func checkFolder(folder string) error {
	if folder == "" {
		folder = "."
	}
	shown := filepath.Clean(folder)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %s does not exist; make it first", shown)
	case err != nil:
		// A file on the way to it makes even its last separator an error.
		if info, err := os.Stat(shown); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is not a folder", shown)
		}
		return fmt.Errorf("the folder %s: %w", shown, WithoutPath(err))
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", shown)
	}
	return nil
}

// open opens an older file for writing and closes it again, as it is: who may not
// write to it may not replace it.
func (t target) open() error {
	if t.old == nil {
		return nil
	}
	file, err := os.OpenFile(t.path(), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("the file there can't be written: %w", WithoutPath(err))
	}
	return WithoutPath(file.Close())
}
