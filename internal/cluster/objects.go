package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/atomicfile"
	"impasto/internal/metadata"
	"impasto/internal/quote"
	"impasto/internal/regular"
)

// FullError is the error of a store that has no more space.
type FullError struct{ cause error }

func (e *FullError) Error() string {
	return fmt.Sprintf("the cluster's store of pictures is full (%v); raise its limit with `impasto cluster setup --object-bytes`, or wait until old pictures leave it", e.cause)
}

// Unwrap returns the server's error.
func (e *FullError) Unwrap() error { return e.cause }

// damagedError is the error of an object that isn't what its name says.
type damagedError struct{ object Object }

func (e *damagedError) Error() string {
	return fmt.Sprintf("%s is damaged in the cluster's store; submit the job again", quote.Name(e.object.FileName()))
}

// missingError is the error of an object that isn't there.
type missingError struct{ object Object }

func (e *missingError) Error() string {
	return fmt.Sprintf("%s isn't in the cluster's store any more; submit the job again", quote.Name(e.object.FileName()))
}

// IsLost tells whether an error is that of an object which was in the store and isn't any
// more, or is damaged: a job that is submitted again brings it there again.
func IsLost(err error) bool {
	var missing *missingError
	var damaged *damagedError
	return errors.As(err, &missing) || errors.As(err, &damaged)
}

// uploaded is a file that is in the store.
type uploaded struct {
	object   Object
	modified time.Time
}

// Upload brings a file to the store, unless one of the same content is there, and describes
// it. A file that doesn't change is read once.
func (c *Cluster) Upload(ctx context.Context, path string) (Object, error) {
	c.uploading.Lock() // one at a time: a file goes there once, and the connection is shared
	defer c.uploading.Unlock()
	file, size, err := regular.Open(path)
	if err != nil {
		return Object{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Object{}, err
	}
	if known, ok := c.uploads[path]; ok && known.modified.Equal(info.ModTime()) && known.object.Bytes == size {
		return known.object, nil
	}
	sum, err := regular.Digest(ctx, file)
	if err != nil {
		return Object{}, fmt.Errorf("read %s: %w", quote.Name(path), err)
	}
	object := metadata.NewInput(path, size, sum)
	if err := c.put(ctx, object.SHA256, object, file); err != nil {
		return object, fmt.Errorf("bring %s to the cluster: %w", quote.Name(path), err)
	}
	if c.uploads == nil {
		c.uploads = map[string]uploaded{}
	}
	c.uploads[path] = uploaded{object, info.ModTime()}
	return object, nil
}

// Forget has Upload look again whether files are in the store.
func (c *Cluster) Forget() {
	c.uploading.Lock()
	defer c.uploading.Unlock()
	c.uploads = nil
}

// put stores an object under a name, unless it is there and stays for long enough.
func (c *Cluster) put(ctx context.Context, name string, object Object, from io.ReadSeeker) error {
	there, err := c.has(ctx, name, object)
	if there || err != nil {
		return err
	}
	err = c.patientlyWithin(ctx, transferTime(object.Bytes), transferTime(object.Bytes), func(ctx context.Context) error {
		if _, err := from.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := c.objects.Put(ctx, jetstream.ObjectMeta{Name: name, Description: object.Name}, regular.Reader(ctx, from))
		return err
	})
	if isFull(err) {
		return &FullError{err}
	}
	return err
}

// transferTime is how long a file may take on its way before it is sent anew.
func transferTime(bytes int64) time.Duration {
	const slowest = 1 << 20 // bytes a second
	return answerWait + time.Duration(bytes)*time.Second/slowest
}

// has tells whether an object is in the store, and stays there for long enough that a job
// which is submitted now can read it.
func (c *Cluster) has(ctx context.Context, name string, object Object) (there bool, err error) {
	err = c.patiently(ctx, func(ctx context.Context) error {
		info, err := c.objects.GetInfo(ctx, name)
		there = err == nil && info.Size == uint64(object.Bytes) && time.Since(info.ModTime) < c.Config.Keep/2
		if errors.Is(err, jetstream.ErrObjectNotFound) {
			return nil
		}
		return err
	})
	return there, err
}

// Download writes an object to a file, whole or not at all, after a check that it is what its
// digest says.
func (c *Cluster) Download(ctx context.Context, object Object, path string) error {
	return c.download(ctx, object.SHA256, object, path)
}

// download is Download of an object that has another name in the store.
func (c *Cluster) download(ctx context.Context, name string, object Object, path string) error {
	began := time.Now()
	err := c.patientlyWithin(ctx, transferTime(object.Bytes), transferTime(object.Bytes), func(ctx context.Context) error {
		err := atomicfile.Write(path, func(w io.Writer) error { return c.get(ctx, name, object, w) })
		if c.mayLag() && IsLost(err) && time.Since(began) < lagWait {
			err = errNotYet // that server may have yet to hear of it, or of all of it
		}
		return err
	})
	var damaged *damagedError
	if errors.As(err, &damaged) { // so that whoever has it brings it again
		_ = c.remove(ctx, name)
	}
	return err
}

// get writes an object, and checks what was written.
func (c *Cluster) get(ctx context.Context, name string, object Object, w io.Writer) error {
	from, err := c.objects.Get(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return &missingError{object}
	}
	if err != nil {
		return err
	}
	defer from.Close()
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(w, sum), io.LimitReader(from, object.Bytes+1))
	switch {
	case errors.Is(err, jetstream.ErrDigestMismatch), err == nil && hex.EncodeToString(sum.Sum(nil)) != object.SHA256:
		return &damagedError{object}
	case err != nil:
		return err
	}
	return nil
}

// remove takes an object out of the store, if it is there.
func (c *Cluster) remove(ctx context.Context, name string) error {
	return c.patiently(ctx, func(ctx context.Context) error {
		if err := c.objects.Delete(ctx, name); !errors.Is(err, jetstream.ErrObjectNotFound) {
			return err
		}
		return nil
	})
}

// putFile stores a file under a name that prefix and its digest make.
func (c *Cluster) putFile(ctx context.Context, prefix, path string) (Object, error) {
	file, size, err := regular.Open(path)
	if err != nil {
		return Object{}, err
	}
	defer file.Close()
	sum, err := regular.Digest(ctx, file)
	if err != nil {
		return Object{}, err
	}
	object := metadata.NewInput(path, size, sum)
	return object, c.put(ctx, prefix+object.SHA256, object, file)
}
