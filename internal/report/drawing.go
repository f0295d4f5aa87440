package report

// Curves are the figure of how pictures came nearer by the measures that can be compared,
// on logarithmic axes: a row for each, by time and by iteration.
func (c Comparison) Curves() Scaling {
	figure := Scaling{Title: c.Title, Apart: true}
	var labels []string
	for _, p := range c.Pictures {
		label := p.label()
		if len(p.Settings) == 1 { // a value alone would say nothing
			label = p.Name
		}
		labels = append(labels, label)
	}
	labels = distinct(labels, chartLetters)
	for _, measure := range c.Measures {
		value := "distance from the styles"
		if measure == LossMeasure || measure == ContentMeasure {
			value = measure
		}
		byTime := Panel{Title: measure, XLabel: "seconds", YLabel: value, Continuous: true}
		byIteration := Panel{Title: measure, XLabel: "iterations", YLabel: value, Continuous: true}
		for i, p := range c.Pictures {
			for _, point := range p.by(measure) {
				if point.Seconds > 0 {
					byTime.Add(labels[i], point.Seconds, point.Value)
				}
				byIteration.Add(labels[i], float64(point.Iteration), point.Value)
			}
		}
		if len(byIteration.Series) > 0 {
			figure.Rows = append(figure.Rows, []Panel{byTime, byIteration})
		}
	}
	return figure
}
