package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"impasto/internal/atomicfile"
	"impasto/internal/quote"
)

// cache keeps objects in a folder, so that each is fetched once. An object has a folder of its
// digest with the file under each name that jobs know it by.
type cache struct {
	cluster *Cluster
	folder  string
	most    int64 // bytes that may stay
	lock    *flock.Flock

	mutex sync.Mutex
	held  map[string]int // by digest, how many need it
}

const (
	objectFolder = "objects"
	taskFolder   = "jobs"
	contentFile  = "content"
)

// TakenError is the error of a folder that another worker has.
type TakenError struct{ Folder string }

func (e *TakenError) Error() string {
	return fmt.Sprintf("cluster: the folder %s is another worker's; name another with --folder", quote.Name(e.Folder))
}

// newCache opens the cache of a folder, which no other may have, and clears it of what a
// worker that was killed has left.
func newCache(c *Cluster, folder string, most int64) (*cache, error) {
	k := &cache{cluster: c, folder: folder, most: most, held: map[string]int{}}
	if err := os.MkdirAll(filepath.Join(folder, objectFolder), 0o700); err != nil {
		return nil, fmt.Errorf("cluster: make the worker's folder: %w", err)
	}
	k.lock = flock.New(filepath.Join(folder, "lock"))
	if locked, err := k.lock.TryLock(); err != nil {
		return nil, fmt.Errorf("cluster: the worker's folder %s: %w", quote.Name(folder), err)
	} else if !locked {
		return nil, &TakenError{folder}
	}
	tasks := filepath.Join(folder, taskFolder)
	if err := errors.Join(os.RemoveAll(tasks), os.Mkdir(tasks, 0o700)); err != nil {
		return nil, fmt.Errorf("cluster: the worker's folder: %w", err)
	}
	return k, nil
}

// close lets others have the folder.
func (k *cache) close() error { return k.lock.Unlock() }

// newFolder makes a folder for one job.
func (k *cache) newFolder() (string, error) {
	return os.MkdirTemp(filepath.Join(k.folder, taskFolder), "job-")
}

// hold returns the path of an object's file, under its name, and keeps it there until it is
// released.
func (k *cache) hold(ctx context.Context, object Object) (path string, err error) {
	k.mutex.Lock()
	k.held[object.SHA256]++
	k.mutex.Unlock()
	defer func() {
		if err != nil {
			k.release(object)
		}
	}()
	folder := k.folderOf(object.SHA256)
	content := filepath.Join(folder, contentFile)
	if info, err := os.Stat(content); err != nil || info.Size() != object.Bytes {
		if err := os.MkdirAll(filepath.Join(folder, "named"), 0o700); err != nil {
			return "", err
		}
		if err := k.cluster.Download(ctx, object, content); err != nil {
			return "", err
		}
		k.trim()
	}
	now := time.Now()
	_ = os.Chtimes(content, now, now) // trim goes by it
	name := object.FileName()
	if name == "" || !filepath.IsLocal(name) || filepath.Base(name) != name {
		return content, nil
	}
	return linked(content, filepath.Join(folder, "named", name))
}

// linked has a file under another name, too.
func linked(path, name string) (string, error) {
	if _, err := os.Lstat(name); err == nil {
		return name, nil
	}
	if err := os.Link(path, name); err == nil || errors.Is(err, fs.ErrExist) {
		return name, nil
	}
	// Where the file system has no links, it is a copy.
	from, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer from.Close()
	return name, atomicfile.Write(name, func(w io.Writer) error {
		_, err := io.Copy(w, from)
		return err
	})
}

func (k *cache) folderOf(digest string) string {
	return filepath.Join(k.folder, objectFolder, digest)
}

// release says that an object isn't needed any more by one who held it.
func (k *cache) release(object Object) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.held[object.SHA256]--; k.held[object.SHA256] <= 0 {
		delete(k.held, object.SHA256)
	}
}

// trim removes the objects that weren't used for longest, until the others fit.
func (k *cache) trim() {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	type entry struct {
		digest string
		bytes  int64
		used   time.Time
	}
	var all []entry
	var total int64
	entries, _ := os.ReadDir(filepath.Join(k.folder, objectFolder))
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(k.folderOf(e.Name()), contentFile)); err == nil {
			all = append(all, entry{e.Name(), info.Size(), info.ModTime()})
			total += info.Size()
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range all {
		if total <= k.most {
			return
		}
		if k.held[e.digest] == 0 && os.RemoveAll(k.folderOf(e.digest)) == nil {
			total -= e.bytes
		}
	}
}
