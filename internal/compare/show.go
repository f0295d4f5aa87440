package compare

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/losses"
)

// The names in the folder.
const (
	pictureFolder = "pictures"
	sheetFile     = "sheet.png"
	pageFile      = "index.html"
	scoresFile    = "scores.json"
	curvesFile    = "curves.json"
	plotFile      = "curves.svg"
)

// write makes the files that show everything.
func (c *Comparison) write(ctx context.Context) error {
	shown, err := c.shown(ctx)
	if err != nil {
		return err
	}
	sheet, err := shown.Sheet()
	if err != nil {
		return err
	}
	plot := shown.Curves()
	for _, file := range []struct {
		name string
		save func(path string) error
	}{
		{scoresFile, func(path string) error { return writeJSON(path, c.Report()) }},
		{sheetFile, func(path string) error {
			return picture.SaveWith(path, func(w io.Writer) error { return png.Encode(w, sheet) })
		}},
		{pageFile, func(path string) error { return writeFile(path, shown.Page) }},
		{curvesFile, func(path string) error { return writeJSON(path, c.curves(shown)) }},
		{plotFile, func(path string) error {
			return picture.SaveWith(path, func(w io.Writer) error { return plot.Draw(w, "svg") })
		}},
	} {
		if file.name == plotFile && len(plot.Rows) == 0 {
			continue // nothing can be compared
		}
		path := filepath.Join(c.options.Folder, file.name)
		if err := file.save(path); err != nil {
			return err
		}
		if err := c.tell(Event{Kind: Written, Path: path}); err != nil {
			return err
		}
	}
	return nil
}

// shown is the comparison as it is shown. Pictures of the content's shape are
// brought to one size, so that they lie over each other.
func (c *Comparison) shown(ctx context.Context) (report.Comparison, error) {
	width, height := c.shownSize()
	r := report.Comparison{
		Title: c.title(), Command: c.options.Command, Losses: losses.NamesOf(c.options.Losses), Common: c.common(),
	}
	r.OneObjective, r.Measures = oneObjective(c.options.Cells), c.measures()
	scoreWidth, scoreHeight := c.scorer.Size()
	r.ScoreSize = fmt.Sprintf("%d×%d", scoreWidth, scoreHeight)
	content, err := c.shownEntry(ctx, c.entries[0], width, height)
	if err != nil {
		return r, err
	}
	r.References = append(r.References, content)
	for _, g := range c.groups() {
		p, err := c.shownGroup(ctx, g, width, height)
		if err != nil {
			return r, err
		}
		r.Pictures = append(r.Pictures, p)
	}
	for _, e := range c.entries[1+len(c.options.Cells):] {
		p, err := c.shownEntry(ctx, e, width, height)
		if err != nil {
			return r, err
		}
		r.Pictures = append(r.Pictures, p)
	}
	styles, err := c.shownStyles(ctx, max(width, height))
	r.References = append(r.References, styles...)
	return r, err
}

// shownStyles are the styles with a longer side as given, or smaller where they
// are.
func (c *Comparison) shownStyles(ctx context.Context, side int) ([]report.Picture, error) {
	var shown []report.Picture
	for i, s := range c.styles {
		size := s.Bounds().Size()
		width, height := picture.FitSize(size.X, size.Y, min(side, max(size.X, size.Y)))
		resized, err := resized(ctx, s, width, height)
		if err != nil {
			return nil, err
		}
		p := report.Picture{Name: "style", Note: quote.Name(filepath.Base(c.options.Styles[i].File)), Image: resized}
		if len(c.styles) > 1 {
			p.Name = fmt.Sprintf("style %d", i+1)
			p.Note += fmt.Sprintf(", weight %g", c.options.Styles[i].Weight)
		}
		shown = append(shown, p)
	}
	return shown, nil
}

// shownSize is that of the largest picture made, or what it would have been.
func (c *Comparison) shownSize() (width, height int) {
	for _, e := range c.entries {
		if e.Kind == KindMade && e.image != nil && e.image.Bounds().Dx() > width {
			width, height = e.image.Bounds().Dx(), e.image.Bounds().Dy()
		}
	}
	if width == 0 {
		size := c.content.Bounds().Size()
		return picture.FitSize(size.X, size.Y, c.options.Base.Options.Size)
	}
	return width, height
}

// shownEntry is an entry as it is shown, at the size of the others.
func (c *Comparison) shownEntry(ctx context.Context, e *entry, width, height int) (report.Picture, error) {
	p := report.Picture{
		Name: quote.Name(e.Name), Error: e.Error, Note: e.note(), Iterations: float64(e.Iterations), Seconds: e.Seconds, Loss: e.Loss,
		Curve: e.by(report.LossMeasure), Measured: map[string][]report.CurvePoint{}, Scores: e.scores(),
	}
	for _, measure := range c.measures() {
		p.Measured[measure] = e.by(measure)
	}
	var err error
	if e.image != nil {
		p.Image, err = shownImage(ctx, e.image, width, height)
	}
	return p, err
}

