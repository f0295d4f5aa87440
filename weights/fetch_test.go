package weights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// remote is a server with one file, and what went over it.
type remote struct {
	*httptest.Server
	content  []byte
	options  FetchOptions
	mutex    sync.Mutex
	ranges   []string // the Range headers of the requests
	part     string   // the path of the unfinished file
	progress []int64
}

// serve starts a TLS server; handle may answer in its own way.
func serve(t *testing.T, handle func(r *remote, w http.ResponseWriter, q *http.Request)) *remote {
	t.Helper()
	r := &remote{content: bytes.Repeat([]byte("weights "), 1<<15)}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mutex.Lock()
		r.ranges = append(r.ranges, q.Header.Get("Range"))
		r.mutex.Unlock()
		handle(r, w, q)
	}))
	t.Cleanup(r.Close)
	sum := sha256.Sum256(r.content)
	r.options = FetchOptions{
		URL: r.URL + "/models/net.pth", SHA256: hex.EncodeToString(sum[:])[:8],
		Folder: filepath.Join(t.TempDir(), "cache"), Client: r.Client(),
		Progress: func(done, _ int64) { r.progress = append(r.progress, done) },
	}
	r.part = filepath.Join(r.options.Folder, "net.pth.part")
	return r
}

// whole serves the file, and ranges of it.
func whole(r *remote, w http.ResponseWriter, q *http.Request) {
	http.ServeContent(w, q, "net.pth", time.Time{}, bytes.NewReader(r.content))
}

// begun leaves an unfinished file.
func (r *remote) begun(t *testing.T, content []byte) {
	t.Helper()
	if err := os.MkdirAll(r.options.Folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.part, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// arrives fetches and checks that the file is there, and nothing else.
func (r *remote) arrives(t *testing.T) {
	t.Helper()
	got, err := Fetch(t.Context(), r.options)
	if err != nil {
		t.Fatal(err)
	}
	r.isThere(t, got)
}

// isThere checks that the file is there, and nothing else.
func (r *remote) isThere(t *testing.T, got *Fetched) {
	t.Helper()
	sum := sha256.Sum256(r.content)
	want := Fetched{filepath.Join(r.options.Folder, "net.pth"), hex.EncodeToString(sum[:]), len(r.options.SHA256)}
	if *got != want || !bytes.Equal(readFile(t, got.Path), r.content) {
		t.Errorf("fetched %+v, want %+v with what the server has", *got, want)
	}
	entries, err := os.ReadDir(r.options.Folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v; want the file alone", entries, err)
	}
}

// fails fetches and checks the error and that no file appeared.
func (r *remote) fails(t *testing.T, want string) {
	t.Helper()
	_, err := Fetch(t.Context(), r.options)
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), r.options.URL) {
		t.Errorf("error is %v, want %q and the address in it", err, want)
	}
	if _, err := os.Stat(filepath.Join(r.options.Folder, "net.pth")); err == nil {
		t.Error("there is a file all the same")
	}
}

func TestFetchGetsAFileOnce(t *testing.T) {
	r := serve(t, whole)
	r.arrives(t)
	if last := r.progress[len(r.progress)-1]; r.progress[0] != 0 || last != int64(len(r.content)) {
		t.Errorf("progress goes from %d to %d, want 0 to %d", r.progress[0], last, len(r.content))
	}
	r.arrives(t)
	if len(r.ranges) != 1 {
		t.Errorf("there were %d requests, want one", len(r.ranges))
	}
}

func TestFetchGoesOnWhereItStopped(t *testing.T) {
	r := serve(t, whole)
	r.begun(t, r.content[:1000])
	r.arrives(t)
	if len(r.ranges) != 1 || r.ranges[0] != "bytes=1000-" || r.progress[0] != 1000 {
		t.Errorf("asked for %q, progress from %d; want bytes=1000- and 1000", r.ranges, r.progress[0])
	}
}

