package plan

import (
	"maps"

	"gorgonia.org/tensor"

	"impasto/internal/ops"
)

// narrow keeps float32 results in 16 bits where the device can make them so and they
// don't stand after a run. Steps that can't read them get a copy in float32.
func (p *Program) narrow() {
	for _, step := range p.Steps {
		// Whatever it reads can be had in float32, but for what it adds to in place.
		wide := widened(step)
		delete(wide, step.AddTo)
		for _, b := range step.Results {
			if b.Dtype == tensor.Float32 && b.Keeps == Whole && !b.Kept() {
				b.Float16 = true
				b.Float16 = p.can(step.reading(wide))
			}
		}
	}
	var steps []Step
	for _, step := range p.Steps {
		step, copies := p.widen(step)
		steps = append(append(steps, copies...), step)
	}
	p.Steps = steps
}

// widen returns a step that reads float32 instead of what the device can't read in 16
// bits for it, and the steps that copy these.
func (p *Program) widen(step Step) (reader Step, copies []Step) {
	wide := widened(step)
	if step.AddTo != nil && step.AddTo.Float16 == step.Results[0].Float16 {
		delete(wide, step.AddTo) // as it has to be
	}
	unreadable := map[*Buffer]*Buffer{}
	for _, b := range step.Reads() {
		if wide[b] == nil || unreadable[b] != nil {
			continue
		}
		others := maps.Clone(wide)
		delete(others, b)
		if !p.can(step.reading(others)) {
			unreadable[b] = wide[b]
			copies = append(copies, Step{Op: ops.Widening{}, Inputs: []*Buffer{b}, Results: []*Buffer{wide[b]}})
		}
	}
	return step.reading(unreadable), copies
}

// widened are float32 buffers for all that a step reads in 16 bits.
func widened(step Step) map[*Buffer]*Buffer {
	wide := map[*Buffer]*Buffer{}
	for _, b := range step.Reads() {
		if b.Float16 && wide[b] == nil {
			c := *b
			c.Float16 = false
			wide[b] = &c
		}
	}
	return wide
}

// reading is a step that reads other buffers in the place of some.
func (s Step) reading(others map[*Buffer]*Buffer) Step {
	replace := func(b *Buffer) *Buffer {
		if other, ok := others[b]; ok {
			return other
		}
		return b
	}
	inputs := make([]*Buffer, len(s.Inputs))
	for i, b := range s.Inputs {
		inputs[i] = replace(b)
	}
	s.Inputs, s.AddTo, s.Mask, s.InputMask = inputs, replace(s.AddTo), replace(s.Mask), replace(s.InputMask)
	return s
}
