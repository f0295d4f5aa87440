package studio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"impasto/internal/atomicfile"
)

// store is the folder that a studio keeps its things in. Names in it are made here, of
// digests and of ids that the server gave; none comes from a client.
type store struct {
	folder string
	lock   *flock.Flock
}

// ErrInUse is in the error of New where another Studio has the folder open.
var ErrInUse = errors.New("the folder is in use by another studio")

// openStore makes the folder where it isn't there, and locks it.
func openStore(folder string) (*store, error) {
	s := &store{folder: folder, lock: flock.New(filepath.Join(folder, "studio.lock"))}
	for _, sub := range []string{"pictures", "runs"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o700); err != nil {
			return nil, fmt.Errorf("studio: folder %s: %w", folder, err)
		}
	}
	locked, err := s.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("studio: lock the folder %s: %w", folder, err)
	}
	if !locked {
		return nil, fmt.Errorf("studio: %s: %w; stop that one, or choose another folder", folder, ErrInUse)
	}
	// What is left there is of uploads that were cut off.
	if err = os.RemoveAll(s.uploads()); err == nil {
		err = os.Mkdir(s.uploads(), 0o700)
	}
	if err != nil {
		_ = s.close()
		return nil, fmt.Errorf("studio: folder %s: %w", folder, err)
	}
	return s, nil
}

// close lets others open the folder.
func (s *store) close() error { return s.lock.Unlock() }

// uploads is the folder of files that are being uploaded.
func (s *store) uploads() string { return filepath.Join(s.folder, "uploads") }

// picture is the file of a picture.
func (s *store) picture(id string) string { return filepath.Join(s.folder, "pictures", id) }

// run is a file of a run, or its folder where no name is given.
func (s *store) run(id string, name ...string) string {
	return filepath.Join(append([]string{s.folder, "runs", id}, name...)...)
}

// writeFile makes a file of bytes, whole or not at all.
func writeFile(path string, data []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// removeFile removes a file if it is there.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
