package model

import "time"

// CurvePoint is where the loss stood after an iteration.
type CurvePoint struct {
	Level, Iteration int // both from 1, as in Progress
	Done             int // iterations over all levels
	Loss             float64
	Terms            []Term // which sum to the loss
	Elapsed          time.Duration
}

// maxCurve is how many points a curve may come to. Twice as far apart, half of them are
// left then; so a run of any length keeps between maxCurve/2 and maxCurve.
const maxCurve = 4096

// curve takes in points as they come. It is part of checkpoints.
type curve struct {
	Points []CurvePoint
	Every  int // Done of what is kept is a multiple of it, but for the first point's and the last's; 0 before the first
	Last   CurvePoint
}

func (c *curve) add(p Progress) {
	c.Last = CurvePoint{Level: p.Level, Iteration: p.Iteration, Done: p.Done, Loss: p.Loss, Terms: p.Terms, Elapsed: p.Elapsed}
	c.Every = max(c.Every, 1)
	if len(c.Points) > 0 && c.Last.Done%c.Every != 0 {
		return
	}
	c.Points = append(c.Points, c.Last)
	if len(c.Points) < maxCurve {
		return
	}
	c.Every *= 2
	kept := c.Points[:1]
	for _, point := range c.Points[1:] {
		if point.Done%c.Every == 0 {
			kept = append(kept, point)
		}
	}
	c.Points = kept
}

// all are the points kept, and the last.
func (c *curve) all() []CurvePoint {
	n := len(c.Points)
	if n == 0 || c.Points[n-1].Done == c.Last.Done {
		return c.Points
	}
	return append(c.Points[:n:n], c.Last)
}
