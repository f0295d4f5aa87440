package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"io"
	"os"
	"path/filepath"

	"impasto/internal/picture"
	"impasto/internal/report"
	"impasto/vgg19"
	"impasto/weights"
)

// parameterSet holds networks by the file that they come from; the empty name is
// the embedded one.
type parameterSet map[string]*vgg19.Parameters

// open returns the network of a file, which is read once.
func (s parameterSet) open(file string) (*vgg19.Parameters, error) {
	if p, ok := s[file]; ok {
		return p, nil
	}
	read := weights.Default
	if file != "" {
		read = func() (*vgg19.Parameters, error) { return weights.Open(file) }
	}
	p, err := read()
	if err == nil {
		s[file] = p
	}
	return p, err
}

// record is what is kept beside a picture of what made it.
type record struct {
	Key        string            `json:"key"` // of all that made the picture
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Settings   map[string]string `json:"settings"`
	Error      string            `json:"error,omitempty"` // why the picture isn't a finished one
	Picture    string            `json:"picture"`         // its file's SHA-256
	Iterations int               `json:"iterations"`
	Seconds    float64           `json:"seconds"`
	Loss       float64           `json:"loss"`
	Curve      [][3]float64      `json:"curve"` // iteration, seconds, loss

	image image.Image
}

func (c *comparison) recordPath(file string) string {
	return filepath.Join(c.options.Output, pictureFolder, file+".json")
}

// key identifies all that makes a picture what it is.
func (c *comparison) key(cell cell) (string, error) {
	made := struct {
		Version  string
		Settings map[string]string
		Seconds  float64
		Inputs   []string
		Weights  []float64
	}{Version: buildVersion(), Settings: cell.options.settings(), Seconds: c.options.Seconds}
	made.Inputs = append(made.Inputs, c.digests[c.contentPath])
	for _, s := range c.styleArguments {
		made.Inputs, made.Weights = append(made.Inputs, c.digests[s.path]), append(made.Weights, s.weight)
	}
	for _, path := range cell.options.files() {
		made.Inputs = append(made.Inputs, c.digests[path])
	}
	return keyOf(made)
}

// keyOf is a digest of a value's JSON.
func keyOf(value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// find returns a cell's key, and its record where its picture is there, finished,
// and was made of just that.
func (c *comparison) find(cell cell) (*record, string, error) {
	key, err := c.key(cell)
	if err != nil {
		return nil, "", err
	}
	var r record
	if err := readJSON(c.recordPath(cell.file()), &r); err != nil || r.Key != key || r.Error != "" {
		return nil, key, nil
	}
	path := filepath.Join(c.options.Output, pictureFolder, cell.file()+".png")
	if digest, err := fileDigest(path); err != nil || digest != r.Picture {
		return nil, key, nil
	}
	p, err := picture.Open(path)
	if err != nil {
		return nil, key, nil
	}
	r.image = p.Image()
	return &r, key, nil
}

// writeJSON writes a file whole or not at all.
func writeJSON(path string, value any) error {
	return picture.SaveWith(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	})
}

func readJSON(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}

// thin leaves a curve at some hundreds of points, the last of each stretch.
func thin(curve []report.CurvePoint) [][3]float64 {
	const most = 400
	every := (len(curve) + most - 1) / most
	var kept [][3]float64
	for i, p := range curve {
		if i == 0 || (i+1)%every == 0 || i+1 == len(curve) {
			kept = append(kept, [3]float64{float64(p.Iteration), p.Seconds, p.Loss})
		}
	}
	return kept
}
