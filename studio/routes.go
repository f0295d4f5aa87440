package studio

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"impasto/internal/web"
	"impasto/studio/page"
)

// apiPrefix is what the paths of the API begin with.
const apiPrefix = "/api/v1"

// endpoint is one thing that the API can be asked.
type endpoint struct {
	method, path string // the path is behind apiPrefix
	handle       func(w http.ResponseWriter, r *http.Request) error
}

// endpoints are all of the API, in the order of its description.
func (s *Studio) endpoints() []endpoint {
	return []endpoint{
		{"GET", "/", s.getInfo},
		{"GET", "/openapi.json", s.getDescription},
		{"GET", "/settings", s.getSettings},
		{"POST", "/pictures", s.uploadPicture},
		{"GET", "/pictures", s.listPictures},
		{"GET", "/pictures/{id}", s.getPicture},
		{"DELETE", "/pictures/{id}", s.deletePicture},
		{"GET", "/pictures/{id}/image", s.pictureImage},
		{"POST", "/plan", s.postPlan},
		{"POST", "/runs", s.createRun},
		{"GET", "/runs", s.listRuns},
		{"GET", "/runs/{id}", s.getRun},
		{"PATCH", "/runs/{id}", s.patchRun},
		{"DELETE", "/runs/{id}", s.deleteRun},
		{"POST", "/runs/{id}/pause", s.pauseRun},
		{"POST", "/runs/{id}/continue", s.continueRun},
		{"POST", "/runs/{id}/stop", s.stopRun},
		{"POST", "/runs/{id}/enlarge", s.enlargeRun},
		{"GET", "/runs/{id}/picture", s.runPicture},
		{"GET", "/runs/{id}/curve", s.runCurve},
		{"GET", "/runs/{id}/film", s.runFilm},
		{"GET", "/runs/{id}/command", s.runCommand},
		{"GET", "/runs/{id}/events", s.getRunEvents},
		{"GET", "/events", s.getEvents},
	}
}

// route makes the table of the API's paths.
func (s *Studio) route() {
	s.routes = http.NewServeMux()
	for _, e := range s.endpoints() {
		pattern := e.method + " " + apiPrefix + e.path
		if e.path == "/" {
			pattern += "{$}"
		}
		s.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := e.handle(w, r); err != nil {
				s.writeError(w, r, err)
			}
		})
	}
}

// ServeHTTP answers a request for the API or for the page.
func (s *Studio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	done, err := s.guard.check(w, r)
	if err == nil && !done && s.closing.Err() != nil {
		err = errClosed
	}
	if err != nil {
		s.writeError(w, r, err)
	}
	if done || err != nil {
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		if err := s.serveAsset(w, r); err != nil {
			s.writeError(w, r, err)
		}
		return
	}
	handler, pattern := s.routes.Handler(r)
	if pattern == "" {
		s.writeError(w, r, lost(handler, w, r))
		return
	}
	s.routes.ServeHTTP(w, r)
}

// errClosed is the answer to those who come too late.
var errClosed = problemf(http.StatusServiceUnavailable, "the server is closing; what was under way goes on when it is started again")

// lost is the problem of a request that no path is for, or not with its method.
func lost(handler http.Handler, w http.ResponseWriter, r *http.Request) *problem {
	silent := &silentWriter{header: http.Header{}, status: http.StatusOK}
	handler.ServeHTTP(silent, r)
	if allow := silent.header.Get("Allow"); silent.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", allow)
		return problemf(silent.status, "%s isn't for %s; want %s", cleanName(r.URL.Path), cleanName(r.Method), allow)
	}
	return nothingAt(r)
}

func nothingAt(r *http.Request) *problem {
	return problemf(http.StatusNotFound, "there is nothing at %s; GET %s/openapi.json says what there is", cleanName(r.URL.Path), apiPrefix)
}

// silentWriter takes the status of an answer, and nothing else.
type silentWriter struct {
	header http.Header
	status int
}

func (w *silentWriter) Header() http.Header { return w.header }

func (w *silentWriter) WriteHeader(status int) { w.status = status }

func (w *silentWriter) Write(data []byte) (int, error) { return len(data), nil }

// asset is a file of the page.
type asset struct {
	data       []byte
	kind, etag string
}

// loadAssets takes the page's files into memory. What is asked for is looked up among them,
// and so is never a path of a file system.
func (s *Studio) loadAssets() error {
	s.assets = map[string]asset{}
	for prefix, files := range map[string]fs.FS{"": page.Files, "web/": web.Files} {
		err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := fs.ReadFile(files, name)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			s.assets[prefix+name] = asset{data, kindOf(name), fmt.Sprintf(`"%x"`, sum[:8])}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// kindOf is the media type of a file of the page. What systems say of extensions differs.
func kindOf(name string) string {
	switch extension := path.Ext(name); extension {
	case ".html", ".css":
		return "text/" + extension[1:] + "; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		if kind := mime.TypeByExtension(extension); kind != "" {
			return kind
		}
		return "application/octet-stream"
	}
}

// serveAsset answers with a file of the page.
func (s *Studio) serveAsset(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return problemf(http.StatusMethodNotAllowed, "%s isn't for %s; want GET", cleanName(r.URL.Path), cleanName(r.Method))
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	file, ok := s.assets[name]
	if !ok {
		return nothingAt(r)
	}
	w.Header().Set("Content-Type", file.kind)
	w.Header().Set("ETag", file.etag)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.data))
	return nil
}
