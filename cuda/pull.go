//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"slices"

	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
)

// momentsPull is what a product multiplies a map by that pulls a cotangent of its second moments
// and means back to it.
type momentsPull struct {
	precision           kernels.Precision // that the matrix is made for
	matrix              elements
	factor, bias        pointer[float32] // bias is none where the means' cotangent is zero
	channels, positions int
	// asFilters says that the matrix has its rows in the order of filters, for a convolution that
	// pulls back along with its own result.
	asFilters bool
}

// pullPrecision is how such a product is made of so many channels.
func (d *Device) pullPrecision(channels int) kernels.Precision {
	return d.productPrecision(product{in: channels, out: channels})
}

// launches make it from a cotangent.
func (p momentsPull) launches(b *binder, cotangent pointer[float64]) []launch {
	const most = 256 // blocks that cotangent_greatest may have
	n := p.channels * p.channels
	greatest, count := workspace[float64](b, most), min(blocks(n, vectorThreads), most)
	return []launch{
		kernels.CotangentGreatest(grid(count, 1, 1), greatest, cotangent.Plus(p.channels), p.channels),
		p.precision.MomentsCotangent(over(n), p.matrix, p.factor, p.bias, cotangent, greatest, count, p.channels, p.positions, flag(p.asFilters)),
	}
}

// onlyPull is the number of the step that alone reads a buffer, if that is one that pulls a
// cotangent of second moments back.
func (b *binder) onlyPull(cotangent *plan.Buffer) (pull int, there bool) {
	if cotangent == nil || cotangent.Kept() {
		return 0, false
	}
	for number, step := range b.machine.program.Steps {
		for _, read := range step.Reads() {
			if read != cotangent {
				continue
			}
			if op, ok := step.Op.(*ops.MomentsGradient); there || !ok || op.Diagonal {
				return 0, false
			}
			pull, there = number, true
		}
	}
	return pull, there
}

// pull is where a comparison may leave what pulls its gradient back, instead of the gradient,
// where nothing else is made of that: on the comparison's branch, with means that don't count.
func (c *comparison) pull() (p momentsPull, there bool) {
	number, there := c.onlyPull(c.gradient)
	if !there {
		return p, false
	}
	step := c.machine.program.Steps[number]
	if carrier, there := c.carrier(number); there {
		p.asFilters = true
		c.carried[carrier], c.pulled[number] = number, true
	}
	p.channels, p.positions = geometry(step.Inputs[0])
	p.precision = c.device.pullPrecision(p.channels)
	p.matrix, p.factor = elements(reserve[float32](c.binder, p.channels*p.channels)), reserve[float32](c.binder, 1)
	c.pulls[c.gradient] = p
	return p, true
}

// readyPull readies the pull back of a comparison's gradient on the comparison's branch, unless
// that was done, so that the network's gradient needn't wait for it. It is a part of its own,
// after the one that may get to its result otherwise.
func (c *comparison) readyPull() {
	if _, done := c.pulls[c.gradient]; done {
		return
	}
	p, there := c.pull()
	if !there {
		return
	}
	p.bias = reserve[float32](c.binder, p.channels)
	c.pulls[c.gradient] = p
	c.only(nil)
	c.add(p.launches(c.binder, c.cotangent)...)
}

// pullAlong is a pull back that a convolution makes along with its own result, to which it would
// be added: of x, by what its cotangent has become, with what the sum is masked by.
type pullAlong struct {
	momentsPull
	x, mask *plan.Buffer
}

// carrier is the number of the step that makes the pull back of another step along with its own
// result: a gradient of a convolution on Hopper that it would be added to in place, bound after
// the step that is being bound, where all that is pulled back by is there.
func (b *binder) carrier(pullNumber int) (number int, there bool) {
	d, steps := b.device, b.machine.program.Steps[:pullNumber]
	pull := b.machine.program.Steps[pullNumber]
	number = slices.IndexFunc(steps, func(step plan.Step) bool { return step.Results[0] == pull.AddTo })
	if !pull.InPlace || number <= b.step {
		return 0, false
	}
	op, ok := steps[number].Op.(*ops.ConvolutionGradient)
	if !ok || op.Border.Replicate || steps[number].Mask != nil { // edges, and what is masked, come later
		return 0, false
	}
	for _, between := range steps[number:] {
		if slices.Contains(between.Results, pull.Inputs[0]) || slices.Contains(between.Results, pull.Mask) {
			return 0, false
		}
	}
	s := shapeOf(steps[number].Inputs[0], steps[number].Inputs[1])
	return number, s.in%64 == 0 && d.matrixUnits(s.out, s.in) && d.hopper(shape3{s.out, s.in, s.height, s.width})
}

// along is the pull back that the step being bound makes along, or nil. The step waits for the
// branch on which its matrix is made.
func (b *binder) along() *pullAlong {
	number, there := b.carried[b.step]
	if !there {
		return nil
	}
	pull := b.machine.program.Steps[number]
	b.part().joins = append(b.part().joins, b.branches().Joins[number]...)
	return &pullAlong{b.pulls[pull.Inputs[1]], pull.Inputs[0], pull.Mask}
}
