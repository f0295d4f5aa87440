package weights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// What Fetch fetches by default: the full-precision network that the
// torchvision project publishes, 574,673,361 bytes with its classifier.
const (
	FetchURL    = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
	FetchSHA256 = "dcbb9e9d" // the beginning, which the name carries
)

// maxFetch bounds a download.
const maxFetch = 2 << 30

// FetchOptions say what to fetch; the zero value fetches torchvision's network.
type FetchOptions struct {
	URL    string // FetchURL if empty
	SHA256 string // the digest or its beginning, hexadecimal; FetchSHA256 if empty
	Folder string // CacheFolder() if empty

	// Client makes the requests; nil uses one that waits 30 seconds for an answer.
	Client *http.Client
	// Patience is how long a transfer may stand still; a minute if zero.
	Patience time.Duration

	// Progress, unless nil, is called on the goroutine that runs Fetch with the
	// bytes there are so far and those of the whole file, or -1 if that is not
	// known.
	Progress func(done, total int64)
}

// Fetch downloads a weight file, checks its digest, and returns its path. A file
// that is there already is checked and kept. What was transferred before an
// interruption is kept as NAME.part, and the next call goes on from there where
// the server allows it.
func Fetch(ctx context.Context, options FetchOptions) (string, error) {
	f, err := newFetcher(options)
	if err != nil {
		return "", err
	}
	if err := f.fetch(ctx); err != nil {
		var request *url.Error // names the address once more
		if errors.As(err, &request) {
			err = request.Err
		}
		return "", fmt.Errorf("weights: fetching %s: %w", f.URL, err)
	}
	return f.path, nil
}

// fetcher is one download.
type fetcher struct {
	FetchOptions
	path, part string
}

func newFetcher(options FetchOptions) (*fetcher, error) {
	f := &fetcher{FetchOptions: options}
	if f.URL == "" {
		f.URL = FetchURL
	}
	if f.SHA256 == "" {
		f.SHA256 = FetchSHA256
	}
	f.SHA256 = strings.ToLower(f.SHA256)
	if len(f.SHA256) < 8 || len(f.SHA256) > 64 || strings.Trim(f.SHA256, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("weights: fetching %s: SHA-256 %q is none, want 8 to 64 hexadecimal digits", f.URL, f.SHA256)
	}
	if f.Client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = 30 * time.Second
		f.Client = &http.Client{Transport: transport}
	}
	if f.Patience == 0 {
		f.Patience = time.Minute
	}
	if f.Progress == nil {
		f.Progress = func(int64, int64) {}
	}
	if f.Folder == "" {
		var err error
		if f.Folder, err = CacheFolder(); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequest(http.MethodGet, f.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("weights: fetching %s: %w", f.URL, err)
	}
	name := path.Base(request.URL.Path)
	if name == "/" || name == "." || name == ".." || strings.ContainsAny(name, `\:`) {
		return nil, fmt.Errorf("weights: fetching %s: the address names no file", f.URL)
	}
	f.path = filepath.Join(f.Folder, name)
	f.part = f.path + ".part"
	return f, nil
}

func (f *fetcher) fetch(ctx context.Context) error {
	if digest, size, err := digestOf(ctx, f.path); err == nil && strings.HasPrefix(digest, f.SHA256) {
		f.Progress(size, size)
		return nil
	} else if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := os.MkdirAll(f.Folder, 0o777); err != nil {
		return err
	}
	file, err := os.OpenFile(f.part, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return err
	}
	digest, resumed, err := f.transfer(ctx, file)
	if err == nil && !strings.HasPrefix(digest, f.SHA256) && resumed {
		// The beginning was of another file, or damaged.
		if err = file.Truncate(0); err == nil {
			digest, _, err = f.transfer(ctx, file)
		}
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		if info, failed := os.Stat(f.part); failed == nil && info.Size() == 0 {
			err = errors.Join(err, os.Remove(f.part))
		}
		return err
	}
	if !strings.HasPrefix(digest, f.SHA256) {
		return errors.Join(fmt.Errorf("got a file with SHA-256 %s, want %s…: it was removed, try again", digest, f.SHA256), os.Remove(f.part))
	}
	return os.Rename(f.part, f.path)
}

