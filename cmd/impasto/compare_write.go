package main

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"impasto/internal/picture"
	"impasto/internal/report"
)

// write makes the files that show everything, and the table.
func (c *comparison) write() error {
	shown, err := c.report()
	if err != nil {
		return err
	}
	scores := scoresReport{Content: c.contentPath, Losses: comparedLosses()}
	scores.ScoreSize[0], scores.ScoreSize[1] = c.scorer.Size()
	for _, s := range c.styleArguments {
		scores.Styles = append(scores.Styles, styleReport{s.path, s.weight})
	}
	for _, e := range c.entries {
		scores.Pictures = append(scores.Pictures, e.pictureReport)
	}
	if err := c.writeFile(scoresFile, func(path string) error { return writeJSON(path, scores) }); err != nil {
		return err
	}
	sheet, err := shown.Sheet()
	if err != nil {
		return err
	}
	if err := c.writeFile(sheetFile, func(path string) error {
		return picture.SaveWith(path, func(w io.Writer) error { return png.Encode(w, sheet) })
	}); err != nil {
		return err
	}
	if err := c.writeFile(pageFile, func(path string) error { return picture.SaveWith(path, shown.Page) }); err != nil {
		return err
	}
	if c.global.JSON {
		return nil
	}
	return c.writeScoreTables()
}

func (c *comparison) writeFile(name string, write func(path string) error) error {
	path := filepath.Join(c.options.Output, name)
	if err := write(path); err != nil {
		return err
	}
	c.say("wrote %s", path)
	if c.global.JSON {
		return printJSON(c.stdout, fileEvent{"written", path})
	}
	return nil
}

// report is the comparison as it is shown. Pictures of the content's shape are
// brought to one size, so that they lie over each other.
func (c *comparison) report() (report.Comparison, error) {
	width, height := c.shownSize()
	r := report.Comparison{
		Title: c.title(), Command: commandLine(), Losses: comparedLosses(), Common: c.common(),
	}
	scoreWidth, scoreHeight := c.scorer.Size()
	r.ScoreSize = fmt.Sprintf("%d×%d", scoreWidth, scoreHeight)
	for _, e := range c.entries {
		p := report.Picture{
			Name: e.Name, Error: e.Error, Note: e.note(), Iterations: e.Iterations, Seconds: e.Seconds, Loss: e.Loss, Curve: e.curve, Scores: e.scores(),
		}
		if e.Kind == kindMade {
			for _, name := range slices.Sorted(maps.Keys(e.Settings)) {
				p.Settings = append(p.Settings, report.Setting{Name: name, Value: e.Settings[name]})
			}
		}
		if e.image != nil {
			var err error
			if p.Image, err = shownImage(e.image, width, height); err != nil {
				return r, err
			}
		}
		if e.Kind == kindContent {
			r.References = append(r.References, p)
		} else {
			r.Pictures = append(r.Pictures, p)
		}
	}
	for i, s := range c.styles {
		styleWidth, styleHeight := picture.FitSize(s.Width, s.Height, min(max(width, height), max(s.Width, s.Height)))
		resized, err := s.Resize(styleWidth, styleHeight, picture.Lanczos)
		if err != nil {
			return r, err
		}
		p := report.Picture{Name: "style", Note: filepath.Base(c.styleArguments[i].path), Image: resized.Image()}
		if len(c.styles) > 1 {
			p.Name = fmt.Sprintf("style %d", i+1)
			p.Note += fmt.Sprintf(", weight %g", c.styleArguments[i].weight)
		}
		r.References = append(r.References, p)
	}
	return r, nil
}

// shownSize is that of the largest picture made, or what it would have been.
func (c *comparison) shownSize() (width, height int) {
	for _, e := range c.entries {
		if e.Kind == kindMade && e.image != nil && e.image.Bounds().Dx() > width {
			width, height = e.image.Bounds().Dx(), e.image.Bounds().Dy()
		}
	}
	if width == 0 {
		return picture.FitSize(c.content.Width, c.content.Height, c.options.Size)
	}
	return width, height
}

// shownImage brings a picture of about the shape to the size, and another one
// within it.
func shownImage(img image.Image, width, height int) (image.Image, error) {
	p, err := picture.FromImage(img)
	if err != nil {
		return nil, err
	}
	aspect := float64(p.Width) / float64(p.Height) * float64(height) / float64(width)
	if math.Abs(math.Log(aspect)) > 0.02 {
		width, height = picture.FitSize(p.Width, p.Height, max(width, height))
	}
	if p.Width == width && p.Height == height {
		return img, nil
	}
	if p, err = p.Resize(width, height, picture.Lanczos); err != nil {
		return nil, err
	}
	return p.Image(), nil
}

// note says in a few words where an entry comes from.
func (e *entry) note() string {
	switch e.Kind {
	case kindContent:
		return filepath.Base(e.File)
	case kindAlso:
		return "made elsewhere: " + filepath.Base(e.File)
	}
	return fmt.Sprintf("%s in %s", count(e.Iterations, "iteration"), roundTime(time.Duration(e.Seconds*float64(time.Second))))
}

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

func (c *comparison) title() string {
	base := func(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }
	var styles []string
	for _, s := range c.styleArguments {
		styles = append(styles, base(s.path))
	}
	return fmt.Sprintf("%s in the style of %s", base(c.contentPath), strings.Join(styles, " and "))
}

// common are the settings that don't vary.
func (c *comparison) common() []report.Setting {
	settings := c.options.settings()
	if len(c.cells) > 0 {
		for _, s := range c.cells[0].settings {
			delete(settings, s.Name)
		}
	}
	if c.options.Seconds > 0 {
		settings["seconds"] = fmt.Sprint(c.options.Seconds)
	}
	var common []report.Setting
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if value := settings[name]; value != "" {
			common = append(common, report.Setting{Name: name, Value: value})
		}
	}
	return common
}

var harmless = regexp.MustCompile(`^[\w./:=,+@%×-]+$`)

// commandLine is what the user typed, in the words of a shell.
func commandLine() string {
	words := []string{"impasto"}
	for _, word := range os.Args[1:] {
		if !harmless.MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
