package cpu

import (
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/optim"
	"impasto/internal/plan"
)

// machine runs one schedule. Its arena is allocated once; a run allocates
// nothing of note.
type machine struct {
	device *Device
	layout layout
	arena  []byte
	values map[*plan.Buffer]value
	steps  []runner
}

// runner is a step with its kernel and buffers bound.
type runner struct {
	step plan.Step
	run  func() error
}

// value is a buffer's memory, seen as the type it holds and, but for halves, as a
// tensor.
type value struct {
	single []float32
	half   []kernels.Half
	double []float64
	dense  *tensor.Dense
}

// features is a feature map's value.
func (v value) features() kernels.Map { return kernels.Map{Single: v.single, Half: v.half} }

// Compile implements plan.Device. What needs more memory than there is, is a
// *plan.MemoryError.
func (d *Device) Compile(s *plan.Schedule) (_ plan.Machine, err error) {
	defer ops.Catch(&err, "cpu: compile")
	l := d.lay(s)
	if err := d.reserve(l); err != nil {
		return nil, err
	}
	m := &machine{device: d, layout: l, arena: d.arena(l.Bytes), values: map[*plan.Buffer]value{}}
	for _, b := range slices.Concat(l.Inputs, l.Outputs) {
		if err := m.place(b); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(l.Steps); i++ {
		step, add := l.Steps[i], false
		if addsAsItGoes(step) && l.AddedAtOnce(i, l.Offsets) {
			i++
			step.Result, add = l.Steps[i].Result, true
		}
		for _, b := range slices.Concat([]*plan.Buffer{step.Result}, step.Inputs, step.Scratch) {
			if err := m.place(b); err != nil {
				return nil, err
			}
		}
		run, err := m.bind(step, add)
		if err != nil {
			return nil, err
		}
		m.steps = append(m.steps, runner{step, run})
	}
	return m, nil
}

// place makes the buffer's memory, in the arena or a constant's own, reachable.
func (m *machine) place(b *plan.Buffer) error {
	if _, done := m.values[b]; done {
		return nil
	}
	v, err := m.view(b)
	if err != nil {
		return err
	}
	switch {
	case v.single != nil:
		v.dense = tensor.New(tensor.WithShape(b.Shape...), tensor.WithBacking(v.single))
	case v.double != nil:
		v.dense = tensor.New(tensor.WithShape(b.Shape...), tensor.WithBacking(v.double))
	}
	m.values[b] = v
	return nil
}

func (m *machine) view(b *plan.Buffer) (value, error) {
	if b.Constant == nil {
		start := unsafe.Pointer(&m.arena[m.layout.Offsets[b]])
		switch {
		case m.layout.half[b]:
			return value{half: unsafe.Slice((*kernels.Half)(start), b.Len())}, nil
		case b.Dtype == tensor.Float32:
			return value{single: unsafe.Slice((*float32)(start), b.Len())}, nil
		}
		return value{double: unsafe.Slice((*float64)(start), b.Len())}, nil
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

// RunAll implements gorgonia.VM.
func (m *machine) RunAll() (err error) {
	for _, r := range m.steps {
		if err := r.run(); err != nil {
			return fmt.Errorf("cpu: %v: %w", r.step.Op, err)
		}
	}
	return m.checkRange()
}

// Memory implements plan.Machine.
func (m *machine) Memory() int64 { return int64(m.layout.Bytes) }

// Reset implements gorgonia.VM. A run depends on the inputs alone, so there is
// nothing to reset.
func (m *machine) Reset() {}

// Close implements gorgonia.VM.
func (m *machine) Close() error {
	m.device.takeBack(m.arena)
	m.arena, m.values, m.steps = nil, nil, nil
	return nil
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
	b, err := m.layout.Buffer(node)
	if err != nil {
		return nil, err
	}
	v, err := m.value(node, b.Len(), tensor.Float32)
	return optim.HostVector(v.single), err
}

func (m *machine) value(node *gorgonia.Node, length int, dtype tensor.Dtype) (value, error) {
	b, err := m.layout.Buffer(node)
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
