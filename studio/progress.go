package studio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"impasto/model"
)

// progress is where a run stands, as the API says it.
type progress struct {
	Level      int     `json:"level"` // from 1
	Levels     int     `json:"levels"`
	Width      int     `json:"width"` // of the picture at this level
	Height     int     `json:"height"`
	Iteration  int     `json:"iteration"` // at this level
	Iterations int     `json:"iterations"`
	Done       int     `json:"done"` // over all levels
	Total      int     `json:"total"`
	Share      float64 `json:"share"` // of the time that it takes, 0–1
	Loss       float64 `json:"loss"`
	Terms      terms   `json:"terms"`
	Seconds    float64 `json:"seconds"` // that it has taken, pauses aside
	// Remaining is missing while nothing tells.
	Remaining *float64 `json:"remaining_seconds,omitempty"`
	// Picture is the version of the picture that there is to see, 0 for none.
	Picture int `json:"picture"`
}

// terms are the parts of a loss by their names.
type terms map[string]float64

func termsOf(list []model.Term) terms {
	t := terms{}
	for _, one := range list {
		t[one.Name] = one.Value
	}
	return t
}

// progressOf is what a run has made after an iteration of a stretch. The picture's version
// isn't in it.
func progressOf(p model.Progress, b before) progress {
	of := progress{
		Level: b.Levels + p.Level, Levels: b.Levels + p.Levels, Width: p.Width, Height: p.Height,
		Iteration: p.Iteration, Iterations: p.Iterations, Done: b.Done + p.Done, Total: b.Done + p.Total,
		Share: b.Share, Loss: p.Loss, Terms: termsOf(p.Terms), Seconds: b.Seconds + p.Elapsed.Seconds(),
	}
	if p.TotalWork > 0 {
		of.Share += (1 - b.Share) * min(1, p.Work/p.TotalWork)
	}
	if p.Remaining >= 0 {
		remaining := p.Remaining.Seconds()
		of.Remaining = &remaining
	}
	return of
}

// after is what was made before the next stretch, whose first level is the one of this
// progress.
func (p progress) after() before {
	return before{Done: p.Done, Levels: max(0, p.Level-1), Share: p.Share, Seconds: p.Seconds}
}

// point is where the loss stood after an iteration.
type point struct {
	Level     int     `json:"level"`
	Iteration int     `json:"iteration"`
	Done      int     `json:"done"`
	Loss      float64 `json:"loss"`
	Terms     terms   `json:"terms"`
	Seconds   float64 `json:"seconds"`
}

// mostPoints is how many points of a curve are kept and shown at most.
const mostPoints = 2000

// curve is how a loss went down: every iteration, or of more than mostPoints the first, the
// last and others evenly between.
type curve struct {
	points []point
	every  int // of iterations, those whose number it divides are kept
}

// add adds a point, the last up to now.
func (c *curve) add(p progress) {
	for _, v := range append(slices.Collect(maps.Values(p.Terms)), p.Loss) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return // which JSON has no place for
		}
	}
	c.every = max(c.every, 1)
	if n := len(c.points); n > 1 && c.points[n-1].Done%c.every != 0 {
		c.points = c.points[:n-1] // which was there as the last
	}
	c.points = append(c.points, point{p.Level, p.Iteration, p.Done, p.Loss, p.Terms, p.Seconds})
	if len(c.points) > mostPoints {
		c.every *= 2
		last := c.points[len(c.points)-1].Done
		c.points = slices.DeleteFunc(c.points, func(one point) bool {
			return one.Done%c.every != 0 && one.Done != c.points[0].Done && one.Done != last
		})
	}
}

// cut leaves out what comes after some iterations, which will be made again.
func (c *curve) cut(done int) {
	c.points = slices.DeleteFunc(c.points, func(one point) bool { return one.Done > done })
}

// save writes a curve to a file, a point a line.
func (c *curve) save(path string) error {
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	for _, one := range c.points {
		if err := out.Encode(one); err != nil {
			return err
		}
	}
	return writeFile(path, lines.Bytes())
}

// loadCurve reads what save wrote. Where there is no file, the curve is empty.
func loadCurve(path string) (curve, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return curve{}, nil
	}
	if err != nil {
		return curve{}, err
	}
	defer file.Close()
	c, lines := curve{every: 1}, json.NewDecoder(bufio.NewReader(file))
	for {
		var one point
		if err := lines.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return curve{}, err
		}
		c.points = append(c.points, one)
	}
	for n := len(c.points); n > 2 && c.points[n-2].Done > c.every*n; {
		c.every *= 2
	}
	return c, nil
}
