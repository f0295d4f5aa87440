package plan

import (
	"context"
	"slices"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
)

// Cut is a program cut in two pieces.
type Cut struct {
	// Step is the first step of the second piece.
	Step int
	// Carried is what the second piece reads of what the first made.
	Carried []*Buffer
	// Again are steps of the first piece whose results the second reads, too, and that are
	// better run again than carried over: the convolution of the picture, which takes next
	// to no time and makes the largest map of all.
	Again []int
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
			if p.Steps[at].convolvesPicture() {
				c.Again = append(c.Again, at)
			} else {
				c.Carried = append(c.Carried, b)
			}
		}
	}
	slices.Sort(c.Again)
	c.Again = slices.Compact(c.Again)
	return c, nil
}

// convolvesPicture tells a convolution of few channels that are an input.
func (s Step) convolvesPicture() bool {
	_, ok := s.Op.(*ops.Convolution)
	return ok && s.Inputs[0].Input && s.Inputs[0].Shape[0] < 16
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
