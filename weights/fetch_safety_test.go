package weights

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// Several fetches of a file at once take turns: one gets it, the others find it.
func TestFetchesOfOneFileTakeTurns(t *testing.T) {
	const several = 4
	started := make(chan struct{})
	r := serve(t, func(r *remote, w http.ResponseWriter, q *http.Request) {
		<-started // by when the others wait
		whole(r, w, q)
	})
	r.begun(t, r.content[:1000])
	var waiting atomic.Int32
	r.options.Progress = nil
	r.options.Waiting = func() {
		if waiting.Add(1) == several-1 {
			close(started)
		}
	}
	type result struct {
		got *Fetched
		err error
	}
	results := make(chan result)
	for range several {
		go func() {
			got, err := Fetch(t.Context(), r.options)
			results <- result{got, err}
		}()
	}
	var all []result
	for range several {
		all = append(all, <-results)
	}
	for _, result := range all {
		if result.err != nil {
			t.Fatal(result.err)
		}
		r.isThere(t, result.got)
	}
	if len(r.ranges) != 1 || r.ranges[0] != "bytes=1000-" {
		t.Errorf("there were requests for %q, want one for what was missing", r.ranges)
	}
}

func TestWaitingForAnotherFetchEndsWithItsContext(t *testing.T) {
	r := serve(t, whole)
	if err := os.MkdirAll(r.options.Folder, 0o777); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t.Context(), filepath.Join(r.options.Folder, "net.pth.lock"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.options.Waiting = cancel
	if _, err := Fetch(ctx, r.options); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that the context ended", err)
	}
	unlock()
	r.arrives(t)
}

// Only what is on disk counts, not what came over the network.
func TestFetchReadsBackWhatItWrote(t *testing.T) {
	r := serve(t, whole)
	r.options.Progress = func(done, total int64) {
		if done != total {
			return
		}
		file, err := os.OpenFile(r.part, os.O_WRONLY, 0)
		if err == nil {
			_, err = file.WriteAt([]byte("W"), 0)
			_ = file.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}
	r.fails(t, "got a file with SHA-256")
}

// What is written may be no other file by another name.
func TestFetchFollowsNoLinks(t *testing.T) {
	for what, link := range map[string]func(from, to string) error{"symbolic": os.Symlink, "hard": os.Link} {
		for _, suffix := range []string{".part", ".lock"} {
			r := serve(t, whole)
			r.begun(t, nil)
			if err := os.Remove(r.part); err != nil {
				t.Fatal(err)
			}
			victim := writeTo(t, "victim", []byte("precious"))
			path := filepath.Join(r.options.Folder, "net.pth"+suffix)
			if err := link(victim, path); err != nil {
				if runtime.GOOS == "windows" {
					t.Skip("this user may not make links")
				}
				t.Fatal(err)
			}
			if runtime.GOOS != "windows" || what == "symbolic" {
				r.fails(t, "remove it and try again")
			}
			if got := readFile(t, victim); string(got) != "precious" {
				t.Errorf("%s link as %s: the file it leads to was overwritten", what, suffix)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			r.arrives(t)
		}
	}
}

func TestFetchNeverLeavesHTTPS(t *testing.T) {
	asked := false
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer plain.Close()
	r := serve(t, func(_ *remote, w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, plain.URL+"/net.pth", http.StatusFound)
	})
	r.fails(t, "redirected from https to http://")
	if asked {
		t.Error("the server without encryption was asked")
	}
	r = serve(t, func(r *remote, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/models/net.pth" {
			http.Redirect(w, q, "/elsewhere", http.StatusFound)
			return
		}
		whole(r, w, q)
	})
	r.arrives(t)
	r = serve(t, func(_ *remote, w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, q.URL.Path, http.StatusFound)
	})
	r.fails(t, "redirected 10 times")
}

func TestDigestOfTorchvisionsNetworkBeginsAsItsNameSays(t *testing.T) {
	if len(FetchSHA256) != 64 || !strings.Contains(FetchURL, "-"+FetchSHA256[:8]+".pth") {
		t.Errorf("digest %s, address %s: want the 64 digits whose first 8 the name has", FetchSHA256, FetchURL)
	}
}
