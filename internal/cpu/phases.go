package cpu

import (
	"context"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// phases runs a machine in two phases.
type phases struct {
	machine *machine
	cut     plan.Cut
	first   []runner // steps of the first phase
	rest    []runner
}

// Phases implements plan.Phased.
func (m *machine) Phases(first []*gorgonia.Node) (plan.Phases, error) {
	cut, err := m.program.Cut(first)
	if err != nil {
		return nil, fmt.Errorf("cpu: %w", err)
	}
	return &phases{machine: m, cut: cut, first: m.steps[:cut.Step], rest: m.steps[cut.Step:]}, nil
}

// First implements plan.Phases.
func (p *phases) First(ctx context.Context) error {
	return p.machine.run(ctx, p.first)
}

// Rest implements plan.Phases.
func (p *phases) Rest(ctx context.Context) error {
	if err := p.machine.run(ctx, p.rest); err != nil {
		return err
	}
	return p.machine.checkRange()
}

// Reads implements plan.Phases.
func (p *phases) Reads(input *gorgonia.Node) bool {
	b, err := p.machine.program.Buffer(input)
	return err == nil && slices.ContainsFunc(p.rest, func(r runner) bool { return slices.Contains(r.step.Reads(), b) })
}

// Bytes implements plan.Phases.
func (p *phases) Bytes() int { return p.cut.Bytes() }

// Save implements plan.Phases.
func (p *phases) Save(to []byte) {
	p.each(func(memory []byte) {
		copy(to, memory)
		to = to[len(memory):]
	})
}

// Load implements plan.Phases.
func (p *phases) Load(from []byte) {
	p.each(func(memory []byte) {
		copy(memory, from)
		from = from[len(memory):]
	})
}

// each calls do with the memory of what is carried over.
func (p *phases) each(do func(memory []byte)) {
	for _, b := range p.cut.Carried {
		do(p.machine.arena[b.Offset : b.Offset+b.Bytes()])
	}
}

// Carries is how many bytes the phases of a schedule's machine would save and load.
func (d *Device) Carries(s *plan.Schedule, first []*gorgonia.Node) (bytes int64, err error) {
	defer ops.Catch(&err, "cpu: plan")
	p, err := s.For(d)
	if err != nil {
		return 0, fmt.Errorf("cpu: %w", err)
	}
	cut, err := p.Cut(first)
	return int64(cut.Bytes()), err
}
