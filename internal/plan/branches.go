package plan

import "slices"

// Branches are which steps of a program run beside others. A step that says it runs
// beside whatever doesn't need its result has a branch of its own, or goes on with the one
// branch that has what it reads; the others are the trunk. Each step of a branch begins once
// the trunk has come to where it is in the program.
type Branches struct {
	Count int
	Of    []int   // the branch of each step, and of the end of a run; 0 is the trunk
	Joins [][]int // the branches that the trunk waits for before a step, and at the end
	Ends  []int   // the step before which each step has surely ended
}

// branch works the branches out.
func (p *Program) branch() {
	n := len(p.Steps)
	b := Branches{Of: make([]int, n+1), Joins: make([][]int, n+1), Ends: make([]int, n)}
	made := map[*Buffer]int{} // the branches that values are made on
	var open []int            // branches that the trunk hasn't waited for
	join := func(before, branch int) {
		open = slices.DeleteFunc(open, func(other int) bool { return other == branch })
		b.Joins[before] = append(b.Joins[before], branch)
		for i := range before {
			if b.Of[i] == branch {
				b.Ends[i] = before
			}
		}
	}
	for i, step := range p.Steps {
		b.Ends[i] = i + 1
		var needed []int
		for _, input := range step.Reads() {
			if on := made[input]; slices.Contains(open, on) && !slices.Contains(needed, on) {
				needed = append(needed, on)
			}
		}
		beside := p.beside(step)
		if beside && len(needed) == 1 {
			b.Of[i] = needed[0]
		} else {
			for _, branch := range needed {
				join(i, branch)
			}
			if beside {
				b.Count++
				b.Of[i] = b.Count
				open = append(open, b.Count)
			}
		}
		if beside {
			for _, result := range step.Results {
				made[result] = b.Of[i]
			}
		}
	}
	for len(open) > 0 {
		join(n, open[0])
	}
	p.Branches = b
}

// beside tells whether a step runs beside whatever doesn't need its result.
func (p *Program) beside(step Step) bool { return p.device.Supports(step).Beside == Whatever }

// hasten moves steps that run beside others to where what they read has just been made, so
// that they have the longest time until their results are needed; and to the end what reads
// those and makes nothing that another step reads, such as the sum of losses, which would
// wait for all of them.
func (p *Program) hasten() {
	made, read := map[*Buffer]bool{}, map[*Buffer]bool{} // by steps
	late := map[*Buffer]bool{}                           // by steps beside others
	var early []Step
	for _, step := range p.Steps {
		for _, b := range step.Reads() {
			read[b] = true
		}
		for _, b := range step.Results {
			made[b], late[b] = true, p.beside(step)
		}
		if p.beside(step) {
			early = append(early, step)
		}
	}
	if len(early) == 0 {
		return
	}
	var ordered, last []Step
	emit := func(step Step) {
		ordered = append(ordered, step)
		for _, b := range step.Results {
			delete(made, b)
		}
	}
	ready := func(step Step) bool {
		return !slices.ContainsFunc(step.Reads(), func(b *Buffer) bool { return made[b] })
	}
	emitEarly := func() {
		for i := slices.IndexFunc(early, ready); i >= 0; i = slices.IndexFunc(early, ready) {
			step := early[i]
			early = slices.Delete(early, i, i+1)
			emit(step)
		}
	}
	emitEarly()
	for _, step := range p.Steps {
		switch {
		case p.beside(step):
			continue
		case slices.ContainsFunc(step.Reads(), func(b *Buffer) bool { return late[b] }) &&
			!slices.ContainsFunc(step.Results, func(b *Buffer) bool { return read[b] }):
			last = append(last, step)
			continue
		}
		emit(step)
		emitEarly()
	}
	p.Steps = append(ordered, last...)
}
