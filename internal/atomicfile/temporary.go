package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
)

// temporaryName is the form of the names that files have until they are whole. They
// don't grow with the names of what they become.
var temporaryName = regexp.MustCompile(`^\.impasto-[0-9a-f]{16}\.tmp$`)

func newTemporaryName() string { return fmt.Sprintf(".impasto-%016x.tmp", rand.Uint64()) }

// temporary is a file that isn't whole yet.
type temporary struct {
	file File
	path string
	held *os.File // the same file, locked until it is renamed; nil where there are no locks
}

// createTemporary makes a hidden file in folder under a name that is free.
func createTemporary(files FileSystem, folder string, mode fs.FileMode) (temporary, error) {
	const attempts = 100
	var err error
	for range attempts {
		t := temporary{path: folder + newTemporaryName()}
		if t.file, err = files.Create(t.path, mode); err == nil {
			if t.held, err = hold(t.path); err == nil {
				return t, nil
			}
			t.file.Close() // who sweeps has removed it, or is about to
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return temporary{}, fmt.Errorf("can't write in the folder %s: %w", filepath.Clean(folder), WithoutPath(err))
}

// release lets others sweep what is left of a temporary file.
func (t temporary) release() {
	if t.held != nil {
		t.held.Close()
	}
}

// protectAs gives the file the permissions of the one that it will replace, if any.
func (t temporary) protectAs(older target) {
	if t.held != nil && older.old != nil {
		protect(t.held, older.path(), older.old)
	}
}

// sweep removes the temporary files that runs which were killed have left in a
// folder. Whatever goes wrong is no concern of who writes there.
func sweep(folder string) {
	if folder == "" {
		folder = "."
	}
	listing, err := os.Open(folder)
	if err != nil {
		return
	}
	defer listing.Close()
	for {
		names, err := listing.Readdirnames(1000)
		for _, name := range names {
			if temporaryName.MatchString(name) {
				removeAbandoned(filepath.Join(folder, name))
			}
		}
		if err != nil {
			return
		}
	}
}

// removeProbe removes a folder that Check has left, with the empty file that may be
// in it. One that holds anything else stays.
func removeProbe(path string) {
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) > 1 {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > 0 {
			return
		}
		os.Remove(filepath.Join(path, entry.Name()))
	}
	os.Remove(path)
}
