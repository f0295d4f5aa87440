package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"impasto/internal/web"
)

// Formats are those that figures are drawn in.
var Formats = []string{"png", "svg"}

// FormatOf is the format that a file's name asks for, or an error that says
// which there are.
func FormatOf(path string) (string, error) {
	extension := strings.ToLower(filepath.Ext(path))
	for _, format := range Formats {
		if extension == "."+format {
			return format, nil
		}
	}
	return "", fmt.Errorf("report: %s: can't draw a %q; want .%s", path, extension, strings.Join(Formats, " or ."))
}

// resolution is the dots per inch of a PNG: twice a screen's, for sharp text.
const resolution = 192

// drawFigure writes a figure on white, in a format of Formats.
func drawFigure(w io.Writer, format string, width, height vg.Length, paint func(draw.Canvas)) error {
	var canvas vg.CanvasWriterTo
	switch format {
	case "png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(resolution))}
	case "svg":
		canvas = vgsvg.NewWith(vgsvg.UseWH(width, height))
	default:
		return fmt.Errorf("report: unknown format %q, want one of %s", format, strings.Join(Formats, ", "))
	}
	c := draw.New(canvas)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	paint(c)
	var data bytes.Buffer
	if _, err := canvas.WriteTo(&data); err != nil {
		return err
	}
	text := data.Bytes()
	if format == "svg" {
		text = compactSVG(text)
	}
	_, err := w.Write(text)
	return err
}

var (
	ink   = color.RGBA{0x22, 0x22, 0x22, 0xff}
	faint = color.RGBA{0xe2, 0xe2, 0xe2, 0xff}

	leaderGrey = color.RGBA{0x80, 0x80, 0x80, 0xff}
)

// sans is the face of all text, in points.
func sans(points float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Length(points)}
}

func textStyle(points float64, c color.Color) text.Style {
	return text.Style{Color: c, Font: sans(points), Handler: plot.DefaultTextHandler, XAlign: text.XLeft, YAlign: text.YCenter}
}

// newPanel is a plot in the looks that all figures share.
func newPanel() *plot.Plot {
	p := plot.New()
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(10)
		axis.Label.TextStyle.Color = ink
		axis.Tick.Label.Font = sans(9)
		axis.Tick.Label.Color = ink
		axis.LineStyle.Color = ink
		axis.Tick.LineStyle.Color = ink
	}
	return p
}

// style is how a figure's line of the look is drawn.
func (l look) style() draw.LineStyle {
	var dashes []vg.Length
	for _, length := range web.Dashes[l.Dash] {
		dashes = append(dashes, vg.Length(length))
	}
	return draw.LineStyle{Color: web.Hues[l.Hue].Light, Width: vg.Points(2), Dashes: dashes}
}
