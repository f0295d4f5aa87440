package plan

import (
	"slices"
	"sort"
)

// live works out between which steps each value must stand. Inputs
// always do, outputs from their step on.
func (s *Schedule) live() {
	for i, step := range s.Steps {
		step.Result.first, step.Result.last = i, i
		for _, input := range step.Inputs {
			input.last = i
		}
	}
	for _, b := range s.Inputs {
		b.first, b.last, b.kept = 0, len(s.Steps), true
	}
	for _, b := range s.Outputs {
		b.last, b.kept = len(s.Steps), true
	}
}

// place gives every buffer its offset in the arena: the largest first, each at
// the lowest offset where it meets no buffer that lives at the same time
// (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net
// Inference", greedy by size).
func (s *Schedule) place() {
	shared := s.share()
	var placed []*Buffer
	for _, b := range s.bySize() {
		if shared[b] != nil {
			continue
		}
		b.Offset = lowest(b, placed)
		placed = append(placed, b)
		s.ArenaBytes = max(s.ArenaBytes, b.Offset+aligned(b.Bytes))
	}
	for b, host := range shared {
		for shared[host] != nil {
			host = shared[host]
		}
		b.Offset = host.Offset
	}
}

// share finds the sums that can be written over one of their terms: it dies
// there and has the same size. The term's lifetime then covers both. The older
// term is preferred, so that the younger can be added to it as it is made.
func (s *Schedule) share() map[*Buffer]*Buffer {
	shared := map[*Buffer]*Buffer{}
	for i, step := range s.Steps {
		if !step.IsAddition() {
			continue
		}
		terms := slices.Clone(step.Inputs)
		slices.SortStableFunc(terms, func(a, b *Buffer) int { return a.first - b.first })
		for _, term := range terms {
			if term.Constant == nil && term.last == i && term.Bytes == step.Result.Bytes {
				host := term
				for shared[host] != nil {
					host = shared[host]
				}
				host.last = max(host.last, step.Result.last)
				shared[step.Result] = host
				break
			}
		}
	}
	return shared
}

// AddedAtOnce tells whether the result of a step goes nowhere but into the next
// step, a sum that is written over its other term. A machine may then add it
// there as it makes it, and leave the sum out.
func (s *Schedule) AddedAtOnce(i int) bool {
	if i+1 >= len(s.Steps) || !s.Steps[i+1].IsAddition() {
		return false
	}
	made, sum := s.Steps[i].Result, s.Steps[i+1]
	other, last := sum.Inputs[0], sum.Inputs[1]
	if other == made {
		other, last = last, other
	}
	return last == made && other != made && made.last == i+1 && !made.Kept() &&
		other.Constant == nil && other.Offset == sum.Result.Offset
}

func (s *Schedule) bySize() []*Buffer {
	buffers := append([]*Buffer(nil), s.Inputs...)
	for _, step := range s.Steps {
		buffers = append(buffers, step.Result)
	}
	sort.SliceStable(buffers, func(i, j int) bool { return buffers[i].Bytes > buffers[j].Bytes })
	return buffers
}

// lowest is the first gap between the placed buffers alive at the same time
// that is large enough.
func lowest(b *Buffer, placed []*Buffer) int {
	var neighbours []*Buffer
	for _, p := range placed {
		if p.first <= b.last && b.first <= p.last {
			neighbours = append(neighbours, p)
		}
	}
	sort.Slice(neighbours, func(i, j int) bool { return neighbours[i].Offset < neighbours[j].Offset })
	offset := 0
	for _, p := range neighbours {
		if offset+b.Bytes <= p.Offset {
			break
		}
		offset = max(offset, p.Offset+aligned(p.Bytes))
	}
	return offset
}

func aligned(bytes int) int { return (bytes + alignment - 1) &^ (alignment - 1) }