func TestFetchBeginsAnewWhereTheServerKnowsNoRanges(t *testing.T) {
	r := serve(t, func(r *remote, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(r.content) })
	r.begun(t, []byte("something else"))
	r.arrives(t)
	if r.progress[0] != 0 {
		t.Errorf("progress starts at %d, want 0", r.progress[0])
	}
}

func TestFetchBeginsAnewWhereTheBeginningWasDamaged(t *testing.T) {
	r := serve(t, whole)
	r.begun(t, []byte("damaged"))
	r.arrives(t)
	if len(r.ranges) != 2 || r.ranges[1] != "" {
		t.Errorf("asked for %q, want the rest and then all", r.ranges)
	}
}

func TestFetchBeginsAnewWhereTheBeginningIsTooLong(t *testing.T) {
	r := serve(t, whole) // answers 416
	r.begun(t, append(bytes.Clone(r.content), "more"...))
	r.arrives(t)
}

func TestFetchOnlyRenamesAFileThatIsWhole(t *testing.T) {
	r := serve(t, whole)
	r.begun(t, r.content)
	r.arrives(t)
	if len(r.ranges) != 0 {
		t.Errorf("asked for %q, want nothing", r.ranges)
	}
}

func TestFetchReplacesADamagedFile(t *testing.T) {
	r := serve(t, whole)
	r.begun(t, nil)
	if err := os.WriteFile(filepath.Join(r.options.Folder, "net.pth"), []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	r.arrives(t)
}

func TestFetchRefusesOtherContent(t *testing.T) {
	r := serve(t, whole)
	r.content[len(r.content)/2]++
	r.fails(t, "got a file with SHA-256")
	if _, err := os.Stat(r.part); err == nil {
		t.Error("the wrong content was kept")
	}
}

func TestFetchKeepsWhatCameBeforeTheServerBrokeOff(t *testing.T) {
	var broken atomic.Bool
	r := serve(t, func(r *remote, w http.ResponseWriter, q *http.Request) {
		if broken.CompareAndSwap(false, true) {
			w.Header().Set("Content-Length", fmt.Sprint(len(r.content)))
			_, _ = w.Write(r.content[:100_000])
			panic(http.ErrAbortHandler)
		}
		whole(r, w, q)
	})
	r.fails(t, "run it again to go on")
	if got := readFile(t, r.part); len(got) == 0 || !bytes.HasPrefix(r.content, got) {
		t.Fatalf("%d bytes were kept that are not the file's beginning", len(got))
	}
	r.arrives(t)
	if r.ranges[1] == "" {
		t.Error("the second call asked for all")
	}
}

func TestFetchReportsWhatTheServerSays(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusNotFound: "404 Not Found", http.StatusForbidden: "403 Forbidden",
		http.StatusInternalServerError: "500 Internal Server Error",
	} {
		r := serve(t, func(_ *remote, w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", status) })
		r.fails(t, want)
		if _, err := os.Stat(r.part); err == nil {
			t.Errorf("%d: an empty file was left", status)
		}
	}
}

func TestFetchRefusesTheWrongPart(t *testing.T) {
	r := serve(t, func(r *remote, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 5-9/%d", len(r.content)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(r.content[5:10])
	})
	r.begun(t, r.content[:1000])
	r.fails(t, "want what follows byte 1000")
	if !bytes.Equal(readFile(t, r.part), r.content[:1000]) {
		t.Error("the beginning was changed")
	}
}

func TestFetchRefusesAnAbsurdSize(t *testing.T) {
	r := serve(t, func(_ *remote, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(int64(maxFetch)+1))
		_, _ = w.Write([]byte("a"))
	})
	r.fails(t, "want at most")
}

func TestFetchStopsWhenInterruptedAndGoesOnLater(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var interrupted atomic.Bool
	r := serve(t, func(r *remote, w http.ResponseWriter, q *http.Request) {
		if !interrupted.CompareAndSwap(false, true) {
			whole(r, w, q)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(r.content)))
		_, _ = w.Write(r.content[:100_000])
		w.(http.Flusher).Flush()
		<-q.Context().Done()
	})
	report := r.options.Progress
	r.options.Progress = func(done, total int64) {
		if report(done, total); done > 0 {
			cancel()
		}
	}
	if _, err := Fetch(ctx, r.options); !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v, want %v", err, context.Canceled)
	}
	if got := readFile(t, r.part); len(got) == 0 || !bytes.HasPrefix(r.content, got) {
		t.Fatalf("%d bytes were kept that are not the file's beginning", len(got))
	}
	r.arrives(t)
}

