package studio

import (
	_ "embed"
	"net/http"
	"runtime"

	"impasto/internal/made"
	"impasto/internal/picture"
	"impasto/model"
)

// description is the API's, in OpenAPI.
//
//go:embed openapi.json
var description []byte

// getDescription answers GET /openapi.json.
func (s *Studio) getDescription(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(description) // who is gone doesn't read it
	return nil
}

// infoAnswer describes the server.
type infoAnswer struct {
	Program struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"program"`
	Device string `json:"device"`
	Cores  int    `json:"cores"`
	Memory struct {
		Budget int64 `json:"budget"` // bytes that the program may take
		Used   int64 `json:"used"`   // of them, by runs that are under way
	} `json:"memory"`
	Limits struct {
		UploadBytes int64 `json:"upload_bytes"`
		Pixels      int   `json:"pixels"` // of a picture that is uploaded
		Size        int   `json:"size"`   // longer side of a run's picture, in pixels
	} `json:"limits"`
	TokenRequired bool `json:"token_required"`
}

// getInfo answers GET /.
func (s *Studio) getInfo(w http.ResponseWriter, _ *http.Request) error {
	var of infoAnswer
	of.Program.Name, of.Program.Version = "impasto", program()
	of.Device, of.Cores = string(s.options.Device), runtime.GOMAXPROCS(0)
	s.mutex.Lock()
	of.Memory.Budget, of.Memory.Used = s.budget, s.used()
	s.mutex.Unlock()
	of.Limits.UploadBytes, of.Limits.Pixels, of.Limits.Size = s.options.UploadBytes, picture.MaxPixels, model.MaxSize
	of.TokenRequired = s.options.Token != ""
	return writeJSON(w, http.StatusOK, of)
}

// program identifies the build.
func program() string { return made.Program().String() }
