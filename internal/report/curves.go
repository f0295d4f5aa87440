package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"
)

// chart is a plot of losses in SVG, for a page: colours and text are the page's,
// by the classes s0, s1 … of the series.
type chart struct {
	title  string
	label  string // of the abscissa
	series []chartSeries
}

type chartSeries struct {
	index  int // of the picture
	name   string
	label  string // the name, shorter
	points []Point
}

// label is what fits beside a curve: of the settings, the values alone.
func (p Picture) label() string {
	if len(p.Settings) == 0 {
		return p.Name
	}
	var values []string
	for _, s := range p.Settings {
		values = append(values, s.Value)
	}
	return strings.Join(values, ", ")
}

// The drawing's measures, in its own units; it is scaled to fit.
const (
	chartWidth, chartHeight                      = 520.0, 320.0
	chartLeft, chartRight, chartTop, chartBottom = 50.0, 142.0, 14.0, 42.0
	chartText                                    = 13.0
)

// lossCharts are the curves by iteration and by time, or none where nothing is
// known of the way.
func lossCharts(pictures []Picture) []template.HTML {
	byIteration := chart{title: "Loss by iteration", label: "iterations"}
	byTime := chart{title: "Loss by time", label: "seconds"}
	for i, p := range pictures {
		a := chartSeries{index: i, name: p.Name, label: p.label()}
		b := a
		for _, point := range p.Curve {
			if point.Loss > 0 && !math.IsInf(point.Loss, 1) {
				a.points = append(a.points, Point{float64(point.Iteration), point.Loss})
				b.points = append(b.points, Point{point.Seconds, point.Loss})
			}
		}
		if len(a.points) > 0 {
			byIteration.series, byTime.series = append(byIteration.series, a), append(byTime.series, b)
		}
	}
	if len(byIteration.series) == 0 {
		return nil
	}
	return []template.HTML{byIteration.svg(), byTime.svg()}
}

// bounds are the ranges of both axes; the ordinate's is one of logarithms.
func (c chart) bounds() (right, low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range c.series {
		for _, p := range s.points {
			right = max(right, p.X)
			low, high = min(low, math.Log10(p.Y)), max(high, math.Log10(p.Y))
		}
	}
	if right == 0 {
		right = 1
	}
	room := max(0.05*(high-low), 0.02)
	return right, low - room, high + room
}

func (c chart) svg() template.HTML {
	right, low, high := c.bounds()
	x := func(v float64) float64 { return chartLeft + v/right*(chartWidth-chartLeft-chartRight) }
	y := func(v float64) float64 {
		return chartTop + (high-math.Log10(v))/(high-low)*(chartHeight-chartTop-chartBottom)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %g %g" role="img" aria-label="%s"><g class="grid">`,
		chartWidth, chartHeight, html.EscapeString(c.title))
	for _, tick := range (decades{}).Ticks(math.Pow(10, low), math.Pow(10, high)) {
		if tick.Label != "" {
			at := y(tick.Value)
			fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
				chartLeft, at, chartWidth-chartRight, chartLeft-6, at+4, tick.Label)
		}
	}
	for _, v := range evenTicks(right) {
		fmt.Fprintf(&b, `<path d="M%.1f %.1fv5"/><text x="%.1f" y="%.1f" text-anchor="middle">%.6g</text>`,
			x(v), chartHeight-chartBottom, x(v), chartHeight-chartBottom+18, v)
	}
	fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text></g>`,
		chartLeft, chartHeight-chartBottom, chartWidth-chartRight, (chartLeft+chartWidth-chartRight)/2, chartHeight-6, html.EscapeString(c.label))
	order := slices.Clone(c.series)
	slices.SortStableFunc(order, func(a, b chartSeries) int {
		return int(math.Copysign(1, y(a.points[len(a.points)-1].Y)-y(b.points[len(b.points)-1].Y)))
	})
	var wanted []float64
	for _, s := range order {
		wanted = append(wanted, y(s.points[len(s.points)-1].Y))
	}
	placed := spread(wanted, chartText+1, chartTop, chartHeight-chartBottom)
	for i, s := range order {
		fmt.Fprintf(&b, `<g class="series s%d" data-picture="%d"><title>%s</title><path d="`, s.index%len(palette), s.index, html.EscapeString(s.name))
		for k, p := range s.points {
			fmt.Fprintf(&b, "%c%.1f %.1f", "ML"[min(k, 1)], x(p.X), y(p.Y))
		}
		end := s.points[len(s.points)-1]
		fmt.Fprintf(&b, `"/><path class="leader" d="M%.1f %.1fL%.1f %.1f"/><text x="%.1f" y="%.1f">%s</text></g>`,
			x(end.X), y(end.Y), chartWidth-chartRight+10, placed[i], chartWidth-chartRight+13, placed[i]+4, html.EscapeString(shorten(s.label, 17)))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// evenTicks are up to six round places from 0 to most.
func evenTicks(most float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10(most)))
	for _, finer := range []float64{5, 2, 1} {
		if most/(step/finer) <= 6 {
			step /= finer
			break
		}
	}
	var ticks []float64
	for i := 0.0; i*step <= most*(1+1e-9); i++ {
		ticks = append(ticks, i*step)
	}
	return ticks
}

// shorten cuts a name that is too long and says so by an ellipsis.
func shorten(name string, most int) string {
	letters := []rune(name)
	if len(letters) <= most {
		return name
	}
	return strings.TrimRight(string(letters[:most-1]), " ,") + "…"
}
