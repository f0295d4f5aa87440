package cpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/optim"
	"impasto/internal/plan"
)

// machine runs one program. Its arena is allocated once; a run allocates
// nothing of note.
type machine struct {
	device  *Device
	program *plan.Program
	arena   []byte
	values  map[*plan.Buffer]value
	steps   []runner
	keepers []keeper    // of the steps, in their order
	missed  atomic.Bool // the last run took a definition where an iteration missed its result
}

// runner is a step with its kernel and buffers bound.
type runner struct {
	step plan.Step
	run  func() error
}

// value is a buffer's memory, seen as the type it holds.
type value struct {
	single  []float32
	half    []kernels.Half
	double  []float64
	signs   []uint16
	choices []uint8
	palette *ops.Palette // of a constant whose other values are nil
}

// filters are a constant's value as convolutions take it.
func (v value) filters() kernels.Filters {
	if v.palette != nil {
		return kernels.Filters{Palette: v.palette.Values, Indices: v.palette.Indices}
	}
	return kernels.Filters{Values: v.single}
}

// features is a feature map's value.
func (v value) features() kernels.Map { return kernels.Map{Single: v.single, Half: v.half} }

// Compile implements plan.Device. What needs more memory than there is, is a
// *plan.MemoryError.
func (d *Device) Compile(s *plan.Schedule) (_ plan.Machine, err error) {
	defer ops.Catch(&err, "cpu: compile")
	p, err := s.For(d)
	if err != nil {
		return nil, fmt.Errorf("cpu: %w", err)
	}
	if err := d.reserve(p); err != nil {
		return nil, err
	}
	m := &machine{device: d, program: p, values: map[*plan.Buffer]value{}}
	if m.arena, err = d.arena(p.Bytes); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	if err := m.place(slices.Concat(p.Inputs, p.Outputs)); err != nil {
		return nil, err
	}
	for _, step := range p.Steps {
		if err := m.place(slices.Concat(step.Reads(), step.Results)); err != nil {
			return nil, err
		}
		run, err := m.bind(step)
		if err != nil {
			return nil, fmt.Errorf("cpu: %v: %w", step.Op, err)
		}
		m.steps = append(m.steps, runner{step, run})
	}
	return m, nil
}

// place makes the memory of buffers, in the arena or a constant's own, reachable.
func (m *machine) place(buffers []*plan.Buffer) (err error) {
	for _, b := range buffers {
		if _, done := m.values[b]; done {
			continue
		}
		if b.Constant == nil {
			m.values[b] = m.view(b)
		} else if m.values[b], err = constantValue(b); err != nil {
			return err
		}
	}
	return nil
}

// view is a buffer's memory in the arena.
func (m *machine) view(b *plan.Buffer) value {
	start := unsafe.Pointer(&m.arena[b.Offset])
	switch {
	case b.Keeps == plan.Signs:
		return value{signs: unsafe.Slice((*uint16)(start), b.Bytes()/2)}
	case b.Keeps == plan.Choices:
		return value{choices: unsafe.Slice((*uint8)(start), b.Bytes())}
	case b.Float16:
		return value{half: unsafe.Slice((*kernels.Half)(start), b.Len())}
	case b.Dtype == tensor.Float32:
		return value{single: unsafe.Slice((*float32)(start), b.Len())}
	}
	return value{double: unsafe.Slice((*float64)(start), b.Len())}
}

func constantValue(b *plan.Buffer) (value, error) {
	if palette, ok := b.Constant.(*ops.Palette); ok {
		return value{palette: palette}, nil
	}
	switch data := b.Constant.Data().(type) {
	case []float32:
		return value{single: data}, nil
	case []float64:
		return value{double: data}, nil
	case float64:
		return value{double: []float64{data}}, nil
	case float32:
		return value{single: []float32{data}}, nil
	default:
		return value{}, fmt.Errorf("cpu: constant %v is a %T, want float32 or float64", b.Node, data)
	}
}

// result is a step's first result.
func (m *machine) result(step plan.Step) value { return m.values[step.Results[0]] }

// inputs are a step's inputs.
func (m *machine) inputs(step plan.Step) []value {
	in := make([]value, len(step.Inputs))
	for i, b := range step.Inputs {
		in[i] = m.values[b]
	}
	return in
}

// scratch is scratch memory, seen as a value like another.
func (m *machine) scratch(memory, like *plan.Buffer) value {
	b := *like
	b.Offset, b.Constant, b.Float16 = memory.Offset, nil, false
	return m.view(&b)
}

