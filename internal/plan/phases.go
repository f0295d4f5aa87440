package plan

import (
	"context"
	"maps"
	"slices"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
)

// Carry is how much the second phase of a run takes over from the first.
type Carry int

const (
	// CarryAll is all that it reads.
	CarryAll Carry = iota
	// CarryMarks leaves out feature maps that can be made again from the inputs. The signs
	// and choices of maps, which take a fraction of them, spare the convolutions that
	// nothing but these is wanted of.
	CarryMarks
)

// Carries are all ways to carry over.
var Carries = []Carry{CarryAll, CarryMarks}

// Cut is a program cut in two pieces.
type Cut struct {
	// Step is the first step of the second piece.
	Step int
	// Carried is what the second piece takes over from the first.
	Carried []*Buffer
	// Again are the steps of the first piece that are made again before the second, in
	// their order. What is carried over is in its place only after them.
	Again []int
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
func (p *Program) Cut(first []*gorgonia.Node, carry Carry) (c Cut, err error) {
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
	again := map[int]bool{}
	for _, s := range p.Steps[c.Step:] {
		for _, b := range s.Reads() {
			at, ok := made[b]
			if !ok || at >= c.Step || seen[b] {
				continue
			}
			seen[b] = true
			if carry == CarryMarks && p.makesAgain(made, b) {
				p.addSteps(made, b, again)
			} else {
				c.Carried = append(c.Carried, b)
			}
		}
	}
	c.Carried = slices.DeleteFunc(c.Carried, func(b *Buffer) bool { return again[made[b]] })
	c.Again = slices.Sorted(maps.Keys(again))
	return c, nil
}

// makesAgain tells whether a buffer is a feature map, or a part of one, that the network
// alone makes of inputs.
func (p *Program) makesAgain(made map[*Buffer]int, b *Buffer) bool {
	at, ok := made[b]
	if !ok {
		return b.Kept()
	}
	if b.Keeps != Whole {
		return false
	}
	switch p.Steps[at].Op.(type) {
	case *ops.Convolution, *ops.PooledConvolution, *ops.Pool, *ops.Selection:
		return !slices.ContainsFunc(p.Steps[at].Reads(), func(read *Buffer) bool { return !p.makesAgain(made, read) })
	}
	return false
}

// addSteps adds the steps that make a buffer.
func (p *Program) addSteps(made map[*Buffer]int, b *Buffer, to map[int]bool) {
	at, ok := made[b]
	if !ok || to[at] {
		return
	}
	to[at] = true
	for _, read := range p.Steps[at].Reads() {
		p.addSteps(made, read, to)
	}
}

// Phased is a machine that can run in two phases, between which it may run with other
// inputs: what the second phase needs of the first is saved and loaded, or made again.
type Phased interface {
	Machine
	// Phases prepares that: the first phase makes some of the outputs.
	Phases(first []*gorgonia.Node, carry Carry) (Phases, error)
}

// Phases are two pieces of a run.
type Phases interface {
	First(ctx context.Context) error
	// Rest needs what First made, as saved in from, and all inputs that it Reads.
	Rest(ctx context.Context, from []byte) error
	Reads(input *gorgonia.Node) bool
	// Bytes is how much Save writes and Rest reads.
	Bytes() int
	Save(to []byte)
}

// Carrying is what phases of a machine would take.
type Carrying struct {
	Bytes int    // to save
	Again []Step // that are made twice
}

// Carrying tells what a cut takes.
func (p *Program) Carrying(c Cut) Carrying {
	w := Carrying{Bytes: c.Bytes()}
	for _, at := range c.Again {
		w.Again = append(w.Again, p.Steps[at])
	}
	return w
}
