package plan

import (
	"context"

	"gorgonia.org/gorgonia"
)

// Split cuts a program in two: the steps that the first of its outputs need, which end
// before the step returned, and the rest. carried is what the rest reads of what the first
// steps made. Outputs that were scheduled first are made first, and so are a good place to
// cut.
func (p *Program) Split(first []*gorgonia.Node) (step int, carried []*Buffer, err error) {
	made := p.uses().made
	for _, node := range first {
		b, err := p.Buffer(node)
		if err != nil {
			return 0, nil, err
		}
		if at, ok := made[b]; ok {
			step = max(step, at+1)
		}
	}
	seen := map[*Buffer]bool{}
	for _, s := range p.Steps[step:] {
		for _, b := range s.Reads() {
			if at, ok := made[b]; ok && at < step && !seen[b] {
				seen[b] = true
				carried = append(carried, b)
			}
		}
	}
	return step, carried, nil
}

// Phased is a machine that can run in two phases, between which it may run with other
// inputs: what the second phase needs of the first is saved and loaded.
type Phased interface {
	Machine
	// Phases prepares that: the first phase makes some of the outputs.
	Phases(first []*gorgonia.Node) (Phases, error)
}

// Phases are two pieces of a run.
type Phases interface {
	First(ctx context.Context) error
	// Rest needs what First made, by itself or by Load, and all inputs that it Reads.
	Rest(ctx context.Context) error
	Reads(input *gorgonia.Node) bool
	// Bytes is how much Save writes and Load reads.
	Bytes() int
	Save(to []byte)
	Load(from []byte)
}