// dense is a buffer's value as a tensor.
func (m *machine) dense(b *plan.Buffer) *tensor.Dense {
	if v := m.values[b]; v.palette != nil {
		return tensor.New(tensor.WithShape(b.Shape...), tensor.WithBacking(v.palette.Data()))
	} else if v.single != nil {
		return tensor.New(tensor.WithShape(b.Shape...), tensor.WithBacking(v.single))
	}
	return tensor.New(tensor.WithShape(b.Shape...), tensor.WithBacking(m.values[b].double))
}

// RunAll implements gorgonia.VM.
func (m *machine) RunAll() error { return m.Run(context.Background()) }

// Run implements plan.Machine.
func (m *machine) Run(ctx context.Context) error {
	m.missed.Store(false)
	if err := m.run(ctx, m.steps); err != nil {
		return err
	}
	return m.checkRange()
}

// run runs steps, one after the other, until ctx ends.
func (m *machine) run(ctx context.Context, steps []runner) error {
	return m.device.workers.Until(ctx, func() error {
		for _, r := range steps {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.run(); err != nil {
				return fmt.Errorf("cpu: %v: %w", r.step.Op, err)
			}
		}
		return nil
	})
}

// checkRange reports features that float16 can't hold. Where there are some, what
// follows from them isn't finite, so it is enough to look at the outputs, and at
// the features in another run where those aren't.
func (m *machine) checkRange() error {
	if !m.device.float16 || m.outputsAreFinite() {
		return nil
	}
	for _, r := range m.steps {
		if err := r.run(); err != nil {
			return fmt.Errorf("cpu: %v: %w", r.step.Op, err)
		}
		if kernels.Infinite(m.result(r.step).half) {
			return fmt.Errorf("cpu: features that %s makes are larger than %d, which is the most that float16 holds here; choose the precision f32",
				makerOf(r.step), kernels.HalfLimit)
		}
	}
	return nil
}

func (m *machine) outputsAreFinite() bool {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	for _, b := range m.program.Outputs {
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
	case *ops.Convolution, *ops.PooledConvolution:
		return step.Inputs[1].Node.Name()
	}
	return step.Op.String()
}

// Memory implements plan.Machine.
func (m *machine) Memory() int64 { return int64(m.program.Bytes) }

// Reset implements gorgonia.VM. Nothing of a run is left over for the next but what
// State has.
func (m *machine) Reset() {}

// Close implements gorgonia.VM.
func (m *machine) Close() error {
	arena := m.arena
	m.arena, m.values, m.steps = nil, nil, nil
	return m.device.takeBack(arena)
}

// Write implements plan.Machine.
func (m *machine) Write(input *gorgonia.Node, values []float32) error {
	v, err := m.value(input, len(values), tensor.Float32)
	copy(v.single, values)
	return err
}

// WriteFloat64 implements plan.Machine.
func (m *machine) WriteFloat64(input *gorgonia.Node, values []float64) error {
	v, err := m.value(input, len(values), tensor.Float64)
	copy(v.double, values)
	return err
}

// Read implements plan.Machine.
func (m *machine) Read(output *gorgonia.Node, values []float32) error {
	v, err := m.value(output, len(values), tensor.Float32)
	copy(values, v.single)
	return err
}

// ReadFloat64 implements plan.Machine.
func (m *machine) ReadFloat64(output *gorgonia.Node, values []float64) error {
	v, err := m.value(output, len(values), tensor.Float64)
	copy(values, v.double)
	return err
}

// Vector implements plan.Machine.
func (m *machine) Vector(node *gorgonia.Node) (optim.Vector, error) {
	b, err := m.program.Buffer(node)
	if err != nil {
		return nil, err
	}
	v, err := m.value(node, b.Len(), tensor.Float32)
	return optim.HostVector(v.single), err
}

func (m *machine) value(node *gorgonia.Node, length int, dtype tensor.Dtype) (value, error) {
	b, err := m.program.Buffer(node)
	if err != nil {
		return value{}, err
	}
	if b.Len() != length || b.Dtype != dtype {
		return value{}, fmt.Errorf("cpu: %v holds %d values of %v, not %d of %v", node, b.Len(), b.Dtype, length, dtype)
	}
	v, open := m.values[b]
	if !open {
		return value{}, fmt.Errorf("cpu: %v is asked of a machine that is closed", node)
	}
	if !b.Kept() {
		return value{}, fmt.Errorf("cpu: %v is neither an input nor an output of the schedule", node)
	}
	return v, nil
}
