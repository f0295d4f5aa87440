package report

import (
	"errors"
	"fmt"
	"image/color"
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
}

// Panel has one line a series over the same abscissa.
type Panel struct {
	Title, XLabel, YLabel string
	Series                []Series
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
	var names []string
	columns := 0
	for _, row := range s.Rows {
		columns = max(columns, len(row))
		for _, panel := range row {
			for _, series := range panel.Series {
				if !slices.Contains(names, series.Name) {
					names = append(names, series.Name)
				}
			}
		}
	}
	if len(names) == 0 {
		return errors.New("report: nothing was measured, so there is nothing to plot")
	}
	slices.Sort(names)
	const panelWidth, panelHeight, heading = 4.1 * vg.Inch, 3.3 * vg.Inch, 0.45 * vg.Inch
	width, height := vg.Length(columns)*panelWidth, vg.Length(len(s.Rows))*panelHeight+heading
	return drawFigure(w, format, width, height, func(c draw.Canvas) {
		c.FillText(textStyle(15, ink), vg.Point{X: 12, Y: height - heading/2}, s.Title)
		for i, row := range s.Rows {
			low, high := extent(row)
			for k, panel := range row {
				left, top := vg.Length(k)*panelWidth, height-heading-vg.Length(i)*panelHeight
				area := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
					Min: vg.Point{X: left + 8, Y: top - panelHeight + 8}, Max: vg.Point{X: left + panelWidth - 8, Y: top - 4},
				}}
				panel.draw(area, names, low, high)
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

// draw puts the labels of the axes in place itself: package plot centres them
// between the ends of a linear axis and keeps room there.
func (p Panel) draw(c draw.Canvas, names []string, low, high float64) {
	const room = 16
	panel := p.plot(names, low, high)
	inner := draw.Crop(c, room, 0, room, 0)
	panel.Draw(inner)
	data := panel.DataCanvas(inner)
	style := textStyle(10, ink)
	style.XAlign = text.XCenter
	c.FillText(style, vg.Point{X: data.Center().X, Y: c.Min.Y + room/2}, p.XLabel)
	style.Rotation = math.Pi / 2
	c.FillText(style, vg.Point{X: c.Min.X + room/2, Y: data.Center().Y}, p.YLabel)
}

func (p Panel) plot(names []string, low, high float64) *plot.Plot {
	panel := newPanel(p.Title)
	panel.X.Scale, panel.Y.Scale = plot.LogScale{}, plot.LogScale{}
	panel.X.Tick.Marker, panel.Y.Tick.Marker = p.abscissas(), decades{}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	panel.Add(grid)
	labels := &endLabels{}
	for _, series := range p.Series {
		points := series.drawn()
		if len(points) == 0 {
			continue
		}
		index := slices.Index(names, series.Name)
		colour := palette[index%len(palette)]
		line := &plotter.Line{XYs: points, LineStyle: draw.LineStyle{
			Color: colour, Width: vg.Points(2), Dashes: dashes[index/len(palette)%len(dashes)],
		}}
		marks := &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: colour, Radius: vg.Points(2.6), Shape: draw.CircleGlyph{}}}
		panel.Add(line, marks)
		labels.add(series.Name, points[len(points)-1], colour)
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

// decades are ticks at powers of ten, at 2 and 5 between them where there are
// few, with a small one at every other digit.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	few := math.Log10(high/low) < 2.2
	for power := math.Floor(math.Log10(low)); power <= math.Log10(high); power++ {
		for digit := 1.0; digit < 10; digit++ {
			value := digit * math.Pow(10, power)
			if value < low || value > high {
				continue
			}
			tick := plot.Tick{Value: value}
			if digit == 1 || few && (digit == 2 || digit == 5) {
				tick.Label = plain(value)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// plain writes a round number: 0.001, 20, 10⁶ as 1e+06.
func plain(value float64) string {
	if value >= 1e-5 && value < 1e6 {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return fmt.Sprintf("%.0e", value)
}

// endLabels writes the name of each line beside its end, moved apart where they
// would overlap and then tied to it by a thin line.
type endLabels struct {
	names   []string
	points  []plotter.XY
	colours []color.Color
}

func (l *endLabels) add(name string, end plotter.XY, c color.Color) {
	l.names, l.points, l.colours = append(l.names, name), append(l.points, end), append(l.colours, c)
}

const (
	labelSize = 9.5 // points
	labelGap  = 11  // points between the axes and the names
	labelStep = 11.5
)

// Plot implements plot.Plotter.
func (l *endLabels) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	order := make([]int, len(l.names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return int(math.Copysign(1, l.points[a].Y-l.points[b].Y))
	})
	wanted := make([]float64, len(order))
	for i, k := range order {
		wanted[i] = float64(toY(l.points[k].Y))
	}
	placed := spread(wanted, labelStep, float64(c.Min.Y), float64(c.Max.Y))
	for i, k := range order {
		from := vg.Point{X: toX(l.points[k].X), Y: toY(l.points[k].Y)}
		to := vg.Point{X: c.Max.X + labelGap - 2, Y: vg.Length(placed[i])}
		c.StrokeLine2(draw.LineStyle{Color: l.colours[k], Width: vg.Points(0.6)}, from.X+3, from.Y, to.X, to.Y)
		c.FillText(textStyle(labelSize, l.colours[k]), vg.Point{X: to.X + 2, Y: to.Y}, l.names[k])
	}
}

// GlyphBoxes implements plot.GlyphBoxer: the names need room beyond the axes.
func (l *endLabels) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	style, room := textStyle(labelSize, ink), vg.Length(0)
	for _, name := range l.names {
		room = max(room, style.Width(name))
	}
	return []plot.GlyphBox{{X: 1, Y: 0.5, Rectangle: vg.Rectangle{Max: vg.Point{X: labelGap + room}}}}
}

// spread moves ascending places apart by step at least, each as little as the
// order allows, within the bounds where they all fit.
func spread(places []float64, step, low, high float64) []float64 {
	moved := slices.Clone(places)
	for i := range moved {
		if i > 0 {
			moved[i] = max(moved[i], moved[i-1]+step)
		}
	}
	for i := len(moved) - 1; i >= 0; i-- {
		limit := high
		if i+1 < len(moved) {
			limit = moved[i+1] - step
		}
		moved[i] = min(moved[i], limit)
	}
	for i := range moved {
		limit := low
		if i > 0 {
			limit = moved[i-1] + step
		}
		moved[i] = max(moved[i], limit)
	}
	return moved
}
