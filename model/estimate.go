package model

import (
	"math"
	"time"
)

// estimate foretells how long a run still takes. It knows the work of every level, and
// learns from what is measured how many seconds the growing and the fixed part of that take
// on this machine, and how many evaluations an iteration makes. It has no clock: times are
// those since the run began.
type estimate struct {
	levels     []levelWork
	limit      time.Duration                 // of a run that is timed, else 0
	measured   []measurement                 // of the probe, if any, and of each level with iterations
	index      int                           // of the level under way
	iteration  int                           // the last one done at it
	seen       int                           // iterations since it began; fewer where a run goes on from elsewhere
	began      time.Duration                 // when it began
	latest     time.Duration                 // when the last iteration ended
	setup      struct{ spent, work float64 } // seconds and work before iterations, of levels begun
	iterations float64                       // over all levels, and
	evaluated  float64                       // the evaluations that they made
	shown      time.Duration                 // the time left as last told
	told       time.Duration                 // when that was; 0 before
}

// measurement is how long an evaluation of some work took.
type measurement struct {
	work               work
	seconds            float64 // of one evaluation
	evaluations, spent float64 // that the seconds are the mean of, and how long these took
	doubt              float64 // the standard deviation of seconds, as a share of them
}

const (
	doubtOfNow    = 0.04 // of the level under way, for what the model leaves out
	doubtOfOne    = 0.4  // of a single evaluation, in addition
	doubtOfCold   = 1    // of the first iteration of a level
	doubtOfBefore = 0.2  // of levels before and of the probe: the load of a machine changes
	doubtOfRatio  = 0.4  // that growing and fixed parts take the same for a unit of work

	// mostSetup is how much longer or shorter than evaluations let expect what comes before
	// iterations is taken to be.
	mostSetup = 1.5

	// memorySeconds is for how long an evaluation counts in the mean of a level.
	memorySeconds = 20
	// An evaluation that takes more than outlier times the mean counts as outlier times
	// the mean: the machine slept, or somebody stopped the program for a while.
	outlier = 3
	// smoothing is the time in which the estimate shown moves most of the way to a new one.
	smoothing = 2 * time.Second
	// fewEvaluations tell nothing yet where nothing was measured before.
	fewEvaluations = 4
)

// probe takes in how long an evaluation of some work took before the run.
func (e *estimate) probe(of work, seconds float64) {
	e.measured = append(e.measured, measurement{work: of, seconds: seconds, evaluations: 1, spent: seconds, doubt: doubtOfBefore})
}

// begin says that a level begins, the ones before having ended, be it before their time.
func (e *estimate) begin(index int, now time.Duration) {
	for i := range e.measured {
		e.measured[i].doubt = doubtOfBefore
	}
	e.index, e.iteration, e.seen, e.began, e.latest = index, 0, 0, now, now
}

// ready says that a level is ready for its first iteration.
func (e *estimate) ready(now time.Duration) {
	e.latest = now
	e.setup.spent += (now - e.began).Seconds()
	e.setup.work += e.levels[e.index].setup.sum()
}

// add takes in an iteration of the level, by its number, and the evaluations that it made.
func (e *estimate) add(iteration, evaluations int, now time.Duration) {
	spent := (now - e.latest).Seconds()
	e.latest, e.iteration = now, iteration
	e.seen++
	if evaluations <= 0 || spent <= 0 {
		return
	}
	e.iterations++
	e.evaluated += float64(evaluations)
	count, of := float64(evaluations), e.levels[e.index].evaluation
	last := len(e.measured) - 1
	switch {
	case e.seen == 1:
		e.measured = append(e.measured, measurement{work: of})
		last++
	case e.seen == 2:
		// The first iteration pays for touching all memory, so it counts only while
		// there is no other.
		e.measured[last] = measurement{work: of}
	}
	m := &e.measured[last]
	if m.evaluations > fewEvaluations {
		spent = min(spent, outlier*count*m.seconds)
	}
	kept := math.Exp(-spent / memorySeconds)
	m.evaluations, m.spent = kept*m.evaluations+count, kept*m.spent+spent
	m.seconds = m.spent / m.evaluations
	if m.doubt = doubtOfCold; e.seen == 1 {
		return
	}
	m.doubt = math.Hypot(doubtOfNow, doubtOfOne/math.Sqrt(m.evaluations))
}

