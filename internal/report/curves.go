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
// by classes of hues and dashes.
type chart struct {
	title       string
	label       string // of the abscissa
	logarithmic bool   // the abscissa, as the ordinate always is
	series      []chartSeries
}

type chartSeries struct {
	index  int // of the picture
	name   string
	label  string // the name, shorter
	look   look
	mark   int // which of marks stands at its end
	points []Point
	band   [2][]Point // the least and the greatest at each point; empty for none
}

// label is what stands beside a curve: of the settings, the values alone.
func (p Picture) label() string {
	if len(p.Settings) == 0 {
		return p.Name
	}
	var values []string
	for _, s := range p.Settings {
		values = append(values, valueText(s.Value))
	}
	return strings.Join(values, ", ")
}

// looked is the name that a picture's look goes by: the loss where that varies.
func (p Picture) looked() string {
	if loss := p.setting("loss"); loss != "" {
		return loss
	}
	return p.Name
}

// The drawing's measures, in its own units; it is scaled to fit.
const (
	chartLeft, chartTop, chartBottom = 50.0, 26.0, 42.0
	chartPlot                        = 330.0 // width of the axes
	chartLeast                       = 320.0 // height, at least
	chartText                        = 13.0
	chartLetter                      = 7.8 // width of a letter, about, in a wide face
	chartKey                         = 22.0
	chartGap                         = 16.0 // from the axes to the keys
	chartLetters                     = 28   // of a label, at most
)

// marks are what stands at the end of a curve, about 0, so that curves of one look
// are told apart.
var marks = []string{
	"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", // a disc
	"m-3.5-3.5h7v7h-7z",                  // a square
	"m0-4.5l4.5 8h-9z",                   // a triangle
	"m0-5l4.5 5l-4.5 5l-4.5-5z",          // a rhombus
	"m0 4.5l4.5-8h-9z",                   // a triangle upside down
}

// LossMeasure is the measure that Picture.Curve is of, and ContentMeasure that of the
// content loss; others are losses of the distance from the styles.
const LossMeasure, ContentMeasure = "loss", "content loss"

// by is the curve by a measure.
func (p Picture) by(measure string) []CurvePoint {
	if measure == LossMeasure {
		return p.Curve
	}
	return p.Measured[measure]
}

// charts are the curves by a measure, by iteration and by time, or none where nothing is
// known of the way.
func (c Comparison) charts(measure, title string, logarithmic bool) []template.HTML {
	byIteration := chart{title: title + " by iteration", label: "iterations", logarithmic: logarithmic}
	byTime := chart{title: title + " by time", label: "time, s", logarithmic: logarithmic}
	var names, labels []string
	for _, p := range c.Pictures {
		names, labels = append(names, p.looked()), append(labels, p.label())
	}
	looks, labels := looksOf(names), distinct(labels, chartLetters)
	drawn := map[look]int{}
	for i, p := range c.Pictures {
		a := chartSeries{index: i, name: p.Name, label: labels[i], look: looks[p.looked()]}
		a.mark = drawn[a.look] % len(marks)
		b := a
		for _, point := range p.by(measure) {
			a.add(float64(point.Iteration), point, logarithmic)
			b.add(point.Seconds, point, logarithmic)
		}
		if len(a.points) > 0 && len(b.points) > 0 {
			byIteration.series, byTime.series = append(byIteration.series, a), append(byTime.series, b)
			drawn[a.look]++
		}
	}
	if len(byIteration.series) == 0 {
		return nil
	}
	return []template.HTML{byIteration.svg(), byTime.svg()}
}

// add appends a point, unless it has no place on the axes.
func (s *chartSeries) add(x float64, p CurvePoint, logarithmic bool) {
	if !(p.Value > 0) || math.IsInf(p.Value, 1) || logarithmic && !(x > 0) {
		return
	}
	s.points = append(s.points, Point{x, p.Value})
	if p.Low > 0 && p.High > p.Low && !math.IsInf(p.High, 1) {
		s.band[0], s.band[1] = append(s.band[0], Point{x, p.Low}), append(s.band[1], Point{x, p.High})
	}
}

// bounds are the ranges of both axes; the ordinate's is one of logarithms, and so is the
// abscissa's where that is logarithmic.
func (c chart) bounds() (left, right, low, high float64) {
	left, right, low, high = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range c.series {
		for _, p := range slices.Concat(s.points, s.band[0], s.band[1]) {
			left, right = min(left, c.along(p.X)), max(right, c.along(p.X))
			low, high = min(low, math.Log10(p.Y)), max(high, math.Log10(p.Y))
		}
	}
	if !c.logarithmic {
		left = 0
	}
	if right <= left {
		right = left + 1
	}
	room := max(0.05*(high-low), 0.02)
	return left, right, low - room, high + room
}

// along is the place of a value on the abscissa.
func (c chart) along(x float64) float64 {
	if c.logarithmic {
		return math.Log10(x)
	}
	return x
}

// abscissas are the values that the abscissa has marks at.
func (c chart) abscissas(left, right float64) []float64 {
	if !c.logarithmic {
		return evenTicks(right)
	}
	var values []float64
	for _, tick := range (decades{}).Ticks(math.Pow(10, left), math.Pow(10, right)) {
		if tick.Label != "" {
			values = append(values, tick.Value)
		}
	}
	return values
}

