// Package progress tells how far a stylisation has got and how fast it gets on.
package progress

import (
	"time"

	"impasto/model"
)

// Timer measures the speed at the current scale.
type Timer struct {
	scale   int
	started time.Duration // elapsed when the first iteration seen of the scale was done
	first   int           // that iteration
	before  time.Duration // elapsed when the last iteration of the scale before was done
	latest  time.Duration
}

// Steps is what a bar counts to.
const Steps = 1000

// Done is how many of the steps are done, by the work that they take.
func Done(p model.Progress) int {
	if p.TotalWork <= 0 {
		return 0
	}
	return int(Steps * min(p.Work/p.TotalWork, 1))
}

// Rate takes what is known after an iteration, each once, and returns the iterations a
// second at this scale; 0 where it can't be told.
func (t *Timer) Rate(p model.Progress) float64 {
	if p.Level != t.scale {
		t.scale, t.before, t.started, t.first = p.Level, t.latest, p.Elapsed, p.Iteration
	}
	t.latest = p.Elapsed
	// The first iteration of a scale pays for setting it up, so it counts only
	// while there is no other.
	spent, iterations := p.Elapsed-t.started, p.Iteration-t.first
	if iterations < 1 {
		spent, iterations = p.Elapsed-t.before, 1
	}
	if spent <= 0 {
		return 0
	}
	return float64(iterations) / spent.Seconds()
}
