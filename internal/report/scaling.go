package report

import (
	"errors"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Scaling shows how quantities grow, on two logarithmic axes: a row of panels
// for each quantity.
type Scaling struct {
	Title string
	Rows  [][]Panel // rows may differ in length
	// Apart gives each line a look of its own where losses have several lines, which else
	// look alike.
	Apart bool
}

// Panel has one line a series over the same abscissa.
type Panel struct {
	Title, XLabel, YLabel string
	Series                []Series
	// Continuous lines have no marks, and their axis has round places instead of those that
	// were measured.
	Continuous bool
}

// Add appends a point to the series of that name.
func (p *Panel) Add(name string, x, y float64) {
	for i := range p.Series {
		if p.Series[i].Name == name {
			p.Series[i].Points = append(p.Series[i].Points, Point{x, y})
			return
		}
	}
	p.Series = append(p.Series, Series{name, []Point{{x, y}}})
}

// Series is one line. What isn't above 0 has no place on the axes and is left
// out.
type Series struct {
	Name   string // stands at its end
	Points []Point
}

// Point is one measurement.
type Point struct{ X, Y float64 }

// Draw writes the figure in a format of Formats.
func (s Scaling) Draw(w io.Writer, format string) error {
	names := sortedNames(s.Rows)
	if len(names) == 0 {
		return errors.New("report: nothing was measured, so there is nothing to plot")
	}
	columns := 0
	for _, row := range s.Rows {
		columns = max(columns, len(row))
	}
	looks := looksOf(names)
	if s.Apart {
		setApart(looks, names)
	}
	plots := make([][]*plot.Plot, len(s.Rows))
	for i, row := range s.Rows {
		plots[i] = make([]*plot.Plot, columns)
		low, high := extent(row)
		for k, panel := range row {
			plots[i][k] = panel.plot(looks, low, high)
		}
	}
	const panelWidth, panelHeight, heading = 4.1 * vg.Inch, 3.3 * vg.Inch, 0.4 * vg.Inch
	width, height := vg.Length(columns)*panelWidth, vg.Length(len(s.Rows))*panelHeight+heading
	tiles := draw.Tiles{
		Rows: len(s.Rows), Cols: columns, PadTop: heading + titleRoom, PadBottom: labelRoom, PadLeft: labelRoom + 4, PadRight: 8,
		PadX: labelRoom + 12, PadY: labelRoom + titleRoom + 10,
	}
	return drawFigure(w, format, width, height, func(c draw.Canvas) {
		c.FillText(textStyle(15, ink), vg.Point{X: 12, Y: height - heading/2}, s.Title)
		// Axes of a column start and end at the same place, as do those of a row.
		for i, row := range plot.Align(plots, tiles, c) {
			for k, area := range row {
				if plots[i][k] != nil {
					plots[i][k].Draw(area)
					s.Rows[i][k].drawLabels(area, plots[i][k].DataCanvas(area))
				}
			}
		}
	})
}

// extent is the range of the ordinates of a row, which its panels share.
func extent(row []Panel) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, panel := range row {
		for _, series := range panel.Series {
			for _, p := range series.drawn() {
				low, high = min(low, p.Y), max(high, p.Y)
			}
		}
	}
	if low > high {
		return 0.1, 10
	}
	return low / 1.6, high * 1.6
}

func (s Series) drawn() plotter.XYs {
	var points plotter.XYs
	for _, p := range s.Points {
		if p.X > 0 && p.Y > 0 && !math.IsInf(p.X, 1) && !math.IsInf(p.Y, 1) {
			points = append(points, plotter.XY{X: p.X, Y: p.Y})
		}
	}
	return points
}

// The room beside a panel for the label of an axis, and above it for its title.
const labelRoom, titleRoom = 18, 20

// drawLabels puts the title and the labels of the axes in place: package plot
// centres the title over the names beside the axes too, and labels between the ends
// of a linear axis.
func (p Panel) drawLabels(area, data draw.Canvas) {
	title := textStyle(12, ink)
	title.XAlign = text.XCenter
	area.FillText(title, vg.Point{X: data.Center().X, Y: area.Max.Y + titleRoom/2}, p.Title)
	style := textStyle(10, ink)
	style.XAlign = text.XCenter
	area.FillText(style, vg.Point{X: data.Center().X, Y: area.Min.Y - labelRoom/2}, p.XLabel)
	style.Rotation = math.Pi / 2
	area.FillText(style, vg.Point{X: area.Min.X - labelRoom/2, Y: data.Center().Y}, p.YLabel)
}

func (p Panel) plot(looks map[string]look, low, high float64) *plot.Plot {
	panel := newPanel()
	panel.X.Scale, panel.Y.Scale = plot.LogScale{}, plot.LogScale{}
	panel.X.Tick.Marker, panel.Y.Tick.Marker = p.abscissas(), decades{}
	if p.Continuous {
		panel.X.Tick.Marker = decades{}
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	panel.Add(grid)
	labels := &endLabels{}
	for _, series := range p.Series {
		points := series.drawn()
		if len(points) == 0 {
			continue
		}
		style := looks[series.Name].style()
		panel.Add(&plotter.Line{XYs: points, LineStyle: style})
		if !p.Continuous {
			panel.Add(&plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: style.Color, Radius: vg.Points(2.6), Shape: draw.CircleGlyph{}}})
		}
		labels.add(series.Name, points[len(points)-1], style)
	}
	panel.Add(labels)
	// Room on the right for the names.
	least, most := p.bounds()
	panel.X.Min, panel.X.Max = least/1.1, most*1.1
	panel.Y.Min, panel.Y.Max = low, high
	return panel
}

func (p Panel) bounds() (least, most float64) {
	least, most = math.Inf(1), 0
	for _, series := range p.Series {
		for _, point := range series.Points {
			if point.X > 0 {
				least, most = min(least, point.X), max(most, point.X)
			}
		}
	}
	if most == 0 {
		return 1, 10
	}
	return least, most
}

// abscissas are ticks at every place that was measured.
func (p Panel) abscissas() plot.ConstantTicks {
	var places []float64
	for _, series := range p.Series {
		for _, point := range series.Points {
			if point.X > 0 && !slices.Contains(places, point.X) {
				places = append(places, point.X)
			}
		}
	}
	slices.Sort(places)
	var ticks plot.ConstantTicks
	for _, x := range places {
		ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'f', -1, 64)})
	}
	return ticks
}
