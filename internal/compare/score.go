package compare

import (
	"context"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"impasto/internal/quote"
	"impasto/internal/records"
	"impasto/losses"
	"impasto/model"
)

// openScorer makes the scorer, which reads the network that scores are made with.
func (c *Comparison) openScorer(ctx context.Context) error {
	scored := c.scoreOptions()
	var err error
	if scored.Parameters, err = c.networks.Open(ctx, c.options.Base.Weights); err != nil {
		return err
	}
	c.scorer, err = model.NewScorer(c.content, c.modelStyles(), c.options.Losses, scored)
	if err != nil {
		return fmt.Errorf("compare: scores at --score-size %d: %s", scored.Size, strings.TrimPrefix(err.Error(), "model: "))
	}
	return nil
}

// scoreOptions are the options of the scores: those of every picture, at the
// size of the scores.
func (c *Comparison) scoreOptions() model.Options {
	o := c.options.Base.Options
	o.StyleTerms = c.options.Base.StyleTerms()
	largest := c.largest()
	size := min(c.options.ScoreSize, largest)
	if o.StyleSize > 0 {
		o.StyleSize = max(1, o.StyleSize*size/largest)
	}
	o.Size, o.MinSize = size, size
	return o
}

// largest is the longer side of the largest cell.
func (c *Comparison) largest() int {
	largest := c.most
	for _, cell := range c.options.Cells {
		largest = max(largest, cell.Settings.Options.Size)
	}
	return largest
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
func (c *Comparison) scoreKey(e *entry) (string, error) {
	return c.scoreKeyOf(c.options.Losses, e.digest)
}

// scoreKeyOf is the key of scores under losses of the picture of a digest. As of key, its
// fields and their names are part of it.
func (c *Comparison) scoreKeyOf(by []losses.Loss, digest string) (string, error) {
	base := c.options.Base
	scored := struct {
		Version  string
		Settings map[string]string
		Size     int
		Losses   []string
		Inputs   []string
		Weights  []float64
		Picture  string
	}{c.options.Version, base.Values(), c.scoreOptions().Size, losses.NamesOf(by), []string{c.digests[c.options.Content]}, nil, digest}
	for _, s := range c.options.Styles {
		scored.Inputs, scored.Weights = append(scored.Inputs, c.digests[s.File]), append(scored.Weights, s.Weight)
	}
	if base.Weights != "" {
		scored.Inputs = append(scored.Inputs, c.digests[base.WeightsFile()])
	}
	return records.Key(scored)
}

// scoreAll scores every picture that there is, those of which nothing is known
// by now.
func (c *Comparison) scoreAll(ctx context.Context) error {
	for i, e := range c.entries {
		event := Event{Number: i + 1, Count: len(c.entries)}
		if e.image != nil {
			if err := c.score(ctx, e, event); err != nil {
				return err
			}
		}
		event.Kind, event.Picture = Complete, e.Picture
		if err := c.tell(event); err != nil {
			return err
		}
	}
	return nil
}

// score scores a picture, and tells of it with the event's number.
func (c *Comparison) score(ctx context.Context, e *entry, event Event) error {
	key, err := c.scoreKey(e)
	if err != nil {
		return err
	}
	file := fileName(e.Name)
	if e.Kind == KindAlso {
		file = "also-" + file
	}
	path := filepath.Join(c.options.Folder, pictureFolder, file+".scores.json")
	var r scoreRecord
	if err := records.Read(path, &r); err != nil || r.Key != key {
		event.Kind, event.Picture = Scoring, e.Picture
		if err := c.tell(event); err != nil {
			return err
		}
		scores, err := c.scorer.Score(ctx, e.image)
		if ctx.Err() != nil {
			return c.interrupted(ctx, len(c.options.Cells))
		}
		if err != nil {
			return err
		}
		r = c.newScoreRecord(key, scores)
		if err := writeJSON(path, r); err != nil {
			return err
		}
	}
	e.Style, e.Content, e.Kept, e.Problems = r.Style, r.Content, r.Kept, r.Problems
	event.Kind, event.Picture = Unscored, e.Picture
	for _, event.Loss = range slices.Sorted(maps.Keys(e.Problems)) {
		if err := c.tell(event); err != nil {
			return err
		}
	}
	return nil
}

func (c *Comparison) newScoreRecord(key string, scores model.Scores) scoreRecord {
	r := scoreRecord{Key: key, Style: map[string]*float64{}, Content: map[string]*float64{}, Problems: map[string]string{}}
	for _, loss := range losses.NamesOf(c.options.Losses) {
		r.Style[loss], r.Content[loss] = known(scores.Style, loss), known(scores.Content, loss)
	}
	if !math.IsNaN(scores.Kept) {
		r.Kept = &scores.Kept
	}
	for loss, problem := range scores.Problems {
		r.Problems[loss] = quote.Line(problem)
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
