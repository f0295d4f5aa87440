package report

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"impasto/internal/web"
)

// Clouds shows clouds of points in several dimensions: a column of panels each,
// and in it a projection onto each pair of coordinates, all on the same axes.
type Clouds struct {
	Title string
	// Groups are clouds that belong together, side by side under one heading.
	Groups []CloudGroup
	// Extent is the end of all axes, which start at its opposite.
	Extent float64
}

// CloudGroup is clouds under one heading.
type CloudGroup struct {
	Heading string
	Clouds  []Cloud
}

// Cloud is points of Dimensions coordinates each, one after the other.
type Cloud struct {
	Name       string
	Dimensions int
	Points     []float64
	Mean       []float64 // marked by a cross
}

// Draw writes the figure in a format of Formats.
func (c Clouds) Draw(w io.Writer, format string) error {
	const panel, gap, left, heading = 2.1 * vg.Inch, 0.35 * vg.Inch, 0.5 * vg.Inch, 1.12 * vg.Inch
	columns, rows := 0, 0
	for _, g := range c.Groups {
		for _, cloud := range g.Clouds {
			columns++
			if len(cloud.Points) == 0 || len(cloud.Points)%cloud.Dimensions != 0 || len(cloud.Mean) != cloud.Dimensions {
				return fmt.Errorf("report: cloud %s has %d values and a mean of %d, want points and a mean of %d coordinates", cloud.Name, len(cloud.Points), len(cloud.Mean), cloud.Dimensions)
			}
			rows = max(rows, cloud.Dimensions*(cloud.Dimensions-1)/2)
		}
	}
	if columns == 0 {
		return fmt.Errorf("report: no clouds, want one at least")
	}
	width := left + vg.Length(columns)*panel + vg.Length(len(c.Groups)-1)*gap + 10
	height := heading + vg.Length(rows)*panel + 10
	return drawFigure(w, format, width, height, func(canvas draw.Canvas) {
		canvas.FillText(textStyle(15, ink), vg.Point{X: 12, Y: height - 20}, c.Title)
		x, index := left, 0
		for _, g := range c.Groups {
			style := textStyle(12, ink)
			style.XAlign = text.XCenter
			canvas.FillText(style, vg.Point{X: x + vg.Length(len(g.Clouds))*panel/2, Y: height - 46}, g.Heading)
			for _, cloud := range g.Clouds {
				top := height - heading
				style = textStyle(14, ink)
				style.XAlign = text.XCenter
				canvas.FillText(style, vg.Point{X: x + panel/2 + 12, Y: top + 10}, cloud.Name)
				for a := range cloud.Dimensions {
					for b := a + 1; b < cloud.Dimensions; b++ {
						area := draw.Canvas{Canvas: canvas.Canvas, Rectangle: vg.Rectangle{
							Min: vg.Point{X: x, Y: top - panel + 6}, Max: vg.Point{X: x + panel - 8, Y: top - 2},
						}}
						cloud.panel(a, b, c.Extent, web.Hues[index%len(web.Hues)].Light).Draw(area)
						top -= panel
					}
				}
				x += panel
				index++
			}
			x += gap
		}
	})
}

func (c Cloud) panel(a, b int, extent float64, colour color.RGBA) *plot.Plot {
	p := newPanel()
	p.X.Label.Text, p.Y.Label.Text = fmt.Sprintf("coordinate %d", a+1), fmt.Sprintf("coordinate %d", b+1)
	var points plotter.XYs
	for at := 0; at < len(c.Points); at += c.Dimensions {
		points = append(points, plotter.XY{X: c.Points[at+a], Y: c.Points[at+b]})
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	dots := &plotter.Scatter{XYs: inside(points, extent), GlyphStyle: draw.GlyphStyle{
		Color: color.NRGBA{colour.R, colour.G, colour.B, 0x80}, Radius: vg.Points(1.6), Shape: draw.CircleGlyph{},
	}}
	mean := &plotter.Scatter{XYs: plotter.XYs{{X: c.Mean[a], Y: c.Mean[b]}}, GlyphStyle: draw.GlyphStyle{
		Color: ink, Radius: vg.Points(7), Shape: draw.PlusGlyph{},
	}}
	p.Add(grid, dots, mean)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -extent, extent, -extent, extent
	ticks := plot.ConstantTicks{{Value: -2, Label: "−2"}, {Value: 0, Label: "0"}, {Value: 2, Label: "2"}}
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks, ticks
	return p
}

// inside are the points within the axes.
func inside(points plotter.XYs, extent float64) plotter.XYs {
	var kept plotter.XYs
	for _, p := range points {
		if max(p.X, -p.X, p.Y, -p.Y) <= extent {
			kept = append(kept, p)
		}
	}
	return kept
}
