package plan

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
)

// Descriptor tells what a device can do, step by step. All passes ask it.
type Descriptor interface {
	// Supports tells how the device would compute a step: with all that the step
	// says of sums, masks and the formats of its buffers, or not at all.
	Supports(Step) Support
	// Bytes is what a buffer takes as the device keeps it; 0 for one that is to have
	// no place in the arena.
	Bytes(*Buffer) int
	// Alignment is that of buffers in the arena, in bytes, a power of two.
	Alignment() int
}

// Support is how a device computes a step. The zero value says that it can't.
type Support struct {
	How How
	// Why says, of what the device can't compute, why, and what to do.
	Why string
	// InPlace says of a step with AddTo that its result must take the memory of that.
	InPlace bool
	// Again says of a step that it is cheap enough to be made again.
	Again bool
	// Beside says what runs at the same time as the step.
	Beside Beside
	// Scratch is the memory that the step needs while it runs: so many bytes each.
	Scratch []int
}

// How is the way in which a device computes a step.
type How int

const (
	Unsupported  How = iota
	ByKernel         // by a kernel of its own
	ByDefinition     // by the definition in package pure
)

// Beside is what may run at the same time as a step.
type Beside int

const (
	Nothing Beside = iota
	// ItsLike are other steps that say so: they become one step, a Group.
	ItsLike
	// Whatever doesn't need its result goes on while the step runs, on a branch; see
	// Branches.
	Whatever
)

// Program is a schedule as one device runs it. Its buffers are its own.
type Program struct {
	Steps   []Step
	Inputs  []*Buffer
	Outputs []*Buffer
	// Bytes is what the arena takes.
	Bytes int
	// Branches are which steps run beside others.
	Branches Branches

	device  Descriptor
	buffers map[*gorgonia.Node]*Buffer
}

// For makes the program of a schedule for a device. The passes are in the order in
// which one makes room for the next: losses give their gradients before these are
// added up, sums before they are masked, masks before poolings take them over or signs
// take their place, and formats when steps are what they will be. It fails, naming the
// operation, where the device can't compute one.
func (s *Schedule) For(device Descriptor) (*Program, error) {
	p := s.program(device)
	for _, pass := range []func(*Program){
		(*Program).hoistConstants,
		(*Program).joinGradients,
		(*Program).fuseAdditions,
		(*Program).fuseMasks,
		(*Program).fusePools,
		(*Program).keepSigns,
		(*Program).convolveAgain,
		(*Program).group,
		(*Program).narrow,
	} {
		pass(p)
	}
	if err := p.settle(); err != nil {
		return nil, err
	}
	p.hasten()
	p.branch()
	p.arrange()
	return p, nil
}

// program copies a schedule.
func (s *Schedule) program(device Descriptor) *Program {
	p := &Program{device: device, buffers: map[*gorgonia.Node]*Buffer{}}
	copies := map[*Buffer]*Buffer{}
	copied := func(buffers []*Buffer) []*Buffer {
		own := make([]*Buffer, len(buffers))
		for i, b := range buffers {
			if copies[b] == nil {
				c := *b
				copies[b] = &c
			}
			own[i] = copies[b]
		}
		return own
	}
	p.Inputs = copied(s.Inputs)
	for _, step := range s.Steps {
		step.Inputs, step.Results = copied(step.Inputs), copied(step.Results)
		p.Steps = append(p.Steps, step)
	}
	p.Outputs = copied(s.Outputs)
	for node, b := range s.buffers {
		if own, used := copies[b]; used {
			p.buffers[node] = own
		}
	}
	return p
}

// Buffer is the place of a node, or an error for one that isn't in the program.
func (p *Program) Buffer(node *gorgonia.Node) (*Buffer, error) {
	if b, ok := p.buffers[node]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("plan: %v is not part of the schedule", node)
}

// settle records how steps are computed, gives them their scratch memory, or says which
// can't be computed.
func (p *Program) settle() error {
	for i := range p.Steps {
		step := &p.Steps[i]
		support := p.device.Supports(*step)
		if support.How == Unsupported {
			return fmt.Errorf("plan: %v: %s", step.Op, support.Why)
		}
		step.How = support.How
		if group, ok := step.Op.(*Group); ok {
			for k := range group.Members {
				member := &group.Members[k]
				member.Scratch = scratch(p.device.Supports(*member))
				step.Scratch = append(step.Scratch, member.Scratch...)
			}
			continue
		}
		step.Scratch = scratch(support)
	}
	return nil
}

// scratch is the memory that a support asks for.
func scratch(of Support) []*Buffer {
	var buffers []*Buffer
	for _, bytes := range of.Scratch {
		buffers = append(buffers, &Buffer{Dtype: tensor.Float64, Shape: tensor.Shape{(bytes + 7) / 8}})
	}
	return buffers
}

// can tells whether the device computes a step.
func (p *Program) can(step Step) bool { return p.device.Supports(step).How != Unsupported }

// uses is what the program does with its buffers.
type uses struct {
	made  map[*Buffer]int // the step that makes a buffer
	reads map[*Buffer]int // how often it is read
}

func (p *Program) uses() uses {
	u := uses{made: map[*Buffer]int{}, reads: map[*Buffer]int{}}
	for i, step := range p.Steps {
		for _, b := range step.Results {
			u.made[b] = i
		}
		for _, b := range step.Reads() {
			u.reads[b]++
		}
	}
	return u
}

