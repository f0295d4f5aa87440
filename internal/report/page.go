package report

import (
	"bytes"
	_ "embed" // the page's template, looks and behaviour
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	"io"
	"math"
	"slices"

	"github.com/disintegration/imaging"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// Pictures up to losslessSide are embedded as PNG. Larger ones are JPEG at a
// quality that shows no difference, so that a page of ten doesn't take a
// hundred megabytes.
const (
	losslessSide = 1024
	pageQuality  = 93
)

// page is what the template takes.
type page struct {
	Title     string
	Command   string
	Style     template.CSS
	Script    template.JS
	Shown     []shownPicture
	Charts    []template.HTML
	Tables    []scoreTable
	ScoreSize string
	Varied    []string
	Runs      []pageRun
	Common    []Setting
}

type shownPicture struct {
	Name, Note, Error string
	Reference         bool
	Index             int // among those that have an image
	Source            template.URL
	Width, Height     int
}

type scoreTable struct {
	Title   string
	Columns []string
	Rows    []scoreRow
}

type scoreRow struct {
	Name  string
	Cells []scoreCell
}

type scoreCell struct {
	Text  string
	Best  bool
	Shade int // 0 to 4
}

type pageRun struct {
	Name                            string
	Values                          []string
	Iterations, Seconds, Each, Loss string
}

// Page writes a page of HTML that needs nothing else: the pictures side by side
// and two of them under a slider, with one zoom for all; the curves, the
// scores, the times and the settings.
func (c Comparison) Page(w io.Writer) error {
	pageTemplate, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	p := page{
		Title: c.Title, Command: c.Command, Style: template.CSS(pageCSS), Script: template.JS(pageJS),
		Charts: lossCharts(c.Pictures), Tables: c.scoreTables(), ScoreSize: c.ScoreSize, Common: c.Common,
	}
	if p.Shown, err = c.shown(); err != nil {
		return err
	}
	p.Varied, p.Runs = c.runs()
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	return nil
}

func (c Comparison) shown() ([]shownPicture, error) {
	var shown []shownPicture
	index := 0
	for i, p := range slices.Concat(c.References, c.Pictures) {
		s := shownPicture{Name: p.Name, Note: p.Note, Error: p.Error, Reference: i < len(c.References)}
		if p.Image != nil {
			var err error
			if s.Source, err = dataURI(p.Image); err != nil {
				return nil, fmt.Errorf("report: %s: %w", p.Name, err)
			}
			size := p.Image.Bounds().Size()
			s.Width, s.Height, s.Index = size.X, size.Y, index
			index++
		}
		shown = append(shown, s)
	}
	if index == 0 {
		return nil, errors.New("report: no pictures, want one at least")
	}
	return shown, nil
}

func dataURI(img image.Image) (template.URL, error) {
	format, kind := imaging.PNG, "png"
	if size := img.Bounds().Size(); max(size.X, size.Y) > losslessSide {
		format, kind = imaging.JPEG, "jpeg"
	}
	var data bytes.Buffer
	// Eight bits a channel are what a screen shows.
	if err := imaging.Encode(&data, imaging.Clone(img), format, imaging.JPEGQuality(pageQuality)); err != nil {
		return "", err
	}
	return template.URL("data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(data.Bytes())), nil
}

// scoreTables are the distances from the styles and from the content; none where
// nothing was scored.
func (c Comparison) scoreTables() []scoreTable {
	scored := slices.DeleteFunc(slices.Concat(c.References, c.Pictures), func(p Picture) bool { return p.Scores == nil })
	if len(scored) == 0 {
		return nil
	}
	contest := make([]bool, len(scored))
	for i := range scored {
		contest[i] = scored[i].Error == "" && !slices.ContainsFunc(c.References, func(r Picture) bool { return r.Name == scored[i].Name })
	}
	styles := scoreTable{Title: "Distance from the styles", Columns: c.Losses}
	content := scoreTable{Title: "Distance from the content", Columns: append([]string{"content loss"}, c.Losses...)}
	for _, p := range scored {
		row, other := scoreRow{Name: p.Name}, scoreRow{Name: p.Name}
		other.Cells = append(other.Cells, scoreCell{Text: ScoreText(p.Scores.Kept)})
		for _, loss := range c.Losses {
			row.Cells = append(row.Cells, scoreCell{Text: ScoreText(valueOf(p.Scores.Style, loss))})
			other.Cells = append(other.Cells, scoreCell{Text: ScoreText(valueOf(p.Scores.Content, loss))})
		}
		styles.Rows, content.Rows = append(styles.Rows, row), append(content.Rows, other)
	}
	for k, loss := range c.Losses {
		styles.shade(k, contest, func(i int) float64 { return valueOf(scored[i].Scores.Style, loss) })
		content.shade(k+1, contest, func(i int) float64 { return valueOf(scored[i].Scores.Content, loss) })
	}
	content.shade(0, contest, func(i int) float64 { return scored[i].Scores.Kept })
	return []scoreTable{styles, content}
}

func valueOf(scores map[string]float64, loss string) float64 {
	if value, ok := scores[loss]; ok {
		return value
	}
	return math.NaN()
}

// shade marks a column: the least value in the contest is the best, and shades
// fall off with the distance from it on a scale of ratios.
func (t *scoreTable) shade(column int, contest []bool, value func(row int) float64) {
	least, most := math.Inf(1), math.Inf(-1)
	for i := range t.Rows {
		if v := value(i); contest[i] && v > 0 {
			least, most = min(least, v), max(most, v)
		}
	}
	for i := range t.Rows {
		v := value(i)
		if !contest[i] || !(v > 0) || most <= least {
			continue
		}
		cell := &t.Rows[i].Cells[column]
		cell.Best = v == least
		cell.Shade = int(math.Round(4 * (1 - math.Log(v/least)/math.Log(most/least))))
	}
}

// runs are the rows of times and settings, of the pictures that were made here,
// and the names of the settings that differ.
func (c Comparison) runs() (varied []string, runs []pageRun) {
	for _, p := range c.Pictures {
		for _, s := range p.Settings {
			if !slices.Contains(varied, s.Name) {
				varied = append(varied, s.Name)
			}
		}
	}
	for _, p := range c.Pictures {
		if p.Settings == nil {
			continue
		}
		run := pageRun{Name: p.Name, Iterations: "–", Seconds: "–", Each: "–", Loss: "–"}
		for _, name := range varied {
			value := "–"
			for _, s := range p.Settings {
				if s.Name == name {
					value = s.Value
				}
			}
			run.Values = append(run.Values, value)
		}
		if p.Iterations > 0 {
			run.Iterations = fmt.Sprint(p.Iterations)
			run.Seconds = fmt.Sprintf("%.1f", p.Seconds)
			run.Each = fmt.Sprintf("%.1f", 1e3*p.Seconds/float64(p.Iterations))
			run.Loss = fmt.Sprintf("%.4g", p.Loss)
		}
		runs = append(runs, run)
	}
	return varied, runs
}
