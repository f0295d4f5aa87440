package model

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"impasto/losses"
)

func newScorer(t *testing.T, by []losses.Loss, o Options) *Scorer {
	t.Helper()
	var err error
	if o.Parameters, err = network(); err != nil {
		t.Fatal(err)
	}
	s, err := NewScorer(waves(60, 40, 0.1), oneStyle, by, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestScoresAreLeastForWhatIsComparedWith(t *testing.T) {
	o := shallow(tinyOptions())
	o.Size = 48
	s := newScorer(t, losses.All(), o)
	content, err := s.Score(t.Context(), waves(60, 40, 0.1))
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Score(t.Context(), waves(60, 40, 0.9))
	if err != nil {
		t.Fatal(err)
	}
	if len(content.Problems) > 0 || len(other.Problems) > 0 {
		t.Fatalf("problems: %v, %v", content.Problems, other.Problems)
	}
	// 0 but for rounding, and for losses that estimate from samples.
	if content.Kept > 1e-6 || other.Kept < 0.01 {
		t.Errorf("the content's own content score is %g, another picture's %g", content.Kept, other.Kept)
	}
	for _, name := range losses.Names() {
		if content.Content[name] > 0.1*other.Content[name] {
			t.Errorf("%s: the content is %g from itself, another picture %g", name, content.Content[name], other.Content[name])
		}
		if other.Style[name] >= content.Style[name] {
			t.Errorf("%s: a picture like the style is %g from it, the content %g", name, other.Style[name], content.Style[name])
		}
	}
}

// What a stylisation reports as its style terms is what the scorer finds.
func TestScoresAreTheDescentsOwnTerms(t *testing.T) {
	o := tinyOptions()
	o.FirstIterations, o.AverageDecay, o.StepSize, o.Noise = 1, 0, 1e-6, 0 // the picture stays what it was, but for 16 bits
	o.SetLoss(named("moments"))
	var style, content float64
	o.Progress = func(p Progress) {
		for _, term := range p.Terms {
			if strings.HasPrefix(term.Name, "style ") {
				style += term.Value
			}
		}
	}
	r, err := stylize(t, t.Context(), oneStyle, o)
	if err != nil {
		t.Fatal(err)
	}
	s := newScorer(t, []losses.Loss{named("moments")}, o)
	scores, err := s.Score(t.Context(), r.Image)
	if err != nil {
		t.Fatal(err)
	}
	content = scores.Kept
	if math.Abs(scores.Style["moments"]-style) > 1e-3*style {
		t.Errorf("the style scores %g, and the descent said %g", scores.Style["moments"], style)
	}
	if !(content >= 0 && content < 0.01) {
		t.Errorf("the content's picture scores %g for content", content)
	}
}

// What losses sample is the same for every picture, whatever the device computed before.
func TestScoresDependOnThePictureAlone(t *testing.T) {
	sampling := []losses.Loss{named("sliced"), named("max-sliced"), named("mmd")}
	score := func(s *Scorer, frequency float64) Scores {
		scores, err := s.Score(t.Context(), waves(60, 40, frequency))
		if err != nil {
			t.Fatal(err)
		}
		return scores
	}
	o := shallow(tinyOptions())
	o.Size = 48
	used := newScorer(t, append([]losses.Loss{named("gaussian")}, sampling...), o)
	score(used, 0.4)
	got, want := score(used, 0.9), score(newScorer(t, sampling, o), 0.9)
	for _, name := range losses.NamesOf(sampling) {
		if got.Style[name] != want.Style[name] || got.Content[name] != want.Content[name] {
			t.Errorf("%s: %g and %g, by another scorer %g and %g", name, got.Style[name], got.Content[name], want.Style[name], want.Content[name])
		}
	}
}

func TestScorerRefusesWhatItCannotScore(t *testing.T) {
	o := tinyOptions()
	o.Size = 8
	if _, err := NewScorer(waves(60, 40, 0.1), oneStyle, losses.All(), o); err == nil {
		t.Error("8 pixels are enough")
	}
	if _, err := NewScorer(waves(60, 40, 0.1), oneStyle, []losses.Loss{named("gram"), named("gram")}, tinyOptions()); err == nil {
		t.Error("two losses have one name")
	}
	s := newScorer(t, losses.All(), tinyOptions())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Score(ctx, waves(60, 40, 0.1)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
}

func TestPicturesOfAnotherShapeHaveNoContentScore(t *testing.T) {
	s := newScorer(t, []losses.Loss{named("gram")}, tinyOptions())
	scores, err := s.Score(t.Context(), waves(40, 40, 0.9))
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(scores.Kept) || !strings.Contains(scores.Problems["content"], "shape") || scores.Style["gram"] <= 0 {
		t.Errorf("%+v", scores)
	}
}

func TestTimeLimitEndsTheRunInItsTime(t *testing.T) {
	o := shallow(tinyOptions())
	o.MinSize, o.Size = 32, 64
	o.TimeLimit = 600 * time.Millisecond
	var last Progress
	levels := map[int]int{}
	o.Progress = func(p Progress) {
		levels[p.Level]++
		if p.Iterations != p.Iteration || p.Total != p.Done {
			t.Errorf("%d of %d, %d of %d", p.Iteration, p.Iterations, p.Done, p.Total)
		}
		last = p
	}
	r, err := stylize(t, t.Context(), oneStyle, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(levels) != 3 || r.Image.Bounds().Dx() != 64 {
		t.Errorf("iterations by level are %v, and the picture is %v", levels, r.Image.Bounds())
	}
	if last.Done != levels[1]+levels[2]+levels[3] || last.Elapsed < o.TimeLimit {
		t.Errorf("%d iterations in %v", last.Done, last.Elapsed)
	}
	o.TimeLimit = time.Nanosecond
	clear(levels)
	if _, err = stylize(t, t.Context(), oneStyle, o); err != nil || len(levels) != 3 || last.Done != 3 {
		t.Errorf("%v: with no time at all, iterations by level are %v, want one each", err, levels)
	}
	o.TimeLimit = -1
	var wrong *OptionError
	if _, err = stylize(t, t.Context(), oneStyle, o); !errors.As(err, &wrong) || wrong.Option != "TimeLimit" {
		t.Errorf("a negative limit gives %v", err)
	}
}

func TestTimeIsSharedByWork(t *testing.T) {
	levels := []level{{width: 10, height: 10, iterations: 2}, {width: 20, height: 10, iterations: 1}, {width: 40, height: 10, iterations: 1}}
	ends := shareTime(8*time.Second, levels)
	for i, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
		if ends[i] != want {
			t.Errorf("level %d ends at %v, want %v", i, ends[i], want)
		}
	}
}
