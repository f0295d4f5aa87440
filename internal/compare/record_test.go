package compare

import (
	"testing"
	"time"

	"impasto/internal/settings"
	"impasto/model"
)

// paper is a comparison of files that needn't be there.
func paper() *Comparison {
	return &Comparison{
		options: Options{
			Content: "content", Styles: []Style{{"style", 1}}, Base: settings.Default(),
			Cells: []Cell{{Settings: settings.Default()}}, Losses: named("gram"), ScoreSize: 64, Version: "1",
		},
		digests: map[string]string{"content": "c", "style": "s", "weights": "w", "start": "t", "other": "o"},
	}
}

func TestKeysFollowAllThatMakesAPictureAndItsScores(t *testing.T) {
	keys := func(c *Comparison) [2]string {
		t.Helper()
		made, err := c.key(c.options.Cells[0])
		if err != nil {
			t.Fatal(err)
		}
		scored, err := c.scoreKey(&entry{digest: c.digests["picture"]})
		if err != nil {
			t.Fatal(err)
		}
		return [2]string{made, scored}
	}
	plain := keys(paper())
	if plain != keys(paper()) {
		t.Error("keys of the same are two")
	}
	cell := func(c *Comparison) *settings.Stylization { return &c.options.Cells[0].Settings }
	for name, test := range map[string]struct {
		change       func(c *Comparison)
		made, scored bool // which keys should be others
	}{
		"version":             {func(c *Comparison) { c.options.Version = "2" }, true, true},
		"content":             {func(c *Comparison) { c.digests["content"] = "d" }, true, true},
		"style":               {func(c *Comparison) { c.digests["style"] = "d" }, true, true},
		"weight of a style":   {func(c *Comparison) { c.options.Styles[0].Weight = 2 }, true, true},
		"another style":       {func(c *Comparison) { c.options.Styles = append(c.options.Styles, Style{"other", 1}) }, true, true},
		"time":                {func(c *Comparison) { c.options.Seconds = 1 }, true, false},
		"setting of a cell":   {func(c *Comparison) { cell(c).Options.Seed = 1 }, true, false},
		"start of a cell":     {func(c *Comparison) { cell(c).Start = "start" }, true, false},
		"weights of a cell":   {func(c *Comparison) { cell(c).Weights = "weights" }, true, false},
		"setting of the base": {func(c *Comparison) { c.options.Base.Options.Pooling = "avg" }, false, true},
		"weights of the base": {func(c *Comparison) { c.options.Base.Weights = "weights" }, false, true},
		"losses":              {func(c *Comparison) { c.options.Losses = named("cmd") }, false, true},
		"size of the scores":  {func(c *Comparison) { c.options.ScoreSize = 32 }, false, true},
		"picture":             {func(c *Comparison) { c.digests["picture"] = "p" }, false, true},
		"command and folder":  {func(c *Comparison) { c.options.Command, c.options.Folder = "impasto", "out" }, false, false},
	} {
		c := paper()
		test.change(c)
		changed := keys(c)
		if got := changed[0] != plain[0]; got != test.made {
			t.Errorf("%s: the picture's key is another one: %t, want %t", name, got, test.made)
		}
		if got := changed[1] != plain[1]; got != test.scored {
			t.Errorf("%s: the scores' key is another one: %t, want %t", name, got, test.scored)
		}
	}
	// The same start with other contents.
	c := paper()
	cell(c).Start = "start"
	before := keys(c)
	c.digests["start"] = "u"
	if keys(c)[0] == before[0] {
		t.Error("a start with other contents leaves the key as it was")
	}
}

func TestCurvesAreThinnedToTheirLastPoint(t *testing.T) {
	for _, length := range []int{0, 1, 400, 401, 12345} {
		var curve []model.CurvePoint
		for i := range length {
			curve = append(curve, model.CurvePoint{Done: i + 1, Elapsed: time.Duration(i) * time.Second, Loss: 1 / float64(i+1)})
		}
		kept := thin(curve, nil)
		if len(kept) > 402 || length <= 400 && len(kept) != length {
			t.Errorf("%d of %d points are kept", len(kept), length)
		}
		if length > 0 && (kept[0][0] != 1 || kept[len(kept)-1][0] != float64(length)) {
			t.Errorf("of %d points the first is %v and the last %v", length, kept[0], kept[len(kept)-1])
		}
	}
}
