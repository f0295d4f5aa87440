package cpu

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
)

// layout is a schedule with a place for every value, and for those that steps need
// while they run.
type layout struct {
	*plan.Schedule
	plan.Arrangement
	half map[*plan.Buffer]bool // features of kernels.Half
}

// lay arranges a schedule's memory. With float16, what the network makes is of
// kernels.Half unless it stands after a run, and steps whose kernels take float32
// get scratch memory to widen it in. Cotangents stay float32: they span more orders
// of magnitude than float16 has, and don't wait as features do.
func (d *Device) lay(s *plan.Schedule) layout {
	own := *s
	own.Steps = compareTogether(rectifyInPools(s.Steps))
	l := layout{Schedule: &own, half: map[*plan.Buffer]bool{}}
	own.Steps = fuseMaxPools(own.Steps, d.method, !d.float16)
	if d.float16 {
		for _, step := range own.Steps {
			for _, b := range featuresOf(step) {
				l.half[b] = true
			}
		}
		for i := range own.Steps {
			l.addScratch(&own.Steps[i])
		}
	}
	l.Arrangement = l.Schedule.Arrange(l.size, alignment)
	return l
}

// size is the bytes of a value.
func (l layout) size(b *plan.Buffer) int {
	if l.half[b] {
		return 2 * b.Len()
	}
	return b.Bytes
}

// featuresOf returns what a step makes of features that don't stand after a run.
func featuresOf(step plan.Step) []*plan.Buffer {
	var made []*plan.Buffer
	switch step.Op.(type) {
	case *ops.Convolution, *ops.Pool:
		made = []*plan.Buffer{step.Result}
	case pooledConvolution:
		made = []*plan.Buffer{step.Result, step.Scratch[0]}
	}
	return slices.DeleteFunc(made, func(b *plan.Buffer) bool { return b.Dtype != tensor.Float32 || b.Kept() })
}

// readsHalf tells whether the kernel of an operation reads kernels.Half as its
// input i.
func readsHalf(op gorgonia.Op, i int) bool {
	switch op := op.(type) {
	case *ops.Convolution, pooledConvolution, *ops.Pool:
		return i == 0
	case *ops.Moments:
		return i == 0 && !op.Diagonal
	case *ops.MomentsGradient:
		return i == 0 && !op.Diagonal
	case *ops.ConvolutionGradient, *ops.PoolGradient, rectifiedPoolGradient:
		return i == 1
	}
	return false
}

// addScratch gives a step the memory to widen its inputs in, by their order.
func (l layout) addScratch(step *plan.Step) {
	for i, b := range step.Inputs {
		if l.half[b] && !readsHalf(step.Op, i) {
			step.Scratch = append(step.Scratch, &plan.Buffer{Node: b.Node, Dtype: b.Dtype, Shape: b.Shape, Bytes: b.Bytes})
		}
	}
}

// inputs are a step's inputs, as its kernel takes them, and what widens them
// before it runs.
func (m *machine) inputs(step plan.Step) (in []value, widen func()) {
	var halves [][]kernels.Half
	var singles [][]float32
	for i, b := range step.Inputs {
		v := m.values[b]
		if v.half != nil && !readsHalf(step.Op, i) {
			half := v.half
			v = m.values[step.Scratch[len(halves)]]
			halves, singles = append(halves, half), append(singles, v.single)
		}
		in = append(in, v)
	}
	if halves == nil {
		return in, nil
	}
	return in, func() {
		for i, half := range halves {
			kernels.Widen(m.device.workers, singles[i], half)
		}
	}
}

// checkRange reports features that float16 can't hold. Where there are some, what
// follows from them isn't finite, so it is enough to look at the outputs, and at
// the features in another run where those aren't.
func (m *machine) checkRange() error {
	if len(m.layout.half) == 0 || m.outputsAreFinite() {
		return nil
	}
	for _, r := range m.steps {
		if err := r.run(); err != nil {
			return fmt.Errorf("cpu: %v: %w", r.step.Op, err)
		}
		if kernels.Infinite(m.values[r.step.Result].half) {
			return fmt.Errorf("cpu: features that %s makes are larger than %d, which is the most that float16 holds here; choose the precision f32",
				makerOf(r.step), kernels.HalfLimit)
		}
	}
	return nil
}

func (m *machine) outputsAreFinite() bool {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	for _, b := range m.layout.Outputs {
		v := m.values[b]
		if !finite(kernels.Dot(m.device.workers, v.single, v.single)) {
			return false
		}
		for _, x := range v.double {
			if !finite(x) {
				return false
			}
		}
	}
	return true
}

// makerOf names what makes a step's features, for people: a convolution by its
// filters.
func makerOf(step plan.Step) string {
	switch step.Op.(type) {
	case *ops.Convolution, pooledConvolution:
		return step.Inputs[1].Node.Name()
	}
	return step.Op.String()
}
