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
	"slices"
	"strings"

	"github.com/disintegration/imaging"

	"impasto/internal/web"
)

var (
	//go:embed head.html
	headHTML string // the beginning of every page
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
	Title, Command string
	Policy         string
	Style          template.CSS
	Script         template.JS
	Before, After  []shownPicture // what stands before and behind the matrices
	Matrices       []shownMatrix
	Charts         []template.HTML
	OneObjective   bool
	Measured       []measuredCharts // by measures that can be compared
	Seeds          []uint64         // that pictures can be shown under; nil where there is but one each
	Tables         []scoreTable
	ScoreSize      string
	Varied         []string
	Runs           []pageRun
	Common         []Setting

	images int // on the page by now
}

type shownPicture struct {
	Name, Note, Error string
	Reference         bool
	Headed            bool // it has headings, and so needs no name
	Seeds             []shownSeed
	shownImage
}

// shownImage is an image on the page.
type shownImage struct {
	Index         int // among all, in the order of the page
	Source        template.URL
	Width, Height int
}

// shownSeed is the picture under one of several seeds; the first is the one to see at
// first.
type shownSeed struct {
	Seed uint64
	Name string
	shownImage
}

// measuredCharts are the curves by one measure, and when pictures came as far as all.
type measuredCharts struct {
	Measure string
	Charts  []template.HTML
	Value   string
	Reached []reachedRow
}

type reachedRow struct{ Name, Iterations, Seconds string }

// shownMatrix is a matrix of pictures with its headings.
type shownMatrix struct {
	Title         string
	Rows, Columns string // names of the settings
	Heads         []string
	Body          []shownRow
}

type shownRow struct {
	Head  string
	Cells []*shownPicture // nil for none
}

// Page writes a page of HTML that needs nothing else: the pictures side by side, by
// two settings that vary as a matrix, and two of them under a slider, with one zoom
// for all; the curves, the scores, the times and the settings.
func (c Comparison) Page(w io.Writer) error {
	c = c.visible()
	pageTemplate, err := template.New("page").Funcs(template.FuncMap{"breakable": breakable}).Parse(headHTML + pageHTML)
	if err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	p := page{
		Title: c.Title, Command: c.Command, Charts: c.charts(LossMeasure, "Loss", c.OneObjective), OneObjective: c.OneObjective, Measured: c.measured(),
		Tables: c.scoreTables(), ScoreSize: c.ScoreSize, Common: c.Common,
	}
	if err := p.show(c); err != nil {
		return err
	}
	script := web.Script("views.js") + web.Inline(pageJS)
	style := web.Inline(p.sizeCSS(c) + web.PaletteCSS() + web.Text("theme.css") + web.Text("views.css") + web.Text("chart.css") + pageCSS)
	p.Policy, p.Script, p.Style = contentPolicy(script, style), template.JS(script), template.CSS(style)
	p.Varied, p.Runs = c.runs()
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	return nil
}

// sizeCSS is the shape of the pictures, and how many stand side by side in a
// matrix.
func (p *page) sizeCSS(c Comparison) string {
	size, columns := image.Pt(4, 3), 1
	for _, picture := range slices.Concat(c.Pictures, c.References) {
		if picture.Image != nil {
			size = picture.Image.Bounds().Size()
			break
		}
	}
	for _, m := range p.Matrices {
		columns = max(columns, len(m.Heads))
	}
	return fmt.Sprintf(":root { --aspect: %d / %d; --ratio: %.4f; --columns: %d; }\n", size.X, size.Y, float64(size.X)/float64(size.Y), columns)
}

// show arranges the pictures.
func (p *page) show(c Comparison) error {
	matrices, others := c.matrices()
	rest := &p.After
	if matrices == nil {
		rest = &p.Before
	}
	if err := p.showAll(&p.Before, c.References, true); err != nil {
		return err
	}
	for _, m := range matrices {
		if err := p.showMatrix(m); err != nil {
			return err
		}
	}
	if err := p.showAll(rest, others, false); err != nil {
		return err
	}
	if p.images == 0 {
		return errors.New("report: no pictures, want one at least")
	}
	return nil
}

// showAll adds pictures to a list.
func (p *page) showAll(list *[]shownPicture, pictures []Picture, reference bool) error {
	for _, picture := range pictures {
		s, err := p.showOne(picture)
		if err != nil {
			return err
		}
		s.Reference = reference
		*list = append(*list, s)
	}
	return nil
}

