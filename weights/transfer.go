package weights

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"impasto/internal/quote"
	"impasto/internal/regular"
)

// complete transfers what is missing of a file, syncs it, and returns the digest of
// what is on disk then, whether it is the one that is wanted or not.
func (f *fetcher) complete(ctx context.Context, file *os.File) (digest string, err error) {
	have, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	if have > 0 {
		if digest, err = regular.Digest(ctx, file); err != nil || strings.HasPrefix(digest, f.SHA256) {
			return digest, err // whole, but not yet renamed
		}
	}
	for {
		resumed, err := f.transfer(ctx, file, have)
		if err != nil {
			return "", err
		}
		if err := file.Sync(); err != nil {
			return "", err
		}
		digest, err := regular.Digest(ctx, file)
		if err != nil || !resumed || strings.HasPrefix(digest, f.SHA256) {
			return digest, err
		}
		have = 0 // the beginning was of another file, or damaged
	}
}

// transfer completes a file of which have bytes are there, and tells whether it went on
// from them.
func (f *fetcher) transfer(ctx context.Context, file *os.File, have int64) (resumed bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body, have, total, err := f.request(ctx, have)
	if err != nil {
		return false, err
	}
	defer body.Close()
	if err := file.Truncate(have); err != nil {
		return false, err
	}
	if _, err := file.Seek(have, io.SeekStart); err != nil {
		return false, err
	}
	return have > 0, f.copy(ctx, cancel, file, body, have, total)
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
				response.Header.Get("Content-Range"), have, quote.Name(f.part))
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
