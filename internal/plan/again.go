package plan

import (
	"slices"

	"impasto/internal/ops"
)

// convolveAgain has the convolution of the picture made a second time for what reads its
// result at the end of the way back, where the device takes that for cheap, so that the
// largest map of all doesn't stand in between. What else reads it, such as a summary,
// does so at once. Where a rectangle of the map is read so, that is cropped again, too.
func (p *Program) convolveAgain() {
	at := slices.IndexFunc(p.Steps, Step.convolvesPicture)
	if at < 0 || p.Steps[at].Results[0].Kept() || !p.device.Supports(p.Steps[at]).Again {
		return
	}
	y := p.Steps[at].Results[0]
	var crops []*Buffer
	for _, reader := range p.readersIn(y) {
		if selection, ok := p.Steps[reader].Op.(*ops.Selection); ok && !selection.Of.Crop.Empty() {
			crops = append(crops, p.Steps[reader].Results[0])
		}
	}
	for _, crop := range crops {
		p.makeAgain(p.uses().made[crop])
	}
	p.makeAgain(p.uses().made[y])
}

// convolvesPicture tells a convolution of few channels that are an input.
func (s Step) convolvesPicture() bool {
	_, ok := s.Op.(*ops.Convolution)
	return ok && s.Inputs[0].Input && s.Inputs[0].Shape[0] < 16
}

// makeAgain has a step made a second time for those readers of its result that come after
// other readers and a convolution.
func (p *Program) makeAgain(at int) {
	y := p.Steps[at].Results[0]
	readers := p.readersIn(y)
	late := p.lateReaders(readers)
	if late == 0 || y.Kept() {
		return
	}
	again := p.Steps[at]
	result := *y
	again.Results = []*Buffer{&result}
	u := p.uses()
	moved := map[int]bool{} // to right after the convolution
	for _, i := range readers[:late] {
		moved[i] = p.ready(u, p.Steps[i], at) && resultBytes(p.Steps[i]) < y.Bytes() && !p.Steps[i].convolves()
	}
	var steps []Step
	for i, step := range p.Steps {
		if i == readers[late] {
			steps = append(steps, again)
		}
		if slices.Contains(readers[late:], i) {
			step = step.reading(map[*Buffer]*Buffer{y: &result})
		}
		if !moved[i] {
			steps = append(steps, step)
		}
		if i == at {
			for _, reader := range readers[:late] {
				if moved[reader] {
					steps = append(steps, p.Steps[reader])
				}
			}
		}
	}
	p.Steps = steps
}

// readersIn are the steps that read a buffer.
func (p *Program) readersIn(b *Buffer) (readers []int) {
	for i, step := range p.Steps {
		if slices.Contains(step.Reads(), b) {
			readers = append(readers, i)
		}
	}
	return readers
}

// lateReaders is how many of a map's readers come before the last convolution that lies
// between two of them; 0 where none does.
func (p *Program) lateReaders(readers []int) int {
	for k := len(readers) - 1; k > 0; k-- {
		if p.convolvesBetween(readers[k-1], readers[k]) {
			return k
		}
	}
	return 0
}

// ready tells whether a step could run right after another.
func (p *Program) ready(u uses, step Step, after int) bool {
	return !slices.ContainsFunc(step.Reads(), func(b *Buffer) bool { return !u.before(b, after+1) })
}

func resultBytes(step Step) (bytes int) {
	for _, b := range step.Results {
		bytes += b.Bytes()
	}
	return bytes
}

// convolves tells a convolution or its gradient.
func (s Step) convolves() bool {
	switch s.Op.(type) {
	case *ops.Convolution, *ops.ConvolutionGradient, *ops.PooledConvolution, *ops.PooledConvolutionGradient:
		return true
	}
	return false
}
