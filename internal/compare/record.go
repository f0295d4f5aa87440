package compare

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/model"
)

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
	Remarks    []string          `json:"remarks,omitempty"`

	image *picture.Source
}

func (c *Comparison) recordPath(cell Cell) string {
	return filepath.Join(c.options.Folder, pictureFolder, cell.file()+".json")
}

// key identifies all that makes a picture what it is. It is of the JSON of this
// struct, so another field, or another name of one, makes all pictures anew.
func (c *Comparison) key(cell Cell) (string, error) {
	made := struct {
		Version  string
		Settings map[string]string
		Seconds  float64
		Inputs   []string
		Weights  []float64
	}{Version: c.options.Version, Settings: cell.Settings.Values(), Seconds: c.options.Seconds}
	made.Inputs = append(made.Inputs, c.digests[c.options.Content])
	for _, s := range c.options.Styles {
		made.Inputs, made.Weights = append(made.Inputs, c.digests[s.File]), append(made.Weights, s.Weight)
	}
	for _, path := range cell.Settings.Files() {
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
func (c *Comparison) find(ctx context.Context, cell Cell, e *entry) (*record, string, error) {
	key, err := c.key(cell)
	if err != nil {
		return nil, "", err
	}
	var r record
	if err := readJSON(c.recordPath(cell), &r); err != nil || r.Key != key || r.Error != "" {
		return nil, key, nil
	}
	path := c.path(e)
	if digest, err := fileDigest(ctx, path); err != nil || digest != r.Picture {
		return nil, key, nil
	}
	p, err := picture.OpenSource(ctx, path)
	if err != nil {
		return nil, key, nil
	}
	r.image = p
	return &r, key, nil
}

// take fills an entry from a record.
func (e *entry) take(r *record) {
	e.image, e.digest = r.image, r.Picture
	e.Iterations, e.Seconds, e.Loss, e.Remarks = r.Iterations, r.Seconds, r.Loss, r.Remarks
	e.curve = e.curve[:0]
	for _, p := range r.Curve {
		e.curve = append(e.curve, report.CurvePoint{Iteration: int(p[0]), Seconds: p[1], Loss: p[2]})
	}
}

// thin leaves a curve at some hundreds of points, the last of each stretch.
func thin(curve []model.CurvePoint) [][3]float64 {
	const most = 400
	every := (len(curve) + most - 1) / most
	var kept [][3]float64
	for i, p := range curve {
		if i == 0 || (i+1)%every == 0 || i+1 == len(curve) {
			kept = append(kept, [3]float64{float64(p.Done), p.Elapsed.Seconds(), p.Loss})
		}
	}
	return kept
}

// writeFile makes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	if err := atomicfile.Write(path, write); err != nil {
		return fmt.Errorf("compare: save %s: %w", path, err)
	}
	return nil
}

func writeJSON(path string, value any) error {
	return writeFile(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(quote.JSON(value))
	})
}

func readJSON(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}
