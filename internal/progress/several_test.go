package progress

import (
	"testing"
	"time"

	"impasto/model"
)

func TestSeveralAddUpWhatEachTakes(t *testing.T) {
	const s = time.Second
	begun := func(index int, ended ...time.Duration) *Several {
		all := NewSeveral([]time.Duration{10 * s, 0, 30 * s, 60 * s}, 1)
		for i := range index {
			all.Skip(i)
		}
		for i, took := range ended {
			all.Begin([]int{0, 2, 3}[i])
			all.End([]int{0, 2, 3}[i], took)
		}
		all.Begin(index)
		return all
	}
	for _, test := range []struct {
		name  string
		at    *Several
		index int
		p     model.Progress
		share float64
		left  time.Duration
	}{
		{"the first half done, at the pace foretold", begun(0), 0, model.Progress{Work: 1, TotalWork: 2, Elapsed: 5 * s, Remaining: 5 * s}, 0.05, 95 * s},
		{"the first takes twice as long", begun(0), 0, model.Progress{Work: 1, TotalWork: 2, Elapsed: 10 * s, Remaining: 10 * s}, 0.05, 190 * s},
		{"nothing is known of the one under way", begun(0), 0, model.Progress{Work: 1, TotalWork: 4, Elapsed: 2500 * time.Millisecond, Remaining: -1}, 0.025, 7500*time.Millisecond + 90*s},
		{"the first took twice as long, and nothing is known of the third", begun(2, 20*s), 2, model.Progress{Work: 0, TotalWork: 3, Remaining: -1}, 0.1, 60*s + 120*s},
		{"the last is nearly done", begun(3, 10*s, 30*s), 3, model.Progress{Work: 59, TotalWork: 60, Elapsed: 59 * s, Remaining: s}, 0.99, s},
		{"one that none was foretold of", begun(1), 1, model.Progress{Work: 1, TotalWork: 2, Remaining: -1}, 0.1, -1},
	} {
		share, left := test.at.Whole(test.index, test.p)
		if d := share - test.share; d > 1e-9 || d < -1e-9 || left.Round(time.Millisecond) != test.left && left != test.left {
			t.Errorf("%s: share %g and %v left, want %g and %v", test.name, share, left, test.share, test.left)
		}
	}
	if share, left := NewSeveral([]time.Duration{0}, 1).Whole(0, model.Progress{Remaining: 2 * s}); share != 0 || left != 2*s {
		t.Errorf("where nothing was foretold: share %g, %v left", share, left)
	}
}

func TestSeveralUnderWayShareWhatIsLeft(t *testing.T) {
	const s = time.Second
	all := NewSeveral([]time.Duration{20 * s, 10 * s, 40 * s, 30 * s}, 2)
	all.Skip(3)
	all.Begin(0)
	all.Begin(1)
	all.Whole(0, model.Progress{Work: 1, TotalWork: 2, Elapsed: 10 * s, Remaining: 10 * s})
	share, left := all.Whole(1, model.Progress{Work: 1, TotalWork: 2, Elapsed: 5 * s, Remaining: 5 * s})
	if share != 0.45 || left != 55*s/2 {
		t.Errorf("share %g and %v left, want 0.45 and 27.5s", share, left)
	}
	all.End(1, 20*s) // twice as long as foretold
	all.End(0, 40*s)
	all.Begin(2)
	share, left = all.Whole(2, model.Progress{Work: 1, TotalWork: 4, Elapsed: 20 * s, Remaining: -1})
	if share != 0.7 || left != 60*s {
		t.Errorf("share %g and %v left, want 0.7 and, of the last one alone, 1m0s", share, left)
	}
}
