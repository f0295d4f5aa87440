package compare

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"time"

	"impasto/internal/picture"
	"impasto/internal/records"
	"impasto/losses"
	"impasto/model"
)

// objectiveNeutral are the settings that change how a descent goes, and not what it
// descends on: pictures that differ in nothing else have losses that can be compared.
var objectiveNeutral = []string{
	"seed", "start", "quality", "optimizer", "first-iterations", "middle-iterations", "iterations", "least-iterations", "noise", "step-size", "average-decay",
	"min-size", "device", "threads", "precision", "memory",
}

// oneObjective tells whether all cells descend on the same loss at their last scale.
func oneObjective(cells []Cell) bool {
	first := cells[0].Settings.Values()
	return !slices.ContainsFunc(cells[1:], func(c Cell) bool {
		for name, value := range c.Settings.Values() {
			if value != first[name] && !slices.Contains(objectiveNeutral, name) {
				return true
			}
		}
		return false
	})
}

// commonMeasures are the losses that pictures are measured under on their way where they
// descend on different ones, those of them that pictures are scored under: both take some
// milliseconds at the size of the scores.
var commonMeasures = []string{"gaussian", "gram"}

// ruler measures pictures on their way. A nil one measures nothing.
type ruler struct {
	scorer  *model.Scorer
	losses  []losses.Loss
	content bool   // it measures the content loss, too
	key     string // of all that makes its measures what they are
}

// openRuler makes the ruler where there is a need of one: where pictures descend on
// different losses, which can't be compared.
func (c *Comparison) openRuler(ctx context.Context) error {
	if oneObjective(c.options.Cells) {
		return nil
	}
	return c.makeRuler(ctx)
}

// makeRuler makes the ruler, where pictures are scored under any of the common measures.
func (c *Comparison) makeRuler(ctx context.Context) error {
	var by []losses.Loss
	for _, loss := range c.options.Losses {
		if slices.Contains(commonMeasures, loss.Description().Name) {
			by = append(by, loss)
		}
	}
	if len(by) == 0 {
		return nil
	}
	scored := c.scoreOptions()
	var err error
	if scored.Parameters, err = c.networks.Open(ctx, c.options.Base.Weights); err != nil {
		return err
	}
	scorer, err := model.NewScorer(c.content, c.modelStyles(), by, scored)
	if err != nil {
		return fmt.Errorf("compare: measures at --score-size %d: %s", scored.Size, strings.TrimPrefix(err.Error(), "model: "))
	}
	c.ruler = &ruler{scorer: scorer, losses: by, content: len(scored.ContentLayers) > 0}
	c.ruler.key, err = c.scoreKeyOf(by, "")
	return err
}

// close frees the device.
func (r *ruler) close() error {
	if r == nil {
		return nil
	}
	return r.scorer.Close()
}

// track is the way of one picture, measured now and then.
type track struct {
	ruler  *ruler
	limit  bool // the run has a time limit, in which measuring counts
	points []records.Measured
	spent  []spent // on measuring
	next   int     // the iteration to measure at, or one after it
}

// spent is the time that was spent by an iteration, from that on.
type spent struct {
	Iteration int           `json:"iteration"`
	Total     time.Duration `json:"total"`
}

// Pictures are measured at each iteration that is trackGrowth times as far as the last
// one. Of a run with a time limit measuring takes at most one part in trackShare.
const (
	trackGrowth = 1.25
	trackShare  = 50
)

// begin readies the ruler, so that the first measure takes no longer than others.
func (r *ruler) begin(ctx context.Context, content *picture.Source, limit bool) (*track, error) {
	if r == nil {
		return nil, nil
	}
	if _, err := r.scorer.Score(ctx, content); err != nil {
		return nil, err
	}
	return &track{ruler: r, limit: limit, next: 1}, nil
}

// add measures the picture after an iteration where its turn has come.
func (t *track) add(ctx context.Context, p model.Progress) error {
	if t == nil || p.Done < t.next || t.limit && t.total()*trackShare > p.Elapsed {
		return nil
	}
	began := time.Now()
	img, err := p.Picture()
	if err != nil {
		return err
	}
	if err := t.measure(ctx, img, p); err != nil {
		return err
	}
	t.next = max(p.Done+1, int(math.Ceil(trackGrowth*float64(p.Done))))
	t.spent = append(t.spent, spent{p.Done, t.total() + time.Since(began)})
	return nil
}

// measure adds the point of a picture.
func (t *track) measure(ctx context.Context, img image.Image, p model.Progress) error {
	scores, err := t.ruler.scorer.Score(ctx, img)
	if err != nil {
		return err
	}
	m := records.Measured{Iteration: p.Done, Seconds: t.without(p.Done, p.Elapsed).Seconds(), Style: scores.Style}
	if !math.IsNaN(scores.Kept) {
		m.Kept = &scores.Kept
	}
	t.points = append(t.points, m)
	return nil
}

// end measures the result, unless it was by now, and gives the points to a record.
func (t *track) end(ctx context.Context, result *model.Result, r *records.Record) error {
	if n := len(t.points); n == 0 || t.points[n-1].Iteration < result.Last.Done {
		if err := t.measure(ctx, result.Image, result.Last); err != nil {
			return err
		}
	}
	r.Measured, r.MeasuredKey = t.points, t.ruler.key
	return nil
}

// total is what measuring has taken by now.
func (t *track) total() time.Duration {
	if t == nil || len(t.spent) == 0 {
		return 0
	}
	return t.spent[len(t.spent)-1].Total
}

// without is the time that a run had taken after an iteration, without what measuring
// before had; with a time limit, in which that counts, it is the time as it was.
func (t *track) without(iteration int, elapsed time.Duration) time.Duration {
	if t == nil || t.limit {
		return elapsed
	}
	for _, s := range slices.Backward(t.spent) {
		if s.Iteration < iteration {
			return elapsed - s.Total
		}
	}
	return elapsed
}
