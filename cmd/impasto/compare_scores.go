package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"impasto/internal/report"
	"impasto/losses"
	"impasto/model"
)

// comparedLosses are those that are compared unless others are named, and that
// pictures are scored under.
func comparedLosses() []string { return losses.Usable() }

// pictureReport is what scores.json and --json say of a picture. The keys are a
// promise to scripts.
type pictureReport struct {
	Name       string              `json:"name"`
	Kind       string              `json:"kind"`
	File       string              `json:"file"`
	Settings   map[string]string   `json:"settings,omitempty"`
	Error      string              `json:"error,omitempty"`
	Iterations int                 `json:"iterations"`
	Seconds    float64             `json:"seconds"`
	Loss       float64             `json:"loss"`
	Style      map[string]*float64 `json:"style,omitempty"`
	Content    map[string]*float64 `json:"content,omitempty"`
	Kept       *float64            `json:"kept"`
	Problems   map[string]string   `json:"problems,omitempty"`
}

// pictureEvent is written for every picture once it is scored.
type pictureEvent struct {
	Event string `json:"event"` // "picture"
	pictureReport
	Reused bool `json:"reused"`
}

// fileEvent is written for every other file.
type fileEvent struct {
	Event string `json:"event"` // "written"
	Path  string `json:"path"`
}

// scoresReport is scores.json.
type scoresReport struct {
	Content   string          `json:"content"`
	Styles    []styleReport   `json:"styles"`
	Losses    []string        `json:"losses"`
	ScoreSize [2]int          `json:"score_size"` // width and height
	Pictures  []pictureReport `json:"pictures"`
}

type styleReport struct {
	File   string  `json:"file"`
	Weight float64 `json:"weight"`
}

// scoreOptions are the options of the scores: those of every picture, at the
// size of the scores.
func (c *comparison) scoreOptions() model.Options {
	o := c.options.Options
	largest := 0
	for _, cell := range c.cells {
		largest = max(largest, cell.options.Size)
	}
	size := min(c.options.ScoreSize, largest)
	if o.StyleSize > 0 {
		o.StyleSize = max(1, o.StyleSize*size/largest)
	}
	o.Size, o.MinSize = size, size
	return o
}

// scoreRecord keeps scores beside the pictures.
type scoreRecord struct {
	Key      string              `json:"key"`
	Style    map[string]*float64 `json:"style"`
	Content  map[string]*float64 `json:"content"`
	Kept     *float64            `json:"kept"`
	Problems map[string]string   `json:"problems"`
}

// scoreKey identifies all that makes a picture's scores what they are.
func (c *comparison) scoreKey(e *entry) (string, error) {
	scored := struct {
		Version  string
		Settings map[string]string
		Size     int
		Losses   []string
		Inputs   []string
		Weights  []float64
		Picture  string
	}{buildVersion(), c.options.settings(), c.scoreOptions().Size, comparedLosses(), []string{c.digests[c.contentPath]}, nil, e.digest}
	for _, s := range c.styleArguments {
		scored.Inputs, scored.Weights = append(scored.Inputs, c.digests[s.path]), append(scored.Weights, s.weight)
	}
	if c.options.Weights != "" {
		scored.Inputs = append(scored.Inputs, c.digests[c.options.Weights])
	}
	return keyOf(scored)
}

// scoreAll scores every picture that there is, those of which nothing is known
// by now.
func (c *comparison) scoreAll(ctx context.Context) error {
	for i, e := range c.entries {
		if e.image != nil {
			if err := c.score(ctx, i, e); err != nil {
				return err
			}
		}
		if c.global.JSON {
			if err := printJSON(c.stdout, pictureEvent{"picture", e.pictureReport, e.reused}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *comparison) score(ctx context.Context, i int, e *entry) error {
	key, err := c.scoreKey(e)
	if err != nil {
		return err
	}
	file := fileName(e.Name)
	if e.Kind == kindAlso {
		file = "also-" + file
	}
	path := filepath.Join(c.options.Output, pictureFolder, file+".scores.json")
	var r scoreRecord
	if err := readJSON(path, &r); err != nil || r.Key != key {
		c.say("scoring %s (%d of %d)", e.Name, i+1, len(c.entries))
		scores, err := c.scorer.Score(ctx, e.image)
		if ctx.Err() != nil {
			return c.interrupted(len(c.cells))
		}
		if err != nil {
			return err
		}
		r = newScoreRecord(key, scores)
		if err := writeJSON(path, r); err != nil {
			return err
		}
	}
	e.Style, e.Content, e.Kept, e.Problems = r.Style, r.Content, r.Kept, r.Problems
	for _, name := range slices.Sorted(maps.Keys(e.Problems)) {
		c.say("no score of %s under %s: %s", e.Name, name, e.Problems[name])
	}
	return nil
}

func newScoreRecord(key string, scores model.Scores) scoreRecord {
	r := scoreRecord{Key: key, Style: map[string]*float64{}, Content: map[string]*float64{}, Problems: map[string]string{}}
	for _, loss := range comparedLosses() {
		r.Style[loss], r.Content[loss] = known(scores.Style, loss), known(scores.Content, loss)
	}
	if !math.IsNaN(scores.Kept) {
		r.Kept = &scores.Kept
	}
	for loss, problem := range scores.Problems {
		r.Problems[loss] = oneLine(problem)
	}
	return r
}

// known is a score, or nil where there is none.
func known(scores map[string]float64, loss string) *float64 {
	if value, ok := scores[loss]; ok {
		return &value
	}
	return nil
}

// writeScoreTables prints the scores against the styles, then against the
// content.
func (c *comparison) writeScoreTables() error {
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for k, heading := range []string{"from the styles", "from the content"} {
		if k > 0 {
			fmt.Fprint(table, "\n")
		}
		fmt.Fprintf(table, "%s\t", heading)
		for _, loss := range comparedLosses() {
			fmt.Fprintf(table, "%s\t", loss)
		}
		if k == 1 {
			fmt.Fprint(table, "content loss\t")
		}
		fmt.Fprintln(table)
		for _, e := range c.entries {
			scores := e.Style
			if k == 1 {
				scores = e.Content
			}
			if e.image == nil {
				continue
			}
			fmt.Fprintf(table, "%s\t", e.rowName())
			for _, loss := range comparedLosses() {
				fmt.Fprintf(table, "%s\t", scoreText(scores[loss]))
			}
			if k == 1 {
				fmt.Fprintf(table, "%s\t", scoreText(e.Kept))
			}
			fmt.Fprintln(table)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// rowName is an entry's name in a table.
func (e *entry) rowName() string {
	if e.Error != "" {
		return e.Name + " (failed)"
	}
	return e.Name
}

func scoreText(value *float64) string {
	if value == nil {
		return report.ScoreText(math.NaN())
	}
	return report.ScoreText(*value)
}