// shownGroup is a variant as it is shown: by its first picture that is finished, or else
// by one that isn't.
func (c *Comparison) shownGroup(ctx context.Context, g group, width, height int) (report.Picture, error) {
	var all []report.Picture
	first, finished := 0, g.finished()
	for i, e := range g.entries {
		p, err := c.shownEntry(ctx, e, width, height)
		if err != nil {
			return p, err
		}
		all = append(all, p)
		if len(finished) > 0 && e == finished[0] {
			first = i
		}
	}
	p := all[first]
	for _, varied := range g.cells[0].Varied {
		p.Settings = append(p.Settings, report.Setting{Name: varied.Name, Value: quote.Name(varied.Value)})
	}
	if !g.cells[0].Seeded {
		return p, nil
	}
	p.Name = quote.Name(g.cells[0].Variant())
	for i, e := range g.entries {
		p.Seeds = append(p.Seeds, report.Seeded{Seed: g.cells[i].Settings.Options.Seed, Name: all[i].Name, Image: all[i].Image, Error: e.Error})
	}
	// The one to see at first stands first.
	p.Seeds[0], p.Seeds[first] = p.Seeds[first], p.Seeds[0]
	if len(finished) == 0 {
		return p, nil
	}
	g.average(&p, c.measures(), losses.NamesOf(c.options.Losses))
	of := ""
	if len(finished) < len(g.entries) {
		of = fmt.Sprintf("%d of ", len(finished))
	}
	took := report.Duration(time.Duration(p.Seconds * float64(time.Second)))
	p.Note = fmt.Sprintf("mean of %s%s: %.4g iterations in %s", of, report.Count(len(g.entries), "seed"), p.Iterations, took)
	return p, nil
}

// average puts means over the finished pictures in place of the numbers of one.
func (g group) average(p *report.Picture, measures, by []string) {
	d := report.Deviations{Count: len(g.finished()), Scores: report.Scores{Style: map[string]float64{}, Content: map[string]float64{}, Kept: math.NaN()}}
	mean := func(of func(*entry) *float64) (mean, deviation float64) {
		s := g.spread(of)
		switch {
		case s == nil:
			return math.NaN(), math.NaN()
		case s.Deviation == nil:
			return s.Mean, math.NaN()
		}
		return s.Mean, *s.Deviation
	}
	p.Iterations, _ = mean(iterationsOf)
	p.Seconds, d.Seconds = mean(secondsOf)
	p.Loss, d.Loss = mean(lossOf)
	p.Curve, p.Measured = g.curve(report.LossMeasure), map[string][]report.CurvePoint{}
	for _, measure := range measures {
		p.Measured[measure] = g.curve(measure)
	}
	if p.Scores != nil {
		s := report.Scores{Style: map[string]float64{}, Content: map[string]float64{}}
		for _, loss := range by {
			for _, side := range []struct {
				means, deviations map[string]float64
				of                func(*entry) *float64
			}{{s.Style, d.Scores.Style, styleUnder(loss)}, {s.Content, d.Scores.Content, contentUnder(loss)}} {
				if value, deviation := mean(side.of); !math.IsNaN(value) {
					side.means[loss], side.deviations[loss] = value, deviation
				}
			}
		}
		s.Kept, d.Scores.Kept = mean(keptOf)
		p.Scores = &s
	}
	p.Deviations = &d
}

// shownImage brings a picture of about the shape to the size, and another one
// within it.
func shownImage(ctx context.Context, p *picture.Source, width, height int) (image.Image, error) {
	size := p.Bounds().Size()
	aspect := float64(size.X) / float64(size.Y) * float64(height) / float64(width)
	if math.Abs(math.Log(aspect)) > 0.02 {
		width, height = picture.FitSize(size.X, size.Y, max(width, height))
	}
	return resized(ctx, p, width, height)
}

// resized brings a picture to a size.
func resized(ctx context.Context, p *picture.Source, width, height int) (*picture.Picture, error) {
	if size := p.Bounds().Size(); size == image.Pt(width, height) {
		return p.Picture(ctx)
	}
	return picture.ResizedTo(ctx, p, picture.ResizeOptions{Filter: picture.Lanczos}, width, height)
}

// note says in a few words where an entry comes from.
func (e *entry) note() string {
	switch e.Kind {
	case KindContent:
		return quote.Name(filepath.Base(e.File))
	case KindAlso:
		return "made elsewhere: " + quote.Name(filepath.Base(e.File))
	}
	return fmt.Sprintf("%s in %s", report.Count(e.Iterations, "iteration"), report.Duration(e.Time()))
}

// scores are those of an entry as they are shown, or nil.
func (e *entry) scores() *report.Scores {
	if e.Style == nil {
		return nil
	}
	s := &report.Scores{Style: values(e.Style), Content: values(e.Content), Kept: math.NaN()}
	if e.Kept != nil {
		s.Kept = *e.Kept
	}
	return s
}

// values are those scores that are known.
func values(scores map[string]*float64) map[string]float64 {
	known := map[string]float64{}
	for loss, value := range scores {
		if value != nil {
			known[loss] = *value
		}
	}
	return known
}

func (c *Comparison) title() string {
	base := func(path string) string {
		return quote.Name(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	}
	var styles []string
	for _, s := range c.options.Styles {
		styles = append(styles, base(s.File))
	}
	return fmt.Sprintf("%s in the style of %s", base(c.options.Content), strings.Join(styles, " and "))
}

// common are the settings that don't vary.
func (c *Comparison) common() []report.Setting {
	all := c.options.Base.Values()
	for _, s := range c.options.Cells[0].Varied {
		delete(all, s.Name)
	}
	if c.seeded() {
		delete(all, "seed")
		all["seeds"] = SeedsText(c.options.Seeds)
	}
	if c.options.Seconds > 0 {
		all["seconds"] = fmt.Sprint(c.options.Seconds)
	}
	var common []report.Setting
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if value := all[name]; value != "" {
			common = append(common, report.Setting{Name: name, Value: quote.Name(value)})
		}
	}
	return common
}