// rates are the seconds that a unit of growing and of fixed work takes: those that fit the
// measurements best, each by its doubt, and do not differ from each other more than need be.
func (e *estimate) rates() work {
	var scale, weights float64
	for _, m := range e.measured {
		weight := 1 / (m.doubt * m.doubt)
		scale += weight * m.seconds / m.work.sum()
		weights += weight
	}
	if weights == 0 {
		return work{1, 1}
	}
	scale /= weights
	// Least squares in two unknowns, the rates in units of scale, and an evaluation's time in
	// units of what it would take by scale alone.
	prior := 1 / (doubtOfRatio * doubtOfRatio)
	gg, gf, ff, g, f := prior, 0.0, prior, prior, prior
	for _, m := range e.measured {
		weight := 1 / (m.doubt * m.doubt)
		x, y := m.work.growing/m.work.sum(), m.work.fixed/m.work.sum()
		z := m.seconds / (scale * m.work.sum())
		gg, gf, ff = gg+weight*x*x, gf+weight*x*y, ff+weight*y*y
		g, f = g+weight*x*z, f+weight*y*z
	}
	determinant := gg*ff - gf*gf
	return work{
		growing: scale * max((g*ff-f*gf)/determinant, 0.1),
		fixed:   scale * max((f*gg-g*gf)/determinant, 0.1),
	}
}

// evaluations are how many an iteration makes, by what was expected and what was seen.
func (e *estimate) evaluations() float64 {
	const expected = 5 // iterations that the expectation counts for
	return (expected*e.levels[0].evaluations + e.evaluated) / (expected + e.iterations)
}

// levelTime is what a level takes before its iterations, and each of them, in seconds.
func (e *estimate) levelTime(index int) (setup, iteration float64) {
	l, rates := e.levels[index], e.rates()
	ratio := rates.growing
	if e.setup.work > 0 {
		// The first level's has much in it that is done once, so little is made of it.
		ratio *= min(max(math.Sqrt(e.setup.spent/(ratio*e.setup.work)), 1/mostSetup), mostSetup)
	}
	return ratio * l.setup.sum(),
		e.evaluations() * (rates.growing*l.evaluation.growing + rates.fixed*l.evaluation.fixed)
}

// total is what the whole run takes, as far as is known before it begins.
func (e *estimate) total() time.Duration {
	if e.limit > 0 {
		return e.limit
	}
	var seconds float64
	for i := range e.levels {
		seconds += e.whole(i).Seconds()
	}
	return duration(seconds)
}

// whole is what a level takes from its beginning to its end.
func (e *estimate) whole(index int) time.Duration {
	setup, iteration := e.levelTime(index)
	return duration(setup + float64(e.levels[index].iterations)*iteration)
}

// remaining is the time left, negative while nothing tells. It is smoothed: what is told
// runs down with the clock and moves to a new estimate within seconds.
func (e *estimate) remaining(now time.Duration) time.Duration {
	if e.limit > 0 {
		return max(e.limit-now, 0)
	}
	if len(e.measured) == 0 || len(e.measured) == 1 && e.measured[0].evaluations < fewEvaluations && e.measured[0].doubt > doubtOfBefore {
		return -1
	}
	_, iteration := e.levelTime(e.index)
	raw := duration(float64(e.levels[e.index].iterations-e.iteration) * iteration)
	for i := e.index + 1; i < len(e.levels); i++ {
		raw += e.whole(i)
	}
	if raw <= 0 {
		return 0
	}
	if e.told == 0 {
		e.shown = raw
	} else {
		passed := now - e.told
		expected := max(e.shown-passed, 0)
		share := 1 - math.Exp(-passed.Seconds()/smoothing.Seconds())
		e.shown = expected + time.Duration(share*float64(raw-expected))
	}
	e.told = now
	return e.shown
}

// progress is the work that is done and all that there is, in the same unit. What a level
// that ended before its time left undone counts as done.
func (e *estimate) progress(now time.Duration) (done, all float64) {
	if e.limit > 0 {
		return min(now, e.limit).Seconds(), e.limit.Seconds()
	}
	for i, l := range e.levels {
		level := l.setup.sum() + float64(l.iterations)*l.evaluations*l.evaluation.sum()
		all += level
		switch {
		case i < e.index:
			done += level
		case i == e.index:
			done += level - float64(l.iterations-e.iteration)*l.evaluations*l.evaluation.sum()
		}
	}
	return done, all
}

func duration(seconds float64) time.Duration {
	return time.Duration(min(seconds, math.MaxInt64/2e9) * float64(time.Second))
}
