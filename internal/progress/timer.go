// Package progress foretells how a stylisation gets on.
package progress

import (
	"math"
	"time"

	"impasto/model"
)

// Timer measures the speed at the current scale and foretells the time left.
// Iterations slow down as pictures grow, so a mean over all would promise too
// much.
type Timer struct {
	options model.Options
	scale   int
	started time.Duration // elapsed when the first iteration of the scale was done
	before  time.Duration // elapsed when the last iteration of the scale before was done
	latest  time.Duration
}

// NewTimer is for a stylisation with these options.
func NewTimer(o model.Options) *Timer { return &Timer{options: o} }

// Timed tells whether time is what ends the run, and not so many iterations.
func (t *Timer) Timed() bool { return t.options.TimeLimit > 0 }

// tick is what Steps counts of a run that is timed.
const tick = 100 * time.Millisecond

// Steps is what a bar counts to: the total of iterations, or tenths of a second
// where the run is timed.
func (t *Timer) Steps(total int) int {
	if t.Timed() {
		return int(t.options.TimeLimit/tick) + 1
	}
	return total
}

// Done is how many of the steps are done.
func (t *Timer) Done(p model.Progress) int {
	if t.Timed() {
		return int(min(p.Elapsed, t.options.TimeLimit) / tick)
	}
	return p.Done
}

// Update takes what is known after an iteration, each once, and returns the
// iterations a second at this scale and the time left over all scales. The rate is
// 0 where it can't be told.
func (t *Timer) Update(p model.Progress) (rate float64, left time.Duration) {
	if p.Level != t.scale {
		t.scale, t.before, t.started = p.Level, t.latest, p.Elapsed
	}
	t.latest = p.Elapsed
	// The first iteration of a scale pays for setting it up, so it counts only
	// while there is no other.
	spent, iterations := p.Elapsed-t.started, p.Iteration-1
	if iterations < 1 {
		spent, iterations = p.Elapsed-t.before, 1
	}
	each := spent.Seconds() / float64(iterations)
	if each <= 0 {
		return 0, 0
	}
	left = time.Duration(each * t.remaining(p) * float64(time.Second))
	if t.Timed() {
		left = max(t.options.TimeLimit-p.Elapsed, 0)
	}
	return 1 / each, left
}

// remaining is the work left in iterations of the current scale: an iteration
// takes time in proportion to its pixels.
func (t *Timer) remaining(p model.Progress) float64 {
	work := float64(p.Iterations - p.Iteration)
	now := float64(max(p.Width, p.Height))
	for scale := p.Level + 1; scale <= p.Levels; scale++ {
		side := float64(t.options.Size)
		if scale < p.Levels {
			side = min(side, now*math.Pow(math.Sqrt2, float64(scale-p.Level)))
		}
		work += float64(t.options.Iterations) * side * side / (now * now)
	}
	return work
}
