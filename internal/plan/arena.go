package plan

import (
	"slices"
	"sort"
)

// Arrangement is a place in one arena for every buffer but constants.
type Arrangement struct {
	Offsets map[*Buffer]int
	Bytes   int // of the arena
}

// Arrange places the buffers for a machine that gives them other sizes, in bytes,
// than plain float32 and float64 have, aligns them otherwise, or has put other
// steps, or some with scratch memory, in the place of the schedule's. Buffers of size 0 get no place.
func (s *Schedule) Arrange(size func(*Buffer) int, alignment int) Arrangement {
	return s.ArrangeBeside(size, alignment, nil)
}

// ArrangeBeside is Arrange for a machine that runs some steps beside others: ends
// tells of each step before which other one, the number of steps meaning the end, it
// has surely ended.
func (s *Schedule) ArrangeBeside(size func(*Buffer) int, alignment int, ends []int) Arrangement {
	a := arranging{
		Arrangement: Arrangement{Offsets: map[*Buffer]int{}},
		size:        size, alignment: alignment,
		lives: s.lives(ends),
	}
	a.place(s)
	return a.Arrangement
}

type arranging struct {
	Arrangement
	size      func(*Buffer) int
	alignment int
	lives     map[*Buffer]*life
}

// life is between which steps a value must stand.
type life struct{ first, last int }

// lives works out those of all values. Inputs always stand, outputs from their
// step on; what a step reads or makes stands until it has ended.
func (s *Schedule) lives(ends []int) map[*Buffer]*life {
	lives := map[*Buffer]*life{}
	for i, step := range s.Steps {
		last := i
		if ends != nil {
			last = max(i, ends[i]-1)
		}
		lives[step.Result] = &life{i, last}
		for _, b := range step.Scratch {
			lives[b] = &life{i, last}
		}
		for _, input := range step.Inputs {
			if l, made := lives[input]; made {
				l.last = max(l.last, last)
			}
		}
	}
	for _, b := range s.Outputs {
		if l, made := lives[b]; made {
			l.last = len(s.Steps)
		}
	}
	for _, b := range s.Inputs {
		lives[b] = &life{0, len(s.Steps)}
	}
	return lives
}

// place gives every buffer its offset in the arena: the largest first, each at
// the lowest offset where it meets no buffer that lives at the same time
// (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net
// Inference", greedy by size).
func (a *arranging) place(s *Schedule) {
	shared := a.share(s)
	var placed []*Buffer
	for _, b := range a.bySize(s) {
		if shared[b] != nil || a.size(b) == 0 {
			continue
		}
		a.Offsets[b] = a.lowest(b, placed)
		placed = append(placed, b)
		a.Bytes = max(a.Bytes, a.Offsets[b]+a.aligned(b))
	}
	for b, host := range shared {
		for shared[host] != nil {
			host = shared[host]
		}
		a.Offsets[b] = a.Offsets[host]
	}
}

// share finds the sums that can be written over one of their terms: it dies
// there and has the same size. The term's lifetime then covers both. The older
// term is preferred, so that the younger can be added to it as it is made.
func (a *arranging) share(s *Schedule) map[*Buffer]*Buffer {
	shared := map[*Buffer]*Buffer{}
	for i, step := range s.Steps {
		if !step.IsAddition() || a.size(step.Result) == 0 {
			continue
		}
		terms := slices.Clone(step.Inputs)
		slices.SortStableFunc(terms, func(x, y *Buffer) int { return a.made(x) - a.made(y) })
		for _, term := range terms {
			if term.Constant == nil && a.lives[term].last == i && a.size(term) == a.size(step.Result) {
				host := term
				for shared[host] != nil {
					host = shared[host]
				}
				a.lives[host].last = max(a.lives[host].last, a.lives[step.Result].last)
				shared[step.Result] = host
				break
			}
		}
	}
	return shared
}

// made is the step that makes a buffer's value, before all for constants.
func (a *arranging) made(b *Buffer) int {
	if l, lives := a.lives[b]; lives {
		return l.first
	}
	return -1
}

// AddedAtOnce tells whether the result of a step goes nowhere but into the next
// step, a sum that is written over its other term where buffers have these offsets.
// A machine may then add it there as it makes it, and leave the sum out.
func (s *Schedule) AddedAtOnce(i int, offsets map[*Buffer]int) bool {
	if i+1 >= len(s.Steps) || !s.Steps[i+1].IsAddition() {
		return false
	}
	made, sum := s.Steps[i].Result, s.Steps[i+1]
	other, last := sum.Inputs[0], sum.Inputs[1]
	if other == made {
		other, last = last, other
	}
	for _, later := range s.Steps[i+2:] {
		if slices.Contains(later.Inputs, made) {
			return false
		}
	}
	return last == made && other != made && !made.Kept() &&
		other.Constant == nil && offsets[other] == offsets[sum.Result]
}

func (a *arranging) bySize(s *Schedule) []*Buffer {
	buffers := append([]*Buffer(nil), s.Inputs...)
	for _, step := range s.Steps {
		buffers = append(append(buffers, step.Result), step.Scratch...)
	}
	sort.SliceStable(buffers, func(i, j int) bool { return a.size(buffers[i]) > a.size(buffers[j]) })
	return buffers
}

// lowest is the first gap between the placed buffers alive at the same time
// that is large enough.
func (a *arranging) lowest(b *Buffer, placed []*Buffer) int {
	var neighbours []*Buffer
	life := a.lives[b]
	for _, p := range placed {
		if other := a.lives[p]; other.first <= life.last && life.first <= other.last {
			neighbours = append(neighbours, p)
		}
	}
	sort.Slice(neighbours, func(i, j int) bool { return a.Offsets[neighbours[i]] < a.Offsets[neighbours[j]] })
	offset := 0
	for _, p := range neighbours {
		if offset+a.size(b) <= a.Offsets[p] {
			break
		}
		offset = max(offset, a.Offsets[p]+a.aligned(p))
	}
	return offset
}

func (a *arranging) aligned(b *Buffer) int {
	return (a.size(b) + a.alignment - 1) &^ (a.alignment - 1)
}
