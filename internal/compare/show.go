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
	for _, file := range []struct {
		name string
		save func(path string) error
	}{
		{scoresFile, func(path string) error { return writeJSON(path, c.Report()) }},
		{sheetFile, func(path string) error {
			return picture.SaveWith(path, func(w io.Writer) error { return png.Encode(w, sheet) })
		}},
		{pageFile, func(path string) error { return writeFile(path, shown.Page) }},
	} {
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
	scoreWidth, scoreHeight := c.scorer.Size()
	r.ScoreSize = fmt.Sprintf("%d×%d", scoreWidth, scoreHeight)
	for _, e := range c.entries {
		p, err := c.shownEntry(ctx, e, width, height)
		if err != nil {
			return r, err
		}
		if e.Kind == KindContent {
			r.References = append(r.References, p)
		} else {
			r.Pictures = append(r.Pictures, p)
		}
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
		Name: quote.Name(e.Name), Error: e.Error, Note: e.note(), Iterations: e.Iterations, Seconds: e.Seconds, Loss: e.Loss, Curve: e.curve, Scores: e.scores(),
	}
	if e.Kind == KindMade {
		for _, varied := range c.options.Cells[0].Varied {
			p.Settings = append(p.Settings, report.Setting{Name: varied.Name, Value: quote.Name(e.Settings[varied.Name])})
		}
	}
	var err error
	if e.image != nil {
		p.Image, err = shownImage(ctx, e.image, width, height)
	}
	return p, err
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
