package report

import (
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
		canvas = vgsvg.NewWith(vgsvg.UseWH(width, height), vgsvg.EmbedFonts(true))
	default:
		return fmt.Errorf("report: unknown format %q, want one of %s", format, strings.Join(Formats, ", "))
	}
	c := draw.New(canvas)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	paint(c)
	_, err := canvas.WriteTo(w)
	return err
}

// Colours of lines, told apart by most eyes and in grey too; after Okabe and Ito,
// darkened where they would be faint on white.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x8e, 0x6b, 0xff}, {0xb8, 0x4c, 0x8c, 0xff}, {0xb8, 0x7d, 0x00, 0xff},
	{0x2b, 0x9b, 0xd6, 0xff}, {0x50, 0x50, 0x50, 0xff}, {0x7a, 0x3f, 0xa8, 0xff}, {0x8c, 0x56, 0x3b, 0xff}, {0x6f, 0x8f, 0x00, 0xff},
}

// dashes keep lines apart that share a colour, or that are printed without any.
var dashes = [][]vg.Length{nil, {vg.Points(7), vg.Points(3)}, {vg.Points(2), vg.Points(2)}}

var (
	ink   = color.RGBA{0x22, 0x22, 0x22, 0xff}
	faint = color.RGBA{0xe2, 0xe2, 0xe2, 0xff}
)

// sans is the face of all text, in points.
func sans(points float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Length(points)}
}

func textStyle(points float64, c color.Color) text.Style {
	return text.Style{Color: c, Font: sans(points), Handler: plot.DefaultTextHandler, XAlign: text.XLeft, YAlign: text.YCenter}
}

// newPanel is a plot in the looks that all figures share.
func newPanel(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font = sans(12)
	p.Title.TextStyle.Color = ink
	p.Title.Padding = vg.Points(6)
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
