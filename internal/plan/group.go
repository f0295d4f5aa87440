package plan

import "slices"

// Group is steps that run at the same time. Its step's inputs and results are theirs,
// one after the other.
type Group struct{ Members []Step }

func (g *Group) String() string { return "a group of " + g.Members[0].Op.String() }

// group puts the steps that run beside their like together, where the last of them
// was. What follows from an earlier one comes after them.
func (p *Program) group() {
	grouped := func(step Step) bool { return p.device.Supports(step).Beside == ItsLike }
	group := &Group{}
	for _, step := range p.Steps {
		if grouped(step) {
			group.Members = append(group.Members, step)
		}
	}
	if len(group.Members) < 2 {
		return
	}
	whole := Step{Op: group}
	for _, step := range group.Members {
		whole.Inputs = append(whole.Inputs, step.Reads()...)
		whole.Results = append(whole.Results, step.Results...)
	}
	var ordered, after []Step
	waits := map[*Buffer]bool{} // for the group
	left := len(group.Members)
	wait := func(step Step) {
		for _, b := range step.Results {
			waits[b] = true
		}
	}
	for _, step := range p.Steps {
		switch {
		case grouped(step):
			wait(step)
			if left--; left == 0 {
				ordered = append(append(ordered, whole), after...)
			}
		case left > 0 && slices.ContainsFunc(step.Reads(), func(b *Buffer) bool { return waits[b] }):
			wait(step)
			after = append(after, step)
		default:
			ordered = append(ordered, step)
		}
	}
	p.Steps = ordered
}
