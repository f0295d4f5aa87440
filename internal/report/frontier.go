package report

import (
	"errors"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"impasto/internal/web"
)

// Frontier shows what time buys: a curve for each way of making pictures, through its
// qualities, over time on a logarithmic axis.
type Frontier struct {
	Title, XLabel, YLabel string
	Curves                []FrontierCurve
}

// FrontierCurve is of one loss. Curves of one loss that differ in their labels share a
// colour.
type FrontierCurve struct {
	Loss, Label string // the label may be empty
	Points      []FrontierPoint
}

// FrontierPoint is one quality's.
type FrontierPoint struct {
	Quality           string
	Seconds, Distance float64 // above 0
}

// qualityMarks are what qualities have on a frontier, in the order in which they come.
var qualityMarks = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{},
}

// name is what stands at the end of the curve.
func (c FrontierCurve) name() string {
	if c.Label == "" {
		return c.Loss
	}
	return c.Loss + ", " + visible(c.Label)
}

// looks are those of the curves by name: the loss's colour, and dashes by the label.
func (f Frontier) looks() map[string]look {
	var names, labels []string
	for _, c := range f.Curves {
		names = append(names, c.name())
		if !slices.Contains(labels, c.Label) {
			labels = append(labels, c.Label)
		}
	}
	looks := looksOf(names)
	for _, c := range f.Curves {
		l := looks[c.name()]
		l.Dash = (l.Dash + slices.Index(labels, c.Label)) % len(web.Dashes)
		looks[c.name()] = l
	}
	setApart(looks, names)
	return looks
}

// qualities are all that the curves have, in the order in which they come.
func (f Frontier) qualities() []string {
	var list []string
	for _, c := range f.Curves {
		for _, p := range c.Points {
			if !slices.Contains(list, p.Quality) {
				list = append(list, p.Quality)
			}
		}
	}
	return list
}

// Draw writes the figure in a format of Formats.
func (f Frontier) Draw(w io.Writer, format string) error {
	qualities := f.qualities()
	if len(qualities) == 0 {
		return errors.New("report: nothing was measured, so there is nothing to plot")
	}
	const width, height, heading, key = 7 * vg.Inch, 4.6 * vg.Inch, 0.4 * vg.Inch, 0.25 * vg.Inch
	tiles := draw.Tiles{Rows: 1, Cols: 1, PadTop: heading + key, PadBottom: labelRoom + 4, PadLeft: labelRoom + 4, PadRight: 8}
	panel := f.plot(qualities)
	return drawFigure(w, format, width, height, func(c draw.Canvas) {
		c.FillText(textStyle(15, ink), vg.Point{X: 12, Y: height - heading/2}, f.Title)
		drawMarks(c, vg.Point{X: 12, Y: height - heading - key/2}, qualities)
		area := plot.Align([][]*plot.Plot{{panel}}, tiles, c)[0][0]
		panel.Draw(area)
		Panel{XLabel: f.XLabel, YLabel: f.YLabel}.drawLabels(area, panel.DataCanvas(area))
	})
}

// drawMarks writes which mark is which quality's.
func drawMarks(c draw.Canvas, at vg.Point, qualities []string) {
	style := textStyle(labelSize, ink)
	for i, quality := range qualities {
		c.DrawGlyph(markStyle(i, draw.LineStyle{Color: ink}), vg.Point{X: at.X + 4, Y: at.Y})
		c.FillText(style, vg.Point{X: at.X + labelGap, Y: at.Y}, quality)
		at.X += labelGap + style.Width(quality) + 16
	}
}

func markStyle(quality int, line draw.LineStyle) draw.GlyphStyle {
	return draw.GlyphStyle{Color: line.Color, Radius: vg.Points(3.4), Shape: qualityMarks[quality%len(qualityMarks)]}
}

func (f Frontier) plot(qualities []string) *plot.Plot {
	panel := newPanel()
	panel.X.Scale = plot.LogScale{}
	panel.X.Tick.Marker, panel.Y.Tick.Marker = decades{}, evenly{}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	panel.Add(grid)
	looks, labels := f.looks(), &endLabels{}
	left, right, low, high := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, c := range f.Curves {
		if len(c.Points) == 0 {
			continue
		}
		style := looks[c.name()].style()
		var line plotter.XYs
		for _, p := range c.Points {
			line = append(line, plotter.XY{X: p.Seconds, Y: p.Distance})
			left, right = min(left, p.Seconds), max(right, p.Seconds)
			low, high = min(low, p.Distance), max(high, p.Distance)
		}
		panel.Add(&plotter.Line{XYs: line, LineStyle: style})
		for i, p := range c.Points {
			mark := markStyle(slices.Index(qualities, p.Quality), style)
			panel.Add(&plotter.Scatter{XYs: line[i : i+1], GlyphStyle: mark})
		}
		labels.add(c.name(), line[len(line)-1], style)
	}
	panel.Add(labels)
	room := max(0.08*(high-low), 0.02*high)
	panel.X.Min, panel.X.Max = left/1.2, right*1.2
	panel.Y.Min, panel.Y.Max = low-room, high+room
	return panel
}

// evenly are ticks at round places of a linear axis.
type evenly struct{}

// Ticks implements plot.Ticker.
func (evenly) Ticks(low, high float64) []plot.Tick { return evenTicksOf(low, high) }