func (p *page) showMatrix(m matrix) error {
	shown := shownMatrix{Title: strings.Join(settingText(m.heading), ", "), Rows: m.rows.name, Columns: m.columns.name}
	for _, value := range m.columns.values {
		shown.Heads = append(shown.Heads, valueText(value))
	}
	for i, value := range m.rows.values {
		row := shownRow{Head: valueText(value), Cells: make([]*shownPicture, len(m.cells[i]))}
		for k, picture := range m.cells[i] {
			if picture == nil {
				continue
			}
			s, err := p.showOne(*picture)
			if err != nil {
				return err
			}
			s.Headed = true
			row.Cells[k] = &s
		}
		shown.Body = append(shown.Body, row)
	}
	p.Matrices = append(p.Matrices, shown)
	return nil
}

// showOne is the next picture on the page.
func (p *page) showOne(picture Picture) (shownPicture, error) {
	s := shownPicture{Name: picture.Name, Note: picture.Note, Error: picture.Error}
	if picture.Image == nil {
		return s, nil
	}
	var err error
	if s.shownImage, err = p.embed(picture.Image, losslessSide); err != nil {
		return s, fmt.Errorf("report: %s: %w", picture.Name, err)
	}
	if len(picture.Seeds) < 2 {
		return s, nil
	}
	for _, seeded := range picture.Seeds {
		switch shown := (shownSeed{Seed: seeded.Seed, Name: seeded.Name}); {
		case seeded.Image == nil:
			continue
		case seeded.Image == picture.Image:
			shown.shownImage = s.shownImage
			s.Seeds = append(s.Seeds, shown)
		default:
			// Those that aren't seen at first are JPEG, or the page would be some times as large.
			if shown.shownImage, err = p.embed(seeded.Image, 0); err != nil {
				return s, fmt.Errorf("report: %s: %w", seeded.Name, err)
			}
			s.Seeds = append(s.Seeds, shown)
		}
		if !slices.Contains(p.Seeds, seeded.Seed) {
			p.Seeds = append(p.Seeds, seeded.Seed)
		}
	}
	return s, nil
}

// embed makes the next image on the page, without loss up to a longer side.
func (p *page) embed(img image.Image, lossless int) (shownImage, error) {
	size := img.Bounds().Size()
	s := shownImage{Width: size.X, Height: size.Y, Index: p.images}
	var err error
	if s.Source, err = dataURI(img, lossless); err == nil {
		p.images++
	}
	return s, err
}

// measured are the charts by measures that aren't the loss itself, and when pictures came
// as far as all did.
func (c Comparison) measured() []measuredCharts {
	reached := c.Reached()
	var all []measuredCharts
	for _, measure := range c.Measures {
		m := measuredCharts{Measure: measure}
		if measure != LossMeasure {
			title := "Distance from the styles under " + measure
			if measure == ContentMeasure {
				title = "Content loss"
			}
			m.Charts = c.charts(measure, title, true)
		}
		for _, r := range reached {
			if r.Measure == measure {
				m.Value, m.Reached = column([]float64{r.Value}, 3, 0)[0], r.rows()
			}
		}
		if m.Charts != nil || m.Reached != nil {
			all = append(all, m)
		}
	}
	return all
}

// rows are those of the table of when pictures came as far as all.
func (r Reached) rows() []reachedRow {
	var iterations, seconds []float64
	for _, by := range r.Pictures {
		iterations, seconds = append(iterations, by.Iterations), append(seconds, by.Seconds)
	}
	var rows []reachedRow
	secondTexts := column(seconds, 2, 0)
	for i, by := range r.Pictures {
		rows = append(rows, reachedRow{by.Name, fmt.Sprintf("%.0f", iterations[i]), secondTexts[i]})
	}
	return rows
}

// dataURI is an image without loss where no side is longer than given, else a JPEG.
func dataURI(img image.Image, lossless int) (template.URL, error) {
	format, kind := imaging.PNG, "png"
	if size := img.Bounds().Size(); max(size.X, size.Y) > lossless {
		format, kind = imaging.JPEG, "jpeg"
	}
	var data bytes.Buffer
	// Eight bits a channel are what a screen shows.
	if err := imaging.Encode(&data, imaging.Clone(img), format, imaging.JPEGQuality(pageQuality)); err != nil {
		return "", err
	}
	return template.URL("data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(data.Bytes())), nil
}