func (c chart) svg() template.HTML {
	left, right, low, high := c.bounds()
	letters := 0
	for _, s := range c.series {
		letters = max(letters, widthOf(s.label))
	}
	const axesRight = chartLeft + chartPlot
	width := axesRight + chartGap + chartKey + 8 + chartLetter*float64(letters)
	height := max(chartLeast, chartTop+chartBottom+(chartText+1)*float64(len(c.series)))
	axesBottom := height - chartBottom
	x := func(v float64) float64 { return chartLeft + (c.along(v)-left)/(right-left)*chartPlot }
	y := func(v float64) float64 { return chartTop + (high-math.Log10(v))/(high-low)*(axesBottom-chartTop) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s"><text x="4" y="12">%s</text><g class="grid">`,
		width, height, html.EscapeString(c.title+": "+c.summary()), html.EscapeString(c.title))
	for _, tick := range (decades{}).Ticks(math.Pow(10, low), math.Pow(10, high)) {
		if tick.Label != "" {
			at := y(tick.Value)
			fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
				chartLeft, at, axesRight, chartLeft-6, at+4, tick.Label)
		}
	}
	for _, v := range c.abscissas(left, right) {
		fmt.Fprintf(&b, `<path d="M%.1f %.1fv5"/><text x="%.1f" y="%.1f" text-anchor="middle">%.6g</text>`,
			x(v), axesBottom, x(v), axesBottom+18, v)
	}
	fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text></g>`,
		chartLeft, axesBottom, axesRight, chartLeft+chartPlot/2, height-6, html.EscapeString(c.label))
	order := slices.Clone(c.series)
	slices.SortStableFunc(order, func(a, b chartSeries) int {
		return int(math.Copysign(1, y(a.end().Y)-y(b.end().Y)))
	})
	var wanted []float64
	for _, s := range order {
		wanted = append(wanted, y(s.end().Y))
	}
	placed := spread(wanted, chartText+1, chartTop, axesBottom)
	for _, s := range order {
		s.drawBand(&b, x, y)
	}
	for i, s := range order {
		s.draw(&b, x, y, axesRight+chartGap, placed[i])
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// widthOf is the width of a text in letters: those of East Asia take two.
func widthOf(text string) int {
	letters := 0
	for _, r := range text {
		letters++
		if r >= 0x1100 {
			letters++
		}
	}
	return letters
}

// end is the last point of a curve.
func (s chartSeries) end() Point { return s.points[len(s.points)-1] }

// draw writes a curve with a mark at its end, and at a place on the right a key of
// the same look and the label. Dots in grey, unlike any curve, lead there.
func (s chartSeries) draw(b *strings.Builder, x, y func(float64) float64, keyX, keyY float64) {
	endX, endY := x(s.end().X), y(s.end().Y)
	fmt.Fprintf(b, `<g class="series hue%d" data-picture="%d"><title>%s</title>`, s.look.Hue, s.index, html.EscapeString(s.name))
	fmt.Fprintf(b, `<path class="leader" d="M%.1f %.1fL%.1f %.1f"/><g class="line dash%d"><path d="`, endX, endY, keyX-3, keyY, s.look.Dash)
	for k, p := range s.points {
		fmt.Fprintf(b, "%c%.1f %.1f", "ML"[min(k, 1)], x(p.X), y(p.Y))
	}
	fmt.Fprintf(b, `"/><path d="M%.1f %.1fh%g"/></g>`, keyX, keyY, chartKey)
	fmt.Fprintf(b, `<path class="mark" d="M%.1f %.1f%s"/><path class="mark" d="M%.1f %.1f%s"/>`,
		endX, endY, marks[s.mark], keyX+chartKey/2, keyY, marks[s.mark])
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f">%s</text></g>`, keyX+chartKey+5, keyY+4, html.EscapeString(s.label))
}

// drawBand writes what is between the least and the greatest.
func (s chartSeries) drawBand(b *strings.Builder, x, y func(float64) float64) {
	if len(s.band[0]) < 2 {
		return
	}
	fmt.Fprintf(b, `<path class="band hue%d" d="`, s.look.Hue)
	edge := slices.Clone(s.band[1])
	slices.Reverse(edge)
	for k, p := range slices.Concat(s.band[0], edge) {
		fmt.Fprintf(b, "%c%.1f %.1f", "ML"[min(k, 1)], x(p.X), y(p.Y))
	}
	b.WriteString(`z"/>`)
}

// summary says in words where the curves end, for those who don't see them.
func (c chart) summary() string {
	var values []float64
	for _, s := range c.series {
		values = append(values, s.end().Y)
	}
	var parts []string
	for i, value := range column(values, 3, 0) {
		parts = append(parts, fmt.Sprintf("%s ends at %s", c.series[i].name, value))
	}
	return strings.Join(parts, "; ")
}

// evenTicks are up to six round places from 0 to most.
func evenTicks(most float64) []float64 {
	step := roundStep(most)
	var ticks []float64
	for i := 0.0; i*step <= most*(1+1e-9); i++ {
		ticks = append(ticks, i*step)
	}
	return ticks
}

// roundStep parts a range into six at most, by 1, 2 or 5 times a power of ten.
func roundStep(length float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(length)))
	for _, finer := range []float64{5, 2, 1} {
		if length/(step/finer) <= 6 {
			return step / finer
		}
	}
	return step
}
