package model

import (
	"slices"
	"testing"
)

func TestACurveKeepsTheFirstTheLastAndOthersEvenlyBetween(t *testing.T) {
	for _, iterations := range []int{0, 1, 2, maxCurve - 1, maxCurve, maxCurve + 1, 5*maxCurve + 3} {
		var c curve
		for i := 1; i <= iterations; i++ {
			c.add(Progress{Level: 1, Iteration: i, Done: i, Loss: 1 / float64(i)})
		}
		points := c.all()
		if iterations < maxCurve && len(points) != iterations || len(points) > maxCurve+1 || iterations > maxCurve && len(points) < maxCurve/2 {
			t.Errorf("%d points of %d iterations", len(points), iterations)
		}
		if iterations == 0 {
			continue
		}
		if first, last := points[0], points[len(points)-1]; first.Done != 1 || last.Done != iterations || last.Loss != 1/float64(iterations) {
			t.Errorf("%d iterations: the points are from %d to %d", iterations, first.Done, last.Done)
		}
		var steps []int
		for i := 2; i < len(points)-1; i++ {
			steps = append(steps, points[i].Done-points[i-1].Done)
		}
		if len(steps) > 0 && slices.Min(steps) != slices.Max(steps) {
			t.Errorf("%d iterations: points are between %d and %d apart", iterations, slices.Min(steps), slices.Max(steps))
		}
	}
}