// transfer completes the file and returns its digest, and whether it went on
// from an earlier beginning.
func (f *fetcher) transfer(ctx context.Context, file *os.File) (digest string, resumed bool, err error) {
	hasher := sha256.New()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", false, err
	}
	have, err := io.Copy(hasher, &contextReader{ctx, file})
	if err != nil {
		return "", false, err
	}
	if have > 0 && strings.HasPrefix(hex.EncodeToString(hasher.Sum(nil)), f.SHA256) {
		return hex.EncodeToString(hasher.Sum(nil)), false, nil // whole, but not yet renamed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body, have, total, err := f.request(ctx, have)
	if err != nil {
		return "", false, err
	}
	defer body.Close()
	resumed = have > 0
	if !resumed {
		hasher.Reset()
	}
	if err := file.Truncate(have); err != nil {
		return "", resumed, err
	}
	if _, err := file.Seek(have, io.SeekStart); err != nil {
		return "", resumed, err
	}
	if err := f.copy(ctx, cancel, io.MultiWriter(hasher, file), body, have, total); err != nil {
		return "", resumed, err
	}
	return hex.EncodeToString(hasher.Sum(nil)), resumed, nil
}

// request asks for what is missing behind the first have bytes. It returns the
// rest, how many bytes come before it (0 where the server begins anew), and the
// whole length, or -1.
func (f *fetcher) request(ctx context.Context, have int64) (body io.ReadCloser, start, total int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return nil, 0, 0, err
	}
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	response, err := f.Client.Do(request)
	if err != nil {
		return nil, 0, 0, err
	}
	total = response.ContentLength
	switch {
	case response.StatusCode == http.StatusOK:
		start = 0
	case response.StatusCode == http.StatusPartialContent && have > 0:
		var last int64
		// The whole length is a star where the server does not know it.
		n, _ := fmt.Sscanf(response.Header.Get("Content-Range"), "bytes %d-%d/%d", &start, &last, &total)
		if n < 2 || start != have {
			response.Body.Close()
			return nil, 0, 0, fmt.Errorf("the server sent %q, want what follows byte %d: remove %s and try again",
				response.Header.Get("Content-Range"), have, f.part)
		}
		if n == 2 {
			total = -1
		}
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		response.Body.Close()
		return f.request(ctx, 0)
	default:
		response.Body.Close()
		return nil, 0, 0, fmt.Errorf("the server answered %q, want the file", response.Status)
	}
	if total > maxFetch {
		response.Body.Close()
		return nil, 0, 0, fmt.Errorf("the server offers %d bytes, want at most %d", total, int64(maxFetch))
	}
	return response.Body, start, total, nil
}

// copy writes the body, reports progress, and gives up where the transfer stands
// still.
func (f *fetcher) copy(ctx context.Context, cancel context.CancelCauseFunc, to io.Writer, body io.Reader, done, total int64) error {
	idle := time.AfterFunc(f.Patience, func() {
		cancel(fmt.Errorf("nothing came for %v: run it again to go on", f.Patience))
	})
	defer idle.Stop()
	buffer := make([]byte, 1<<16)
	f.Progress(done, total)
	for {
		n, err := body.Read(buffer)
		idle.Reset(f.Patience)
		if done += int64(n); done > maxFetch {
			return fmt.Errorf("the server sends more than %d bytes", int64(maxFetch))
		}
		if _, failed := to.Write(buffer[:n]); failed != nil {
			return failed
		}
		if n > 0 {
			f.Progress(done, total)
		}
		switch {
		case errors.Is(err, io.EOF) && (total < 0 || done == total):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("the transfer broke off after %d of %d bytes: run it again to go on", done, total)
		case err != nil:
			return fmt.Errorf("after %d bytes: %w: run it again to go on", done, err)
		}
	}
}

// digestOf returns a file's SHA-256 and size.
func digestOf(ctx context.Context, path string) (string, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	var hasher hash.Hash = sha256.New()
	size, err := io.Copy(hasher, &contextReader{ctx, file})
	return hex.EncodeToString(hasher.Sum(nil)), size, err
}

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx    context.Context
	reader io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.reader.Read(p)
}
