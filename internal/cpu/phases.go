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
	again   []runner // those of them that are made again
	rest    []runner
}

// Phases implements plan.Phased.
func (m *machine) Phases(first []*gorgonia.Node, carry plan.Carry) (plan.Phases, error) {
	cut, err := m.program.Cut(first, carry)
	if err != nil {
		return nil, fmt.Errorf("cpu: %w", err)
	}
	p := &phases{machine: m, cut: cut, first: m.steps[:cut.Step], rest: m.steps[cut.Step:]}
	for _, at := range cut.Again {
		p.again = append(p.again, m.steps[at])
	}
	return p, nil
}

// First implements plan.Phases.
func (p *phases) First(ctx context.Context) error {
	return p.machine.run(ctx, p.first)
}

// Rest implements plan.Phases. Steps that are made again find their places in the arena as
// they did the first time. All that they and the first phase leave stands at the same time,
// so that what is loaded after them overwrites nothing of theirs.
func (p *phases) Rest(ctx context.Context, from []byte) error {
	if err := p.machine.run(ctx, p.again); err != nil {
		return err
	}
	for _, memory := range p.carried() {
		copy(memory, from)
		from = from[len(memory):]
	}
	if err := p.machine.run(ctx, p.rest); err != nil {
		return err
	}
	return p.machine.checkRange()
}

// Reads implements plan.Phases.
func (p *phases) Reads(input *gorgonia.Node) bool {
	b, err := p.machine.program.Buffer(input)
	if err != nil {
		return false
	}
	reads := func(r runner) bool { return slices.Contains(r.step.Reads(), b) }
	return slices.ContainsFunc(p.again, reads) || slices.ContainsFunc(p.rest, reads)
}

// Bytes implements plan.Phases.
func (p *phases) Bytes() int { return p.cut.Bytes() }

// Save implements plan.Phases.
func (p *phases) Save(to []byte) {
	for _, memory := range p.carried() {
		copy(to, memory)
		to = to[len(memory):]
	}
}

// carried is the memory of what is carried over.
func (p *phases) carried() (memory [][]byte) {
	for _, b := range p.cut.Carried {
		memory = append(memory, p.machine.arena[b.Offset:b.Offset+b.Bytes()])
	}
	return memory
}

// Carrying tells what the phases of a schedule's machine would take.
func (d *Device) Carrying(s *plan.Schedule, first []*gorgonia.Node, carry plan.Carry) (c plan.Carrying, err error) {
	defer ops.Catch(&err, "cpu: plan")
	p, err := s.For(d)
	if err != nil {
		return c, fmt.Errorf("cpu: %w", err)
	}
	cut, err := p.Cut(first, carry)
	return p.Carrying(cut), err
}
