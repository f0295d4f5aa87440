package weights

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"impasto/internal/quote"
	"impasto/internal/regular"
)

// What Fetch fetches by default: the full-precision network that the
// torchvision project publishes, 574,673,361 bytes with its classifier.
const (
	FetchURL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
	// FetchSHA256 is the file's digest. The name has its beginning; all of it was found
	// alike in several independent projects that list the file with it, among them
	// LibreYOLO's table of official checkpoints.
	FetchSHA256 = "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"
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
	// Waiting, unless nil, is called once where another Fetch of the same file, in this
	// program or another, has to end first.
	Waiting func()
}

// Fetched is a file that was fetched.
type Fetched struct {
	Path string `json:"path"`
	// SHA256 is the digest of the file as it is on disk.
	SHA256 string `json:"sha256"`
	// Digits is how many digits of it were asked for and compared. All 64 leave no doubt;
	// 8 find damage, but a file can be made that has them.
	Digits int `json:"digits"`
}

// Fetch downloads a weight file and checks the digest of what is on disk then. A file
// that is there already is checked and kept. What was transferred before an
// interruption is kept as NAME.part, and the next call goes on from there where
// the server allows it. Several at once take turns, so that one of them fetches the
// file and the others find it. An https address is never followed to an http one.
func Fetch(ctx context.Context, options FetchOptions) (*Fetched, error) {
	f, err := newFetcher(options)
	if err != nil {
		return nil, err
	}
	digest, err := f.fetch(ctx)
	if err != nil {
		var request *url.Error // names the address once more
		if errors.As(err, &request) {
			err = request.Err
		}
		return nil, fmt.Errorf("weights: fetching %s: %w", quote.Name(f.URL), err)
	}
	return &Fetched{f.path, digest, len(f.SHA256)}, nil
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
		return nil, fmt.Errorf("weights: fetching %s: SHA-256 %q is none, want 8 to 64 hexadecimal digits", quote.Name(f.URL), f.SHA256)
	}
	if f.Client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = 30 * time.Second
		f.Client = &http.Client{Transport: transport}
	}
	f.Client = withoutDowngrade(f.Client)
	if f.Patience == 0 {
		f.Patience = time.Minute
	}
	if f.Progress == nil {
		f.Progress = func(int64, int64) {}
	}
	if f.Waiting == nil {
		f.Waiting = func() {}
	}
	if f.Folder == "" {
		var err error
		if f.Folder, err = CacheFolder(); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequest(http.MethodGet, f.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("weights: fetching %s: %w", quote.Name(f.URL), err)
	}
	name := path.Base(request.URL.Path)
	if name == "." || !filepath.IsLocal(name) || strings.ContainsAny(name, `\/:`) || !quote.Visible(name) {
		return nil, fmt.Errorf("weights: fetching %s: the address names no file", quote.Name(f.URL))
	}
	f.path = filepath.Join(f.Folder, name)
	f.part = f.path + ".part"
	return f, nil
}

// withoutDowngrade is a client that follows no redirection from https to another
// scheme, which would let anyone on the way answer.
func withoutDowngrade(client *http.Client) *http.Client {
	safe := *client
	safe.CheckRedirect = func(request *http.Request, via []*http.Request) error {
		const most = 10 // as http.Client has it
		switch last := via[len(via)-1].URL; {
		case last.Scheme == "https" && request.URL.Scheme != "https":
			return fmt.Errorf("it is redirected from https to %s, which isn't followed", quote.Name(request.URL.Redacted()))
		case client.CheckRedirect != nil:
			return client.CheckRedirect(request, via)
		case len(via) >= most:
			return fmt.Errorf("it is redirected %d times", most)
		}
		return nil
	}
	return &safe
}

// fetch makes the file be there and returns its digest.
func (f *fetcher) fetch(ctx context.Context) (digest string, err error) {
	if digest, ok, err := f.present(ctx); ok || err != nil {
		return digest, err
	}
	if err := os.MkdirAll(f.Folder, 0o777); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, f.path+".lock", f.Waiting)
	if err != nil {
		return "", err
	}
	defer unlock()
	if digest, ok, err := f.present(ctx); ok || err != nil { // by now
		return digest, err
	}
	file, err := openOwn(f.part)
	if err != nil {
		return "", err
	}
	digest, err = f.complete(ctx, file)
	written, statErr := file.Stat()
	if err := cmp.Or(err, statErr, file.Close()); err != nil {
		if statErr == nil && written.Size() == 0 {
			err = cmp.Or(err, os.Remove(f.part))
		}
		return "", err
	}
	if !strings.HasPrefix(digest, f.SHA256) {
		err := fmt.Errorf("got a file with SHA-256 %s, want %s: try again", digest, f.wanted())
		if failed := os.Remove(f.part); failed != nil {
			err = fmt.Errorf("%w; it stays behind: %w", err, failed)
		}
		return "", err
	}
	if err := os.Rename(f.part, f.path); err != nil {
		return "", err
	}
	if info, err := os.Lstat(f.path); err != nil || !os.SameFile(info, written) {
		return "", fmt.Errorf("%s was changed by another program meanwhile: try again", quote.Name(f.path))
	}
	return digest, nil
}

// wanted is the digest for errors, with dots where only its beginning is known.
func (f *fetcher) wanted() string {
	if len(f.SHA256) < 64 {
		return f.SHA256 + "…"
	}
	return f.SHA256
}

// present tells whether the file is there already, with the digest that is wanted.
func (f *fetcher) present(ctx context.Context) (digest string, ok bool, err error) {
	file, size, err := regular.Open(f.path)
	if err != nil {
		return "", false, nil // it is fetched, or renaming says what is in the way
	}
	defer file.Close()
	if digest, err = regular.Digest(ctx, file); err != nil {
		return "", false, err
	}
	if ok = strings.HasPrefix(digest, f.SHA256); ok {
		f.Progress(size, size)
	}
	return digest, ok, nil
}