func TestFetchGivesUpOnAServerThatStandsStill(t *testing.T) {
	r := serve(t, func(r *remote, w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(r.content)))
		w.(http.Flusher).Flush()
		<-q.Context().Done()
	})
	r.options.Patience = time.Millisecond
	r.fails(t, "nothing came for 1ms")
}

func TestFetchTrustsNoUnknownCertificate(t *testing.T) {
	r := serve(t, whole)
	r.options.Client = nil
	r.fails(t, "certificate")
}

func TestFetchChecksItsOptions(t *testing.T) {
	for _, c := range []struct {
		options FetchOptions
		want    string
	}{
		{FetchOptions{SHA256: "dcbb9e9"}, "8 to 64 hexadecimal digits"},
		{FetchOptions{SHA256: "not hexadecimal"}, "8 to 64 hexadecimal digits"},
		{FetchOptions{URL: "https://example.org/"}, "names no file"},
		{FetchOptions{URL: "https://example.org/.."}, "names no file"},
		{FetchOptions{URL: "https://example.org/a%5Cb"}, "names no file"},
		{FetchOptions{URL: "https://example.org/a%1B%5B31mb.pth"}, "names no file"},
		{FetchOptions{URL: "https://example.org/a%0Ab.pth"}, "names no file"},
		{FetchOptions{URL: "https://example.org/%zz"}, "%zz"},
		{FetchOptions{URL: "ftp://example.org/net.pth"}, "unsupported protocol"},
	} {
		c.options.Folder = t.TempDir()
		if _, err := Fetch(t.Context(), c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error is %v, want %q in it", c.options, err, c.want)
		}
	}
}

// cacheIn makes folder the user's cache folder on every system.
func cacheIn(t *testing.T, folder string) {
	t.Setenv("XDG_CACHE_HOME", folder)
	t.Setenv("HOME", folder)
	t.Setenv("LocalAppData", folder)
}

func TestFetchedFilesAreFoundByName(t *testing.T) {
	cacheIn(t, t.TempDir())
	if _, err := Locate("net"); err == nil || !strings.Contains(err.Error(), "no file net") {
		t.Errorf("before: error is %v", err)
	}
	r := serve(t, whole)
	r.options.Folder = ""
	fetched, err := Fetch(t.Context(), r.options)
	if err != nil {
		t.Fatal(err)
	}
	path := fetched.Path
	for _, name := range []string{"net", "net.pth", path} {
		if got, err := Locate(name); err != nil || got != path {
			t.Errorf("%s is %s, %v; want %s", name, got, err, path)
		}
	}
	// A file of that name here comes first.
	t.Chdir(t.TempDir())
	if err := os.WriteFile("net", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Locate("net"); err != nil || got != "net" {
		t.Errorf("net is %s, %v; want the file here", got, err)
	}
}

func TestMissingFilesAreExplained(t *testing.T) {
	cacheIn(t, t.TempDir())
	for name, want := range map[string]string{
		"vgg19-dcbb9e9d":     "weights fetch",
		"vgg19-dcbb9e9d.pth": "weights fetch",
		"other":              "neither here nor in",
		"folder/other":       filepath.Join("folder", "other"),
		"":                   "no such file",
	} {
		if _, err := Open(t.Context(), name); err == nil || !strings.Contains(filepath.FromSlash(err.Error()), want) {
			t.Errorf("%q: error is %v, want %q in it", name, err, want)
		}
	}
}
