//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"slices"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// fused is an operation whose kernel does more: it adds another input to the
// result, and then makes that zero where yet another, the mask, isn't positive, which
// is what rectification does to a cotangent. They follow the operation's own inputs,
// in this order.
type fused struct {
	gorgonia.Op
	addend, mask bool
	// cotangentMasked says of a convolution's gradient that the mask of the convolution's ReLU
	// has been applied to its cotangent.
	cotangentMasked bool
}

// task is a step with what its kernel does besides.
type task struct {
	op              gorgonia.Op
	inputs          []*plan.Buffer
	result          *plan.Buffer
	addend, mask    *plan.Buffer // nil where there is none
	cotangentMasked bool         // as fused has it
}

func newTask(step plan.Step) task {
	t := task{op: step.Op, inputs: step.Inputs, result: step.Result}
	f, ok := step.Op.(fused)
	if !ok {
		return t
	}
	t.op, t.cotangentMasked = f.Op, f.cotangentMasked
	last := len(t.inputs) - 1
	if f.mask {
		t.mask, t.inputs = t.inputs[last], t.inputs[:last]
		last--
	}
	if f.addend {
		t.addend, t.inputs = t.inputs[last], t.inputs[:last]
	}
	return t
}

func (t task) step() plan.Step {
	if t.addend == nil && t.mask == nil && !t.cotangentMasked {
		return plan.Step{Op: t.op, Inputs: t.inputs, Result: t.result}
	}
	f := fused{Op: t.op, addend: t.addend != nil, mask: t.mask != nil, cotangentMasked: t.cotangentMasked}
	inputs := slices.Clone(t.inputs)
	for _, more := range []*plan.Buffer{t.addend, t.mask} {
		if more != nil {
			inputs = append(inputs, more)
		}
	}
	return plan.Step{Op: f, Inputs: inputs, Result: t.result}
}

// fusion rewrites a schedule.
type fusion struct {
	device *Device
	tasks  []task
	dead   []bool
	makes  map[*plan.Buffer]int // the task that makes a buffer
	uses   map[*plan.Buffer]int // how often a buffer is used, as an output too
}

// fuse returns the schedule with sums of cotangents, and their masks, done
// by the kernels that make them, so that they don't pass through memory once more.
func (d *Device) fuse(s *plan.Schedule) *plan.Schedule {
	f := fusion{device: d, makes: map[*plan.Buffer]int{}, uses: map[*plan.Buffer]int{}}
	for i, step := range s.Steps {
		f.tasks = append(f.tasks, newTask(step))
		f.makes[step.Result] = i
		for _, input := range step.Inputs {
			f.uses[input]++
		}
	}
	for _, b := range s.Outputs {
		f.uses[b]++
	}
	f.dead = make([]bool, len(f.tasks))
	for i := range f.tasks {
		f.addition(i)
	}
	for i := range f.tasks {
		f.mask(i)
	}
	out := &plan.Schedule{Inputs: s.Inputs, Outputs: s.Outputs}
	for i, t := range f.tasks {
		if !f.dead[i] {
			out.Steps = append(out.Steps, t.step())
		}
	}
	return out
}

// addition lets the term that is made later add the other one.
func (f *fusion) addition(i int) {
	sum := f.tasks[i]
	if !(plan.Step{Op: sum.op}).IsAddition() || f.device.formatOf(sum.result) == doubles {
		return
	}
	early, late := sum.inputs[0], sum.inputs[1]
	makesEarly, madeEarly := f.makes[early]
	makesLate, madeLate := f.makes[late]
	if !madeLate || madeEarly && makesEarly > makesLate {
		early, late, makesLate, madeLate = late, early, makesEarly, madeEarly
	}
	if early == late || !madeLate || f.uses[late] != 1 {
		return
	}
	t := &f.tasks[makesLate]
	if t.addend != nil || !f.device.adds(*t) || f.wantsMask(sum.result) && !f.device.masks(*t, nil) {
		return
	}
	t.addend, t.result = early, sum.result
	f.dead[i] = true
	f.makes[sum.result] = makesLate
	delete(f.makes, late)
}

// wantsMask tells whether a buffer is the cotangent of a rectified convolution.
func (f *fusion) wantsMask(b *plan.Buffer) bool {
	return slices.ContainsFunc(f.tasks, func(t task) bool {
		op, ok := t.op.(*ops.ConvolutionGradient)
		return ok && op.Rectified && t.inputs[0] == b
	})
}

// mask lets the task that makes a rectified convolution's cotangent apply the mask to it.
func (f *fusion) mask(i int) {
	t := &f.tasks[i]
	op, ok := t.op.(*ops.ConvolutionGradient)
	if !ok || !op.Rectified {
		return
	}
	dy, y := t.inputs[0], t.inputs[1]
	maker, made := f.makes[dy]
	if !made || f.uses[dy] != 1 {
		return
	}
	if before, computed := f.makes[y]; computed && before >= maker {
		return
	}
	if m := &f.tasks[maker]; m.mask == nil && f.device.masks(*m, y) {
		m.mask, t.cotangentMasked = y, true
	}
}

// adds tells whether a task's kernel can add something to its result.
func (d *Device) adds(t task) bool {
	switch t.op.(type) {
	case *ops.ConvolutionGradient:
		return d.formatOf(t.result) == channelsLast
	case *ops.PoolGradient, *ops.MomentsGradient, *ops.PowerMomentsGradient, *ops.MapLossGradient,
		*ops.DifferenceGradient, *ops.VariationGradient:
		return true
	}
	return false
}

// masks tells whether a task's kernel can mask its result by y, or by anything
// where y is nil.
func (d *Device) masks(t task, y *plan.Buffer) bool {
	if (plan.Step{Op: t.op}).IsAddition() {
		return true
	}
	switch t.op.(type) {
	case *ops.PoolGradient:
		return y == nil || y == t.inputs[1]
	case *ops.ConvolutionGradient:
		return d.formatOf(t.result) == channelsLast
	case *ops.MomentsGradient, *ops.PowerMomentsGradient, *ops.MapLossGradient:
		return true
	}
	return false
}
