package plan

import "slices"

// Branches are which steps of a program run beside others. A step that says it runs
// beside whatever doesn't need its result has a branch of its own; the others are the
// trunk.
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
		for _, input := range step.Reads() {
			if on := made[input]; slices.Contains(open, on) {
				join(i, on)
			}
		}
		if p.device.Supports(step).Beside == Whatever {
			b.Count++
			b.Of[i] = b.Count
			for _, result := range step.Results {
				made[result] = b.Count
			}
			open = append(open, b.Count)
		}
	}
	for len(open) > 0 {
		join(n, open[0])
	}
	p.Branches = b
}
