package plan

import (
	"context"

	"gorgonia.org/gorgonia"
)

// Cut is a program cut in two pieces.
type Cut struct {
	// Step is the first step of the second piece.
	Step int
	// Carried is what the second piece reads of what the first made.
	Carried []*Buffer
}

// Bytes is what is carried over takes.
func (c Cut) Bytes() (bytes int) {
	for _, b := range c.Carried {
		bytes += b.Bytes()
	}
	return bytes
}

// Cut cuts a program after the steps that the first of its outputs need. Outputs that were
// scheduled first are made first, and so are a good place to cut.
func (p *Program) Cut(first []*gorgonia.Node) (c Cut, err error) {
	made := p.uses().made
	for _, node := range first {
		b, err := p.Buffer(node)
		if err != nil {
			return c, err
		}
		if at, ok := made[b]; ok {
			c.Step = max(c.Step, at+1)
		}
	}
	seen := map[*Buffer]bool{}
	for _, s := range p.Steps[c.Step:] {
		for _, b := range s.Reads() {
			at, ok := made[b]
			if !ok || at >= c.Step || seen[b] {
				continue
			}
			seen[b] = true
			c.Carried = append(c.Carried, b)
		}
	}
	return c, nil
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
