package compare

import (
	"math"
	"slices"

	"impasto/internal/report"
	"impasto/losses"
)

// Variant is what is known of the pictures that differ in nothing but the seed. The keys
// of its JSON are a promise to scripts.
type Variant struct {
	Name     string            `json:"name"`
	Settings map[string]string `json:"settings"` // those that vary, but for the seed
	// Random tells whether the seed makes a difference; where it doesn't, there is one
	// picture.
	Random   bool     `json:"random"`
	Pictures []string `json:"pictures"` // their names, those that failed among them

	// What follows is of those that are finished; nil where none is.
	Iterations *Spread `json:"iterations"`
	Seconds    *Spread `json:"seconds"`
	Loss       *Spread `json:"loss"`
	// Style, Content and Kept are the scores as Picture has them; a score that is missing
	// doesn't count.
	Style   map[string]*Spread `json:"style"`
	Content map[string]*Spread `json:"content"`
	Kept    *Spread            `json:"kept"`
}

// Spread is the mean of a quantity over pictures and its standard deviation.
type Spread struct {
	Mean float64 `json:"mean"`
	// Deviation is the root of the sum of squares by one less than their count: that of
	// the seeds of which these are a sample. It is nil for a single picture.
	Deviation *float64 `json:"deviation"`
	Count     int      `json:"n"`
}

// spreadOf is that of values, or nil where there is none.
func spreadOf(values []float64) *Spread {
	if len(values) == 0 {
		return nil
	}
	s := &Spread{Count: len(values)}
	for _, v := range values {
		s.Mean += v / float64(len(values))
	}
	if len(values) > 1 {
		var squares float64
		for _, v := range values {
			squares += (v - s.Mean) * (v - s.Mean)
		}
		deviation := math.Sqrt(squares / float64(len(values)-1))
		s.Deviation = &deviation
	}
	return s
}

// group is a variant with its pictures, in the order of their seeds.
type group struct {
	cells   []Cell
	entries []*entry
}

// groups are the variants in their order.
func (c *Comparison) groups() []group {
	var all []group
	for i, cell := range c.options.Cells {
		last := len(all) - 1
		if last < 0 || !cell.Seeded || !all[last].cells[0].Seeded || all[last].cells[0].Variant() != cell.Variant() {
			all, last = append(all, group{}), last+1
		}
		all[last].cells, all[last].entries = append(all[last].cells, cell), append(all[last].entries, c.entries[1+i])
	}
	return all
}

// finished are the pictures that are there, whole.
func (g group) finished() []*entry {
	return slices.DeleteFunc(slices.Clone(g.entries), func(e *entry) bool { return e.image == nil || e.Error != "" })
}

// seeded tells whether variants are painted under several seeds, where the seed makes a
// difference to them.
func (c *Comparison) seeded() bool { return len(c.options.Seeds) > 0 }

// variants are what is known of each.
func (c *Comparison) variants() []Variant {
	if !c.seeded() {
		return nil
	}
	var all []Variant
	for _, g := range c.groups() {
		v := Variant{
			Name: g.cells[0].Variant(), Settings: map[string]string{}, Random: g.cells[0].Seeded,
			Style: map[string]*Spread{}, Content: map[string]*Spread{},
		}
		for _, s := range g.cells[0].Varied {
			v.Settings[s.Name] = s.Value
		}
		for _, e := range g.entries {
			v.Pictures = append(v.Pictures, e.Name)
		}
		v.Iterations, v.Seconds, v.Loss, v.Kept = g.spread(iterationsOf), g.spread(secondsOf), g.spread(lossOf), g.spread(keptOf)
		for _, loss := range losses.NamesOf(c.options.Losses) {
			v.Style[loss], v.Content[loss] = g.spread(styleUnder(loss)), g.spread(contentUnder(loss))
		}
		all = append(all, v)
	}
	return all
}

// spread is that of a quantity of the finished pictures, which is nil where it isn't
// known.
func (g group) spread(of func(*entry) *float64) *Spread {
	var values []float64
	for _, e := range g.finished() {
		if v := of(e); v != nil {
			values = append(values, *v)
		}
	}
	return spreadOf(values)
}

// The quantities that spreads are of.
func iterationsOf(e *entry) *float64 { n := float64(e.Iterations); return &n }
func secondsOf(e *entry) *float64    { return &e.Seconds }
func lossOf(e *entry) *float64       { return &e.Loss }
func keptOf(e *entry) *float64       { return e.Kept }

func styleUnder(loss string) func(*entry) *float64 {
	return func(e *entry) *float64 { return e.Style[loss] }
}

func contentUnder(loss string) func(*entry) *float64 {
	return func(e *entry) *float64 { return e.Content[loss] }
}

// pooled is the mean of curves with the least and the greatest of their values: at the
// iterations of that which ends first. One curve is itself.
func pooled(curves [][]report.CurvePoint) []report.CurvePoint {
	curves = slices.DeleteFunc(slices.Clone(curves), func(c []report.CurvePoint) bool { return len(c) == 0 })
	if len(curves) < 2 {
		return slices.Concat(curves...)
	}
	shortest := slices.MinFunc(curves, func(a, b []report.CurvePoint) int { return a[len(a)-1].Iteration - b[len(b)-1].Iteration })
	var points []report.CurvePoint
	for _, at := range shortest {
		p := report.CurvePoint{Iteration: at.Iteration, Low: math.Inf(1), High: math.Inf(-1)}
		for _, curve := range curves {
			seconds, value := interpolated(curve, at.Iteration)
			p.Seconds += seconds / float64(len(curves))
			p.Value += value / float64(len(curves))
			p.Low, p.High = min(p.Low, value), max(p.High, value)
		}
		points = append(points, p)
	}
	return points
}

// interpolated is where a curve stands at an iteration, on the line between the points
// about it; beyond its ends it is as there.
func interpolated(curve []report.CurvePoint, iteration int) (seconds, value float64) {
	at, found := slices.BinarySearchFunc(curve, iteration, func(p report.CurvePoint, wanted int) int { return p.Iteration - wanted })
	switch {
	case found || at == 0:
		return curve[at].Seconds, curve[at].Value
	case at == len(curve):
		return curve[at-1].Seconds, curve[at-1].Value
	}
	a, b := curve[at-1], curve[at]
	part := float64(iteration-a.Iteration) / float64(b.Iteration-a.Iteration)
	return a.Seconds + part*(b.Seconds-a.Seconds), a.Value + part*(b.Value-a.Value)
}
