package report

// Reached says when pictures came as far as all of them did in the end, by a measure.
type Reached struct {
	Measure string `json:"measure"`
	// Value is the last one of the picture that ends farthest away.
	Value    float64     `json:"value"`
	Pictures []ReachedBy `json:"pictures"`
}

// ReachedBy is the time and the iterations after which a picture's curve stays at the
// value or below it. Between two points of the curve it is taken to be straight.
type ReachedBy struct {
	Name       string  `json:"name"`
	Iterations float64 `json:"iterations"`
	Seconds    float64 `json:"seconds"`
}

// Reached is one of each measure that can be compared, of the pictures that are finished.
func (c Comparison) Reached() []Reached {
	all := []Reached{}
	for _, measure := range c.Measures {
		r := Reached{Measure: measure}
		var curves [][]CurvePoint
		for _, p := range c.Pictures {
			if curve := p.by(measure); len(curve) > 0 && p.Error == "" {
				curves = append(curves, curve)
				r.Pictures = append(r.Pictures, ReachedBy{Name: p.Name})
				r.Value = max(r.Value, curve[len(curve)-1].Value)
			}
		}
		if len(curves) < 2 {
			continue
		}
		for i, curve := range curves {
			r.Pictures[i].Iterations, r.Pictures[i].Seconds = stays(curve, r.Value)
		}
		all = append(all, r)
	}
	return all
}

// stays is where a curve comes to a value for good; it ends there at the latest.
func stays(curve []CurvePoint, value float64) (iterations, seconds float64) {
	at := len(curve) - 1
	for at > 0 && curve[at-1].Value <= value {
		at--
	}
	end := curve[at]
	if at == 0 || end.Value >= value {
		return float64(end.Iteration), end.Seconds
	}
	begin := curve[at-1]
	part := (begin.Value - value) / (begin.Value - end.Value)
	return float64(begin.Iteration) + part*float64(end.Iteration-begin.Iteration), begin.Seconds + part*(end.Seconds-begin.Seconds)
}
