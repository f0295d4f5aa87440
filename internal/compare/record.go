package compare

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/records"
	"impasto/internal/report"
	"impasto/model"
)

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
	return records.Key(made)
}

// find returns a cell's key, and its record and picture where that is there, finished,
// and was made of just that; else these are nil.
func (c *Comparison) find(ctx context.Context, cell Cell, e *entry) (*records.Record, *picture.Source, string, error) {
	key, err := c.key(cell)
	if err != nil {
		return nil, nil, "", err
	}
	record, image := records.Find(ctx, c.recordPath(cell), c.path(e), key)
	return record, image, key, nil
}

// take fills an entry from a record and its picture.
func (c *Comparison) take(e *entry, r *records.Record, image *picture.Source) {
	e.image, e.digest = image, r.Picture
	e.Iterations, e.Seconds, e.Loss, e.Remarks = r.Iterations, r.Seconds, r.Loss, r.Remarks
	e.curve = e.curve[:0]
	for _, p := range r.Curve {
		e.curve = append(e.curve, report.CurvePoint{Iteration: int(p[0]), Seconds: p[1], Value: p[2]})
	}
	e.measured = nil
	if c.ruler != nil && r.MeasuredKey == c.ruler.key {
		e.measured = r.Measured
	}
}

// thin leaves a curve at some hundreds of points, the last of each stretch, and its times
// without those that a track took.
func thin(curve []model.CurvePoint, t *track) [][3]float64 {
	const most = 400
	every := (len(curve) + most - 1) / most
	var kept [][3]float64
	for i, p := range curve {
		if i == 0 || (i+1)%every == 0 || i+1 == len(curve) {
			kept = append(kept, [3]float64{float64(p.Done), t.without(p.Done, p.Elapsed).Seconds(), p.Loss})
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

// writeJSON makes a file of a value's JSON.
func writeJSON(path string, value any) error {
	if err := records.Write(path, value); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return nil
}
