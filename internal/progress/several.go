package progress

import (
	"time"

	"impasto/model"
)

// Several tells how far stylisations one after the other have got, by the time that each
// was expected to take.
type Several struct {
	expected []time.Duration
	at       int           // the one under way
	passed   time.Duration // that those before it were expected to take
	took     time.Duration // what those of them took that ended, and
	foretold time.Duration // what these were expected to
}

// NewSeveral takes the time that each is expected to take; 0 for one that takes none.
func NewSeveral(expected []time.Duration) *Several { return &Several{expected: expected} }

// Begin says that one begins, by its index. Those before it are done.
func (s *Several) Begin(index int) {
	for ; s.at < index; s.at++ {
		s.passed += s.expected[s.at]
	}
}

// End says how long the one under way took to its end.
func (s *Several) End(took time.Duration) {
	s.took += took
	s.foretold += s.expected[s.at]
}

// Whole takes where the one under way stands, and returns the share of all that is done,
// from 0 to 1, and the time left to the end of the last; negative while nothing tells.
func (s *Several) Whole(p model.Progress) (share float64, left time.Duration) {
	own := s.expected[s.at]
	var later time.Duration
	for _, e := range s.expected[s.at+1:] {
		later += e
	}
	var done time.Duration // of the one under way
	if p.TotalWork > 0 {
		done = time.Duration(min(p.Work/p.TotalWork, 1) * float64(own))
	}
	if total := s.passed + own + later; total > 0 {
		share = float64(s.passed+done) / float64(total)
	}
	left = p.Remaining
	if left < 0 {
		if own == 0 {
			return share, left
		}
		left = time.Duration(s.pace(0, 0) * float64(own-done))
	}
	return share, left + time.Duration(s.pace(p.Elapsed+left, own)*float64(later))
}

// pace is how much longer than expected those took that ended, and another one.
func (s *Several) pace(took, foretold time.Duration) float64 {
	if s.foretold+foretold <= 0 {
		return 1
	}
	return float64(s.took+took) / float64(s.foretold+foretold)
}
