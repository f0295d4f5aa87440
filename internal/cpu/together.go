package cpu

import (
	"errors"
	"slices"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// together are comparisons that run at a time, each on threads of its own: the
// matrices of one are too small to keep many threads at work. The results but for
// the first's are its step's scratch memory.
type together struct {
	*ops.Comparison
	steps []plan.Step
}

// compareTogether returns the steps with comparisons of normal distributions, which
// take as long as many convolutions, put together where the last of them was. What
// follows from an earlier one comes after them.
func compareTogether(steps []plan.Step) []plan.Step {
	var group together
	for _, step := range steps {
		if isGaussian(step) {
			group.steps = append(group.steps, step)
		}
	}
	if len(group.steps) < 2 {
		return steps
	}
	group.Comparison = group.steps[0].Op.(*ops.Comparison)
	whole := plan.Step{Op: group, Result: group.steps[0].Result}
	for i, step := range group.steps {
		whole.Inputs = append(whole.Inputs, step.Inputs...)
		if i > 0 {
			whole.Scratch = append(whole.Scratch, step.Result)
		}
	}
	var ordered, after []plan.Step
	waits := map[*plan.Buffer]bool{} // for the group
	left := len(group.steps)
	for _, step := range steps {
		switch {
		case isGaussian(step):
			waits[step.Result] = true
			if left--; left == 0 {
				ordered = append(append(ordered, whole), after...)
			}
		case left > 0 && slices.ContainsFunc(step.Inputs, func(b *plan.Buffer) bool { return waits[b] }):
			waits[step.Result] = true
			after = append(after, step)
		default:
			ordered = append(ordered, step)
		}
	}
	return ordered
}

func isGaussian(step plan.Step) bool {
	_, ok := gaussianOf(step)
	return ok
}

// gaussianOf returns the loss of a step that compares normal distributions by an
// iteration.
func gaussianOf(step plan.Step) (loss pure.Gaussian, ok bool) {
	if c, comparison := step.Op.(*ops.Comparison); comparison {
		loss, ok = c.Loss.(pure.Gaussian)
	}
	return loss, ok && loss.Ridge != 0
}

// bindTogether binds all of the comparisons. The widest share the device's threads,
// the others have one each.
func (m *machine) bindTogether(t together) func() error {
	most, widest := 0, 0
	for _, step := range t.steps {
		loss, _ := gaussianOf(step)
		switch {
		case loss.Channels > most:
			most, widest = loss.Channels, 1
		case loss.Channels == most:
			widest++
		}
	}
	seats := map[int]int{}
	runs, errs := make([]func() error, len(t.steps)), make([]error, len(t.steps))
	for i, step := range t.steps {
		loss, _ := gaussianOf(step)
		key := spaceKey{channels: loss.Channels, seat: seats[loss.Channels], threads: 1}
		seats[loss.Channels]++
		if loss.Channels == most {
			key.threads = max(1, m.device.workers.Threads()/widest)
		}
		runs[i] = m.device.gaussian(loss, key).bind(m.values[step.Result].double, m.values[step.Inputs[0]].double, m.values[step.Inputs[1]].double)
	}
	return func() error {
		m.device.workers.Run(len(runs), func(i int) { errs[i] = runs[i]() })
		return errors.Join(errs...)
	}
}
