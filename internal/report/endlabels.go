package report

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// endLabels writes the name of each line beside the axes, in the order of their
// ends, moved apart where they would overlap. Before it stands a key that looks as
// the line does. Dots in grey, unlike any line, lead from the line's end there.
type endLabels struct {
	names  []string
	points []plotter.XY
	styles []draw.LineStyle
}

func (l *endLabels) add(name string, end plotter.XY, style draw.LineStyle) {
	l.names, l.points, l.styles = append(l.names, name), append(l.points, end), append(l.styles, style)
}

// In points.
const (
	labelSize = 9.5
	labelGap  = 12 // between the axes and the keys
	labelKey  = 18
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
	leader := draw.LineStyle{Color: leaderGrey, Width: vg.Points(0.8), Dashes: []vg.Length{0.8, 2.2}}
	left := c.Max.X + labelGap
	for i, y := range spread(wanted, labelStep, float64(c.Min.Y), float64(c.Max.Y)) {
		k, y := order[i], vg.Length(y)
		c.StrokeLine2(leader, toX(l.points[k].X)+4, toY(l.points[k].Y), left-2, y)
		c.StrokeLine2(l.styles[k], left, y, left+labelKey, y)
		c.DrawGlyph(draw.GlyphStyle{Color: l.styles[k].Color, Radius: vg.Points(2.6), Shape: draw.CircleGlyph{}}, vg.Point{X: left + labelKey/2, Y: y})
		c.FillText(textStyle(labelSize, ink), vg.Point{X: left + labelKey + 4, Y: y}, l.names[k])
	}
}

// GlyphBoxes implements plot.GlyphBoxer: the names need room beyond the axes.
func (l *endLabels) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	style, room := textStyle(labelSize, ink), vg.Length(0)
	for _, name := range l.names {
		room = max(room, style.Width(name))
	}
	return []plot.GlyphBox{{X: 1, Y: 0.5, Rectangle: vg.Rectangle{Max: vg.Point{X: labelGap + labelKey + 4 + room}}}}
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
