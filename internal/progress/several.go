package progress

import (
	"time"

	"impasto/model"
)

// Several tells how far stylisations have got, of which some are under way at a time, by
// the time that each was expected to take.
type Several struct {
	expected []time.Duration
	state    []state
	atATime  int
	took     time.Duration // what those took that ended, and
	foretold time.Duration // what these were expected to
}

// state is how far one has got.
type state struct {
	begun, done bool
	progress    model.Progress
}

// NewSeveral takes the time that each is expected to take, 0 for one that takes none, and
// how many are under way at a time.
func NewSeveral(expected []time.Duration, atATime int) *Several {
	return &Several{expected: expected, state: make([]state, len(expected)), atATime: max(1, atATime)}
}

// Skip says that one needn't be done, by its index.
func (s *Several) Skip(index int) { s.state[index].done = true }

// Begin says that one begins.
func (s *Several) Begin(index int) {
	s.state[index] = state{begun: true, progress: model.Progress{Remaining: -1}}
}

// End says how long one that was under way took to its end.
func (s *Several) End(index int, took time.Duration) {
	s.state[index].done = true
	s.took += took
	s.foretold += s.expected[index]
}

// Whole takes where one that is under way stands, and returns the share of all that is
// done, from 0 to 1, and the time left to the end of the last; negative while nothing
// tells.
func (s *Several) Whole(index int, p model.Progress) (share float64, left time.Duration) {
	s.state[index].begun, s.state[index].progress = true, p
	var total, done, later time.Duration
	for i, e := range s.expected {
		total += e
		switch of := s.state[i]; {
		case of.done:
			done += e
		case of.begun:
			done += s.doneOf(i)
		default:
			later += e
		}
	}
	if total > 0 {
		share = float64(done) / float64(total)
	}
	// All that is left is shared, but none ends before what is left of its own.
	var took, foretold, sum, longest time.Duration
	for i, of := range s.state {
		if !of.begun || of.done {
			continue
		}
		own := of.progress.Remaining
		if own < 0 {
			if s.expected[i] == 0 {
				return share, own
			}
			own = time.Duration(s.pace(0, 0) * float64(s.expected[i]-s.doneOf(i)))
		}
		took, foretold = took+of.progress.Elapsed+own, foretold+s.expected[i]
		sum, longest = sum+own, max(longest, own)
	}
	sum += time.Duration(s.pace(took, foretold) * float64(later))
	return share, max(longest, sum/time.Duration(s.atATime))
}

// doneOf is what is done of one under way, of the time that it was expected to take.
func (s *Several) doneOf(index int) time.Duration {
	p := s.state[index].progress
	if p.TotalWork <= 0 {
		return 0
	}
	return time.Duration(min(p.Work/p.TotalWork, 1) * float64(s.expected[index]))
}

// pace is how much longer than expected those took that ended, and others.
func (s *Several) pace(took, foretold time.Duration) float64 {
	if s.foretold+foretold <= 0 {
		return 1
	}
	return float64(s.took+took) / float64(s.foretold+foretold)
}
