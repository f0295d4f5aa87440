package compare

import (
	"impasto/internal/records"
	"impasto/internal/report"
	"impasto/losses"
)

// Curves are how pictures came nearer, as curves.json has it. The keys of its JSON are a
// promise to scripts. Seconds are of the clock, without the reading of files and what
// measuring took.
type Curves struct {
	// OneObjective tells whether all pictures descend on the same loss, so that it can be
	// compared; else they were measured under common losses on their way.
	OneObjective bool `json:"one_objective"`
	// Measures are what can be compared: "loss", or losses of the distance from the
	// styles, and "content loss".
	Measures []string         `json:"measures"`
	Pictures []CurvesOf       `json:"pictures"`
	Variants []VariantCurves  `json:"variants,omitempty"` // with several seeds
	Reached  []report.Reached `json:"reached"`
}

// CurvesOf are those of one picture.
type CurvesOf struct {
	Name     string             `json:"name"`
	Settings map[string]string  `json:"settings"` // those that vary
	Loss     []LossPoint        `json:"loss"`
	Measured []records.Measured `json:"measured"` // missing where pictures weren't measured
}

// LossPoint is the loss that a picture descends on after an iteration.
type LossPoint struct {
	Iteration int     `json:"iteration"`
	Seconds   float64 `json:"seconds"`
	Loss      float64 `json:"loss"`
}

// VariantCurves are the means over the seeds of a variant, by measure.
type VariantCurves struct {
	Name   string                    `json:"name"`
	Curves map[string][]VariantPoint `json:"curves"`
}

// VariantPoint is where the pictures of a variant stand in the mean after an iteration.
type VariantPoint struct {
	Iteration int     `json:"iteration"`
	Seconds   float64 `json:"seconds"`
	Mean      float64 `json:"mean"`
	Least     float64 `json:"least"`
	Greatest  float64 `json:"greatest"`
}

// measures are the names of what can be compared along the way.
func (c *Comparison) measures() []string {
	if oneObjective(c.options.Cells) {
		return []string{report.LossMeasure}
	}
	if c.ruler == nil {
		return nil
	}
	names := losses.NamesOf(c.ruler.losses)
	if c.ruler.content {
		names = append(names, report.ContentMeasure)
	}
	return names
}

// curves are all that is known of the way; shown is the comparison as it is shown.
func (c *Comparison) curves(shown report.Comparison) Curves {
	curves := Curves{OneObjective: shown.OneObjective, Measures: shown.Measures, Reached: shown.Reached()}
	for _, g := range c.groups() {
		for _, e := range g.entries {
			of := CurvesOf{Name: e.Name, Settings: e.Settings, Measured: e.measured}
			for _, p := range e.curve {
				of.Loss = append(of.Loss, LossPoint{p.Iteration, p.Seconds, p.Value})
			}
			curves.Pictures = append(curves.Pictures, of)
		}
		if !c.seeded() {
			continue
		}
		v := VariantCurves{Name: g.cells[0].Variant(), Curves: map[string][]VariantPoint{}}
		for _, measure := range shown.Measures {
			for _, p := range g.curve(measure) {
				if len(g.entries) == 1 {
					p.Low, p.High = p.Value, p.Value
				}
				v.Curves[measure] = append(v.Curves[measure], VariantPoint{p.Iteration, p.Seconds, p.Value, p.Low, p.High})
			}
		}
		curves.Variants = append(curves.Variants, v)
	}
	return curves
}

// curve is that of a variant by a measure, the mean over its pictures that are finished.
func (g group) curve(measure string) []report.CurvePoint {
	var curves [][]report.CurvePoint
	for _, e := range g.finished() {
		curves = append(curves, e.by(measure))
	}
	return pooled(curves)
}

// by is the curve of a picture by a measure.
func (e *entry) by(measure string) []report.CurvePoint {
	if measure == report.LossMeasure {
		return e.curve
	}
	var points []report.CurvePoint
	for _, m := range e.measured {
		value, known := m.Style[measure]
		if measure == report.ContentMeasure && m.Kept != nil {
			value, known = *m.Kept, true
		}
		if known {
			points = append(points, report.CurvePoint{Iteration: m.Iteration, Seconds: m.Seconds, Value: value})
		}
	}
	return points
}
