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

// curve takes in points as they come.
type curve struct {
	points []CurvePoint
	every  int // Done of what is kept is a multiple of it, but for the first point's and the last's; 0 before the first
	last   CurvePoint
}

func (c *curve) add(p Progress) {
	c.last = CurvePoint{Level: p.Level, Iteration: p.Iteration, Done: p.Done, Loss: p.Loss, Terms: p.Terms, Elapsed: p.Elapsed}
	c.every = max(c.every, 1)
	if len(c.points) > 0 && c.last.Done%c.every != 0 {
		return
	}
	c.points = append(c.points, c.last)
	if len(c.points) < maxCurve {
		return
	}
	c.every *= 2
	kept := c.points[:1]
	for _, point := range c.points[1:] {
		if point.Done%c.every == 0 {
			kept = append(kept, point)
		}
	}
	c.points = kept
}

// all are the points kept, and the last.
func (c *curve) all() []CurvePoint {
	n := len(c.points)
	if n == 0 || c.points[n-1].Done == c.last.Done {
		return c.points
	}
	return append(c.points[:n:n], c.last)
}
