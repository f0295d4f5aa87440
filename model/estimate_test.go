package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// machine is a made-up one that a simulated run is timed on.
type machine struct {
	rates       work    // seconds for a unit of work
	evaluations float64 // of an iteration
	noise       float64 // the standard deviation of an iteration's time, as a share of it
	error       float64 // of the model: how much longer each level takes by the last one
	probe       float64 // seconds for what the probe takes to be one; 0 doesn't probe
}

// levelsLike are those of a pyramid from 128 to 1024 pixels, of which a share of the first
// level's work is as much for any size.
func levelsLike(fixed float64) []levelWork {
	var levels []levelWork
	for i := range 7 {
		pixels := math.Pow(2, float64(i))
		l := levelWork{iterations: 100, evaluations: 1.1, evaluation: work{growing: 0.1 * (1 - fixed) * pixels, fixed: 0.1 * fixed}}
		l.setup = work{growing: 3 * l.evaluation.growing}
		levels = append(levels, l)
	}
	levels[0].iterations = 200
	return levels
}

// told is what an estimate said at a time, and what was true then.
type told struct {
	level, iteration int
	at, left, truth  time.Duration
}

// simulate runs all levels by a clock of its own.
func simulate(m machine, levels []levelWork, seed uint64) []told {
	random := rand.New(rand.NewPCG(seed, 1))
	e := &estimate{levels: levels}
	if m.probe > 0 {
		of := levels[0].evaluation
		e.probe(of, m.probe*(m.rates.growing*of.growing+m.rates.fixed*of.fixed))
	}
	var now time.Duration
	var all []told
	for index, l := range levels {
		slower := 1 + m.error*float64(index)/float64(len(levels)-1)
		e.begin(index, now)
		now += duration(m.rates.growing * l.setup.sum())
		e.ready(now)
		debt := 0.0
		for i := 1; i <= l.iterations; i++ {
			debt += m.evaluations
			count := math.Floor(debt)
			debt -= count
			each := slower * (m.rates.growing*l.evaluation.growing + m.rates.fixed*l.evaluation.fixed)
			now += duration(count * each * max(0.2, 1+m.noise*random.NormFloat64()))
			e.add(i, int(count), now)
			all = append(all, told{level: index, iteration: i, at: now, left: e.remaining(now)})
		}
	}
	for i := range all {
		all[i].truth = now - all[i].at
	}
	return all
}

// off is by what factor an estimate is wrong, 1 or more.
func (s told) off() float64 {
	ratio := s.left.Seconds() / s.truth.Seconds()
	return max(ratio, 1/ratio)
}

func TestTimeLeftIsRightWithinBounds(t *testing.T) {
	for name, m := range map[string]machine{
		"as expected":                            {rates: work{1, 1}, evaluations: 1.1},
		"slow":                                   {rates: work{7, 7}, evaluations: 1.1, noise: 0.3},
		"fast":                                   {rates: work{0.2, 0.2}, evaluations: 1.1, noise: 0.3},
		"with more evaluations":                  {rates: work{1, 1}, evaluations: 2.1, noise: 0.2},
		"probed on a machine that was busy":      {rates: work{1, 1}, evaluations: 1.1, noise: 0.3, probe: 3},
		"probed, with slower fixed work":         {rates: work{1, 1.4}, evaluations: 1.1, noise: 0.2, probe: 1},
		"of a model that promises 10 % too much": {rates: work{1, 1}, evaluations: 1.1, noise: 0.2, error: 0.1, probe: 1},
	} {
		for _, fixed := range []float64{0, 0.3} {
			t.Run(fmt.Sprintf("%s, %g fixed", name, fixed), func(t *testing.T) {
				steps := simulate(m, levelsLike(fixed), 1)
				for _, s := range steps {
					// Of a handful of iterations, each may take a search more or less.
					if last := s.level == 6 && s.iteration > 95; s.at >= 10*time.Second && !last && s.off() > 1.5 {
						t.Fatalf("after %v, %v are said to be left, and are %v: want a factor of 1.5 at most", s.at, s.left, s.truth)
					}
					if end := s.level == 0 && s.iteration == 200; end && s.off() > 1.15 {
						t.Errorf("at the end of the first level, %v are said to be left, and are %v: want 15 %% at most", s.left, s.truth)
					}
				}
				if last := steps[len(steps)-1]; last.left != 0 {
					t.Errorf("%v left after the last iteration", last.left)
				}
			})
		}
	}
}

func TestTimeLeftMovesSmoothly(t *testing.T) {
	steps := simulate(machine{rates: work{1, 1}, evaluations: 1.1, noise: 0.5, probe: 1}, levelsLike(0.2), 3)
	for i, s := range steps[1:] {
		before := steps[i]
		if rise := s.left - before.left; rise > before.left/10+time.Second {
			t.Errorf("after %v the time left rises from %v to %v", s.at, before.left, s.left)
		}
	}
}

func TestAStoppedProgramDoesNotUpsetTheTimeLeft(t *testing.T) {
	e := &estimate{levels: levelsLike(0)}
	e.begin(0, 0)
	e.ready(0)
	var now time.Duration
	for i := range 50 {
		now += 100 * time.Millisecond
		e.add(i+1, 1, now)
		e.remaining(now)
	}
	before := e.remaining(now)
	now += time.Hour
	e.add(51, 1, now)
	if after := e.remaining(now); after > before*11/10 {
		t.Errorf("%v left after an hour's sleep, and %v before", after, before)
	}
}

func TestNothingIsToldBeforeItWasMeasured(t *testing.T) {
	e := &estimate{levels: levelsLike(0)}
	e.begin(0, 0)
	e.ready(time.Second)
	e.add(1, 2, 2*time.Second)
	if left := e.remaining(2 * time.Second); left >= 0 {
		t.Errorf("%v left after two evaluations, want a negative time", left)
	}
	e = &estimate{levels: levelsLike(0)}
	e.probe(e.levels[0].evaluation, 0.1)
	e.begin(0, 0)
	e.ready(0)
	e.add(1, 1, 100*time.Millisecond)
	if left := e.remaining(100 * time.Millisecond); left <= 0 {
		t.Errorf("%v left after a probe, want some", left)
	}
}

func TestALevelThatEndsEarlyCountsAsDone(t *testing.T) {
	e := &estimate{levels: levelsLike(0)[:2]}
	e.probe(e.levels[0].evaluation, 0.1)
	e.begin(0, 0)
	e.ready(0)
	e.add(1, 1, 100*time.Millisecond)
	early, all := e.progress(0)
	e.begin(1, time.Second)
	late, sameAll := e.progress(0)
	first := e.levels[0].setup.sum() + 200*1.1*e.levels[0].evaluation.sum()
	if all != sameAll || late <= early || math.Abs(late-first-e.levels[1].setup.sum()) > 1e-9 {
		t.Errorf("done are %g and then %g, of %g and %g, want %g at the end of the first level", early, late, all, sameAll, first)
	}
}

func TestTimeLeftUnderALimitIsWhatIsLeftOfIt(t *testing.T) {
	e := &estimate{levels: levelsLike(0), limit: 10 * time.Second}
	if left := e.remaining(4 * time.Second); left != 6*time.Second {
		t.Errorf("%v left after 4 s of 10", left)
	}
	if left := e.remaining(11 * time.Second); left != 0 {
		t.Errorf("%v left after 11 s of 10", left)
	}
	if done, all := e.progress(4 * time.Second); done/all != 0.4 {
		t.Errorf("%g of %g done after 4 s of 10", done, all)
	}
}