// only tells whether a buffer is read once and doesn't stand after a run.
func (u uses) only(b *Buffer) bool { return u.reads[b] == 1 && !b.Kept() }

// before tells whether a buffer is there before a step runs.
func (u uses) before(b *Buffer, step int) bool {
	at, made := u.made[b]
	return !made || at < step
}

// drop leaves out steps, by their numbers.
func (p *Program) drop(dead map[int]bool) {
	var left []Step
	for i, step := range p.Steps {
		if !dead[i] {
			left = append(left, step)
		}
	}
	p.Steps = left
}

// hoistConstants moves what depends on constants alone, such as the weight that a
// gradient starts from, before all else.
func (p *Program) hoistConstants() {
	made := map[*Buffer]bool{}
	constant := func(b *Buffer) bool { return b.Constant != nil || made[b] }
	var first, rest []Step
	for _, step := range p.Steps {
		if len(step.Reads()) > 0 && !slices.ContainsFunc(step.Reads(), func(b *Buffer) bool { return !constant(b) }) {
			made[step.Results[0]] = true
			first = append(first, step)
		} else {
			rest = append(rest, step)
		}
	}
	p.Steps = append(first, rest...)
}

// joinGradients computes a loss and its gradient at once, where the device can: the
// gradient is there, then, from when the loss is.
func (p *Program) joinGradients() {
	u, dead := p.uses(), map[int]bool{}
	losses := map[ops.Loss][]int{} // the steps that compute one
	for i, step := range p.Steps {
		if loss, ok := step.Op.(ops.Loss); ok {
			losses[loss] = append(losses[loss], i)
		}
	}
	for i, step := range p.Steps {
		gradient, ok := step.Op.(*ops.LossGradient)
		if !ok {
			continue
		}
		last := len(step.Inputs) - 1
		for _, at := range losses[gradient.Of] {
			joined := Step{
				Op: &ops.ValueAndGradient{Of: gradient.Of}, Inputs: step.Inputs,
				Results: []*Buffer{p.Steps[at].Results[0], step.Results[0]},
			}
			if slices.Equal(p.Steps[at].Inputs, step.Inputs[:last]) && u.before(step.Inputs[last], at) && p.can(joined) {
				p.Steps[at], dead[i] = joined, true
				break
			}
		}
	}
	p.drop(dead)
}

// fuseAdditions has sums made by the step that makes the later of their terms.
func (p *Program) fuseAdditions() {
	u, dead := p.uses(), map[int]bool{}
	masks := map[*Buffer]*Buffer{} // by which sums will be masked
	for _, step := range p.Steps {
		if _, ok := step.Op.(*ops.RectificationGradient); ok {
			masks[step.Inputs[0]] = step.Inputs[1]
		}
	}
	for i, sum := range p.Steps {
		if !sum.IsAddition() {
			continue
		}
		early, late := sum.Inputs[0], sum.Inputs[1]
		if atEarly, made := u.made[early]; made && atEarly > u.made[late] {
			early, late = late, early
		}
		at, made := u.made[late]
		if !made || early == late || !u.only(late) || p.Steps[at].Results[0] != late || p.Steps[at].AddTo != nil {
			continue
		}
		fused := p.Steps[at]
		fused.Results = append([]*Buffer{sum.Results[0]}, fused.Results[1:]...)
		fused.AddTo = early
		support := p.device.Supports(fused)
		fused.InPlace = support.InPlace
		if support.How == Unsupported || fused.InPlace && (!u.only(early) || early.Bytes() != sum.Results[0].Bytes()) {
			continue
		}
		if mask := masks[sum.Results[0]]; mask != nil {
			masked, maskedSum := fused, sum
			masked.Mask, maskedSum.Mask = mask, mask
			if !p.can(masked) && p.can(maskedSum) {
				continue // a sum that is masked as it is made spares more
			}
		}
		p.Steps[at], dead[i] = fused, true
		u.made[sum.Results[0]] = at
	}
	p.drop(dead)
}

// fuseMasks has cotangents masked, as ReLU asks, by the step that makes them or else by
// the one that reads them.
func (p *Program) fuseMasks() {
	u, dead := p.uses(), map[int]bool{}
	readers := map[*Buffer]int{} // the last step that reads a buffer first
	for i, step := range p.Steps {
		if len(step.Inputs) > 0 {
			readers[step.Inputs[0]] = i
		}
	}
	for i, step := range p.Steps {
		if _, ok := step.Op.(*ops.RectificationGradient); !ok {
			continue
		}
		dy, y, dx := step.Inputs[0], step.Inputs[1], step.Results[0]
		if at, made := u.made[dy]; made && u.only(dy) && u.before(y, at) && p.Steps[at].Results[0] == dy && p.Steps[at].Mask == nil {
			maker := p.Steps[at]
			maker.Results = append([]*Buffer{dx}, maker.Results[1:]...)
			maker.Mask = y
			if p.can(maker) {
				p.Steps[at], dead[i] = maker, true
				u.made[dx] = at
				continue
			}
		}
		if at, read := readers[dx]; read && u.only(dx) {
			reader := p.Steps[at]
			reader.Inputs = append([]*Buffer{dy}, reader.Inputs[1:]...)
			reader.InputMask = y
			if p.can(reader) {
				p.Steps[at], dead[i] = reader, true
			}
		}
	}
	p.drop(dead)
}
