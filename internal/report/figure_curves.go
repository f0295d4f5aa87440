package report

import "strings"

// Curves are the figure of how pictures came nearer by the measures that can be compared,
// on logarithmic axes: a row for each, by time and by iteration.
func (c Comparison) Curves() Scaling {
	figure := Scaling{Title: c.Title}
	for _, measure := range c.Measures {
		label := "distance from the styles, " + measure
		if measure == lossMeasure || measure == contentMeasure {
			label = measure
		}
		title := strings.ToUpper(label[:1]) + label[1:]
		byTime := Panel{Title: title + ", by time", XLabel: "seconds", YLabel: label, Continuous: true}
		byIteration := Panel{Title: title + ", by iteration", XLabel: "iterations", YLabel: label, Continuous: true}
		for _, p := range c.Pictures {
			for _, point := range p.by(measure) {
				if point.Seconds > 0 {
					byTime.Add(p.Name, point.Seconds, point.Value)
				}
				byIteration.Add(p.Name, float64(point.Iteration), point.Value)
			}
		}
		if len(byIteration.Series) > 0 {
			figure.Rows = append(figure.Rows, []Panel{byTime, byIteration})
		}
	}
	return figure
}
