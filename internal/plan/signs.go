package plan

import (
	"slices"

	"impasto/internal/ops"
)

// keepSigns has convolutions keep the signs of their results for the gradients that are
// masked by these, where the device can. So the results themselves stand only as long as
// something reads their values, and not from there through the backward pass.
func (p *Program) keepSigns() {
	for i, step := range p.Steps {
		convolution, ok := step.Op.(*ops.Convolution)
		if !ok || !convolution.Rectify || step.Results[0].Kept() {
			continue
		}
		y := step.Results[0]
		last, masked := p.readersOf(y, i)
		if len(masked) == 0 || !p.convolvesBetween(last, masked[0]) {
			continue
		}
		signs := &Buffer{Node: y.Node, Dtype: y.Dtype, Shape: y.Shape, Keeps: Signs}
		step.Results = append(slices.Clone(step.Results), signs)
		able := p.can(step)
		for _, at := range masked {
			able = able && p.can(p.Steps[at].maskedBy(signs))
		}
		if !able {
			continue
		}
		p.Steps[i] = step
		for _, at := range masked {
			p.Steps[at] = p.Steps[at].maskedBy(signs)
		}
	}
}

// readersOf finds the last step from i on that makes a map or reads its values, and the
// steps that only mask their input by it.
func (p *Program) readersOf(y *Buffer, i int) (last int, masked []int) {
	last = i
	for at, step := range p.Steps {
		if !slices.Contains(step.Reads(), y) {
			continue
		}
		if slices.Contains(step.maskedBy(nil).Reads(), y) {
			last = at
		} else {
			masked = append(masked, at)
		}
	}
	return last, masked
}

// convolvesBetween tells whether a convolution or its gradient comes between two steps.
// Where none does, as between a loss on a map and the gradient that follows, next to
// nothing else wants the memory of the map in the meantime.
func (p *Program) convolvesBetween(first, end int) bool {
	if end < first {
		return false
	}
	return slices.ContainsFunc(p.Steps[first+1:end], Step.convolves)
}

// maskedBy is the step with another mask of its first input.
func (s Step) maskedBy(mask *Buffer) Step {
	s.InputMask = mask
	return s
}

// hasSigns tells whether the step makes signs or is masked by them.
func (s Step) hasSigns() bool {
	return s.InputMask != nil && s.InputMask.Keeps == Signs ||
		slices.ContainsFunc(s.Results, func(b *Buffer) bool { return b.Keeps == Signs })
}
