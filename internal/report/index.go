package report

import (
	"bytes"
	_ "embed" // the page's template and looks
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/disintegration/imaging"

	"impasto/internal/web"
)

var (
	//go:embed index.html
	indexHTML string
	//go:embed index.css
	indexCSS string
)

// ThumbnailSide is the longest that a side of a thumbnail is, in pixels: twice what the page
// shows of it. A thumbnail has some 20 kB.
const ThumbnailSide = 400

const thumbnailQuality = 82

// Index is what a page shows of many pictures that lie beside it.
type Index struct {
	Title   string
	Summary string // in a few words, what there is
	Command string // the command line that made it
	// References are the styles.
	References []Thumbnail
	Pictures   []IndexedPicture
	Common     []Setting // the settings that all pictures share
}

// Thumbnail is a small picture with its name.
type Thumbnail struct {
	Name, Note string
	image      []byte // a JPEG; empty where there is none
	width      int    // in pixels
	height     int
}

// IndexedPicture is one that the page shows.
type IndexedPicture struct {
	Thumbnail
	File  string // relative to the page; empty where there is none
	State string // in a word
	Error string // why there is none, or why it isn't finished

	Size       string // as 512×384
	Iterations int
	Seconds    float64
	Loss       float64
}

// NewThumbnail makes one without a name of a picture, which may be transparent.
func NewThumbnail(img image.Image) (Thumbnail, error) {
	small := imaging.Fit(img, ThumbnailSide, ThumbnailSide, imaging.Lanczos)
	white := imaging.New(small.Bounds().Dx(), small.Bounds().Dy(), image.White.C)
	var data bytes.Buffer
	if err := imaging.Encode(&data, imaging.Overlay(white, small, image.Point{}, 1), imaging.JPEG, imaging.JPEGQuality(thumbnailQuality)); err != nil {
		return Thumbnail{}, fmt.Errorf("report: thumbnail: %w", err)
	}
	return Thumbnail{image: data.Bytes(), width: small.Bounds().Dx(), height: small.Bounds().Dy()}, nil
}

// indexPage is what the template takes.
type indexPage struct {
	Title, Summary, Command string
	Policy                  string
	Style                   template.CSS
	References              []indexFigure
	Pictures                []indexFigure
	Rows                    []indexRow
	Common                  []Setting
}

// indexFigure is a thumbnail as the page shows it.
type indexFigure struct {
	Name, Note, Error string
	Link              template.URL // to the picture; empty for none
	Source            template.URL // of the thumbnail; empty for none
	Width, Height     int
}

type indexRow struct {
	Name, Size, Iterations, Seconds, Loss, State string
	Link                                         template.URL
}

// Page writes a page of HTML that needs nothing else but the pictures that it links to. It
// has no script.
func (x Index) Page(w io.Writer) error {
	pageTemplate, err := template.New("index").Funcs(template.FuncMap{"breakable": breakable}).Parse(headHTML + indexHTML)
	if err != nil {
		return fmt.Errorf("report: index: %w", err)
	}
	style := web.Inline(web.Text("theme.css") + web.Text("views.css") + pageCSS + indexCSS)
	p := indexPage{
		Title: visible(x.Title), Summary: x.Summary, Command: visible(x.Command), Style: template.CSS(style), Common: visibleSettings(x.Common),
		Policy: contentPolicy("", style),
	}
	for _, r := range x.References {
		p.References = append(p.References, r.figure())
	}
	for _, picture := range x.Pictures {
		f := picture.figure()
		f.Link, f.Error = fileURL(picture.File), visible(picture.Error)
		p.Pictures = append(p.Pictures, f)
		row := indexRow{Name: f.Name, Link: f.Link, State: picture.State}
		if picture.File != "" {
			row.Size, row.Iterations = picture.Size, fmt.Sprint(picture.Iterations)
			row.Seconds, row.Loss = fmt.Sprintf("%.1f", picture.Seconds), fmt.Sprintf("%.4g", picture.Loss)
		}
		p.Rows = append(p.Rows, row)
	}
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("report: index: %w", err)
	}
	return nil
}

// figure is the thumbnail as the page shows it.
func (t Thumbnail) figure() indexFigure {
	f := indexFigure{Name: visible(t.Name), Note: visible(t.Note), Width: t.width, Height: t.height}
	if len(t.image) > 0 {
		f.Source = template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(t.image))
	}
	return f
}

// fileURL is the address of a file, relative to the page: each part of the path as its bytes,
// escaped, and nothing that could be taken for a scheme.
func fileURL(path string) template.URL {
	if path == "" {
		return ""
	}
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return template.URL("./" + strings.Join(parts, "/"))
}
