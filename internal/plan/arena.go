package plan

import (
	"slices"
	"sort"
)

// arrange gives every buffer of a program its place in the arena.
func (p *Program) arrange() {
	places, bytes := p.Arrange(p.device.Bytes)
	p.Bytes = bytes
	for b, offset := range places {
		b.Offset = offset
	}
}

// Arrange works out places in one arena, in bytes from its beginning, for all buffers
// but constants, if they have these sizes, and how large the arena is. Buffers of
// size 0 get no place.
func (p *Program) Arrange(size func(*Buffer) int) (places map[*Buffer]int, bytes int) {
	a := arranging{
		places: map[*Buffer]int{},
		size:   size, alignment: p.device.Alignment(),
		lives: p.lives(),
	}
	a.place(p)
	return a.places, a.bytes
}

type arranging struct {
	places    map[*Buffer]int
	bytes     int
	size      func(*Buffer) int
	alignment int
	lives     map[*Buffer]*life
}

// life is between which steps a value must stand.
type life struct{ first, last int }

// lives works out those of all values. Inputs always stand, outputs from their
// step on; what a step reads or makes stands until it has surely ended.
func (p *Program) lives() map[*Buffer]*life {
	lives := map[*Buffer]*life{}
	for i, step := range p.Steps {
		last := max(i, p.Branches.Ends[i]-1)
		for _, b := range append(slices.Clone(step.Results), step.Scratch...) {
			lives[b] = &life{i, last}
		}
		for _, b := range step.Reads() {
			if l, made := lives[b]; made {
				l.last = max(l.last, last)
			}
		}
	}
	for _, b := range p.Outputs {
		if l, made := lives[b]; made {
			l.last = len(p.Steps)
		}
	}
	for _, b := range p.Inputs {
		lives[b] = &life{0, len(p.Steps)}
	}
	return lives
}

// place gives every buffer its offset in the arena: the largest first, each at
// the lowest offset where it meets no buffer that lives at the same time
// (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net
// Inference", greedy by size).
func (a *arranging) place(p *Program) {
	shared := a.share(p)
	var placed []*Buffer
	for _, b := range a.bySize(p) {
		if shared[b] != nil || a.size(b) == 0 {
			continue
		}
		a.places[b] = a.lowest(b, placed)
		placed = append(placed, b)
		a.bytes = max(a.bytes, a.places[b]+a.aligned(b))
	}
	for b, host := range shared {
		for shared[host] != nil {
			host = shared[host]
		}
		a.places[b] = a.places[host]
	}
}

// share finds the sums that can be written over one of their terms, and those that
// have to be: the term dies there and has the same size. The term's lifetime then
// covers both. The older term is preferred.
func (a *arranging) share(p *Program) map[*Buffer]*Buffer {
	shared := map[*Buffer]*Buffer{}
	for i, step := range p.Steps {
		var terms []*Buffer
		switch {
		case step.InPlace:
			terms = []*Buffer{step.AddTo}
		case step.IsAddition():
			terms = slices.Clone(step.Inputs)
			slices.SortStableFunc(terms, func(x, y *Buffer) int { return a.made(x) - a.made(y) })
		}
		for _, term := range terms {
			sum := step.Results[0]
			if term.Constant == nil && a.lives[term].last == i && a.size(term) == a.size(sum) && a.size(sum) > 0 {
				host := term
				for shared[host] != nil {
					host = shared[host]
				}
				a.lives[host].last = max(a.lives[host].last, a.lives[sum].last)
				shared[sum] = host
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

func (a *arranging) bySize(p *Program) []*Buffer {
	buffers := slices.Clone(p.Inputs)
	for _, step := range p.Steps {
		buffers = append(append(buffers, step.Results...), step.Scratch...)
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
	sort.Slice(neighbours, func(i, j int) bool { return a.places[neighbours[i]] < a.places[neighbours[j]] })
	offset := 0
	for _, p := range neighbours {
		if offset+a.size(b) <= a.places[p] {
			break
		}
		offset = max(offset, a.places[p]+a.aligned(p))
	}
	return offset
}

func (a *arranging) aligned(b *Buffer) int {
	return (a.size(b) + a.alignment - 1) &^ (a.alignment - 1)
}
