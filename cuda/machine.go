//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/cuda/internal/driver"
	"impasto/internal/ops"
	"impasto/internal/optim"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// machine runs one schedule. Its memory is one allocation, made once:
//
//	arena      inputs, outputs and intermediate results, sharing as the plan says
//	results    the outputs of one float64, side by side, so that one copy has all
//	table      what kernels take as arrays, such as the weights of a sum, and what
//	           one step leaves to another
//	state      what is made when an input is written
//	workspaces what single steps need while they run, one for each branch
type machine struct {
	device   *Device
	schedule *plan.Schedule // as it was asked for
	fused    *plan.Schedule // as it runs
	scale    scaling
	branches branches
	layout   layout
	memory   memory
	places   map[*plan.Buffer]cu.DevicePtr
	results  driver.HostMemory // a copy of the results, as of the last run
	binding
	variants map[string]*variant
	runs     int
	doubtful bool // a transport map isn't to be had by iteration, as of the last run
}

// binding is what binding all steps makes.
type binding struct {
	work      []part
	table     []uint64
	step      int   // that is being bound
	used      int   // bytes of its branch's workspace, by the step being bound
	workspace []int // by branch, the most that a step used
	state     int   // bytes
	slopes    map[slopesKey]cu.DevicePtr
	losses    map[*plan.Buffer]cu.DevicePtr // of evaluations of maps
	slots     int                           // of the results, that steps have for themselves
	gaussians []*gaussianLoss
	ended     []func() (again bool, err error) // what is to be done after a run
	// written are what follows from writing an input of float64, wrote from writing a
	// map, initial what is to be done once.
	written map[*plan.Buffer][]func(values []float64) error
	wrote   map[*plan.Buffer][]func()
	initial []func() error
}

// layout is how a machine's memory is divided, in bytes from its beginning.
type layout struct {
	arena       plan.Arrangement
	results     map[*plan.Buffer]int // from resultsAt on
	resultsAt   int
	resultCount int // of the results, and of slots behind them
	tableAt     int
	stateAt     int
	workspaceAt []int // by branch
	bytes       int
}

const alignment = 256

func align(bytes int) int { return (bytes + alignment - 1) &^ (alignment - 1) }

// Compile implements plan.Device.
func (d *Device) Compile(s *plan.Schedule) (_ plan.Machine, err error) {
	defer ops.Catch(&err, "cuda: compile")
	if err := d.check(s); err != nil {
		return nil, err
	}
	m := &machine{device: d, schedule: s, fused: d.fuse(s), scale: d.scalingOf(s), variants: map[string]*variant{}}
	m.branches = branchesOf(m.fused)
	err = d.do("compile", func() error {
		if err := m.build(); err != nil {
			return errors.Join(err, m.release())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// build lays out the memory, takes it and binds every step.
func (m *machine) build() (err error) {
	d := m.device
	if err := d.branch(m.branches.count); err != nil {
		return err
	}
	m.lay()
	// Once without memory, to know how much the steps need besides.
	if err := m.bindAll(); err != nil {
		return err
	}
	l := &m.layout
	l.stateAt = align(l.tableAt + 8*len(m.table))
	l.bytes = l.stateAt + m.state
	for branch, bytes := range m.workspace {
		l.workspaceAt[branch] = l.bytes
		l.bytes += bytes
	}
	if m.memory, err = d.arena(l.bytes); err != nil {
		return err
	}
	if m.results, err = driver.NewHostMemory(8 * max(l.resultCount, 1)); err != nil {
		return err
	}
	if err := m.bindAll(); err != nil {
		return err
	}
	if len(m.table) > 0 {
		if err := d.upload(m.memory.at+cu.DevicePtr(l.tableAt), unsafe.Pointer(&m.table[0]), 8*len(m.table)); err != nil {
			return err
		}
	}
	for _, once := range m.initial {
		if err := once(); err != nil {
			return err
		}
	}
	return nil
}

// lay divides the memory up to the table.
func (m *machine) lay() {
	l, s := &m.layout, m.fused
	l.results, l.workspaceAt = map[*plan.Buffer]int{}, make([]int, m.branches.count+1)
	for _, b := range s.Outputs {
		_, there := l.results[b]
		if !there && b.Dtype == tensor.Float64 && b.Len() == 1 && b.Constant == nil && !slices.Contains(s.Inputs, b) {
			l.results[b] = 8 * len(l.results)
		}
	}
	l.arena = s.ArrangeBeside(func(b *plan.Buffer) int {
		if _, apart := l.results[b]; apart {
			return 0
		}
		return m.device.size(b)
	}, alignment, m.branches.ends)
	l.resultsAt = align(l.arena.Bytes)
	l.resultCount = len(l.results) + slots(s)
	if m.scale.factor != 1 {
		l.resultCount++
	}
	l.tableAt = align(l.resultsAt + 8*l.resultCount)
}

// bindAll makes every step's launches, for the memory that there is.
func (m *machine) bindAll() error {
	m.binding = binding{
		slopes: map[slopesKey]cu.DevicePtr{}, losses: map[*plan.Buffer]cu.DevicePtr{},
		workspace: make([]int, m.branches.count+1),
		written:   map[*plan.Buffer][]func([]float64) error{}, wrote: map[*plan.Buffer][]func(){},
	}
	m.places = map[*plan.Buffer]cu.DevicePtr{}
	for b, offset := range m.layout.arena.Offsets {
		m.places[b] = m.memory.at + cu.DevicePtr(offset)
	}
	for b, offset := range m.layout.results {
		m.places[b] = m.memory.at + cu.DevicePtr(m.layout.resultsAt+offset)
	}
	for i, step := range m.fused.Steps {
		m.begin(i)
		if err := m.bind(newTask(step)); err != nil {
			return fmt.Errorf("%v: %w", step.Op, err)
		}
	}
	m.begin(len(m.fused.Steps))
	return m.unscale()
}

// begin begins the binding of a step; that after the last is the end of a run.
func (m *machine) begin(step int) {
	m.step, m.used = step, 0
	m.only(nil)
	m.work[len(m.work)-1].joins = m.branches.joins[step]
}

// array puts words into the machine's table and returns where they lie.
func (m *machine) array(words ...uint64) cu.DevicePtr {
	at := m.memory.at + cu.DevicePtr(m.layout.tableAt+8*len(m.table))
	m.table = append(m.table, words...)
	return at
}

// slots is how many results the steps of a schedule have for themselves.
func slots(s *plan.Schedule) int {
	count := 0
	for _, step := range s.Steps {
		switch op := newTask(step).op.(type) {
		case *ops.Comparison:
			if _, ok := op.Loss.(pure.Gaussian); ok {
				count++
			}
		case *ops.Sliced:
			if op.Loss.Held {
				count++
			}
		case *ops.Clouds:
			if _, ok := op.Comparison.Loss.(pure.Sinkhorn); ok {
				count += sinkhornSlots
			}
		}
	}
	return count
}

// slot returns a result that is the step's own: its number, and where it lies. What is
// there after a run is on the host.
func (m *machine) slot() (number int, at cu.DevicePtr) {
	number = len(m.layout.results) + m.slots
	m.slots++
	return number, m.memory.at + cu.DevicePtr(m.layout.resultsAt+8*number)
}

// result is a number among the results, as of the last run.
func (m *machine) result(number int) float64 { return m.results.Float64s(8*number, 1)[0] }

// only begins a part of the step being bound that is made where wanted says so, or always
// where it is nil.
func (m *machine) only(wanted *bool) {
	m.work = append(m.work, part{branch: m.branches.of[m.step], wanted: wanted})
}

// reserve returns memory that is the step's own for good.
func (m *machine) reserve(bytes int) cu.DevicePtr {
	at := m.memory.at + cu.DevicePtr(m.layout.stateAt+m.state)
	m.state = align(m.state + bytes)
	return at
}

// scratch returns memory that the step being bound may use while it runs.
func (m *machine) scratch(bytes int) cu.DevicePtr {
	branch := m.branches.of[m.step]
	at := m.memory.at + cu.DevicePtr(m.layout.workspaceAt[branch]+m.used)
	m.used = align(m.used + bytes)
	m.workspace[branch] = max(m.workspace[branch], m.used)
	return at
}

// follow makes something follow from the writing of an input.
func (m *machine) follow(input *plan.Buffer, f func(values []float64) error) error {
	if !slices.Contains(m.schedule.Inputs, input) {
		return fmt.Errorf("%v is no input of the graph, which the GPU needs it to be; use the device cpu", input.Node)
	}
	m.written[input] = append(m.written[input], f)
	return nil
}

// add makes launches of the step being bound ready.
func (m *machine) add(launches ...launch) error {
	last := &m.work[len(m.work)-1]
	for _, l := range launches {
		ready, err := m.device.ready(l)
		if err != nil {
			return err
		}
		last.launches = append(last.launches, ready)
	}
	return nil
}

// Memory implements plan.Machine.
func (m *machine) Memory() int64 { return int64(m.layout.bytes) }

// PixelMemory implements plan.Machine, which can't tell.
func (m *machine) PixelMemory() int64 { return 0 }

// Reset implements gorgonia.VM. What losses keep from one run to the next stays.
func (m *machine) Reset() {}

// Close implements gorgonia.VM.
func (m *machine) Close() error {
	err := m.device.do("close a machine", m.release)
	if err == errClosed || m.device.failed() {
		return nil // the memory is gone already
	}
	return err
}

func (m *machine) release() error {
	var failed []error
	for _, v := range m.variants {
		if v.graph != nil {
			failed = append(failed, v.graph.Destroy())
		}
	}
	clear(m.variants)
	failed = append(failed, m.results.Free(), m.device.takeBack(m.memory))
	m.results, m.memory, m.places, m.work = driver.HostMemory{}, memory{}, nil, nil
	return errors.Join(failed...)
}

var errMachineClosed = errors.New("the machine is closed")

// Vector implements plan.Machine.
func (m *machine) Vector(node *gorgonia.Node) (optim.Vector, error) {
	b, err := m.buffer(node, -1, tensor.Float32)
	if err != nil {
		return nil, err
	}
	if m.device.formatOf(b) != planes {
		return nil, fmt.Errorf("cuda: vector of %v, whose %d channels lie side by side on the GPU; only pictures are vectors", node, b.Shape[0])
	}
	return vector{memory{m.places[b], 4 * b.Len()}, b.Len()}, nil
}

// buffer returns an input or an output of so many values, any number where length
// is negative.
func (m *machine) buffer(node *gorgonia.Node, length int, dtype tensor.Dtype) (*plan.Buffer, error) {
	b, err := m.schedule.Buffer(node)
	if err != nil {
		return nil, err
	}
	if length < 0 {
		length = b.Len()
	}
	if b.Len() != length || b.Dtype != dtype {
		return nil, fmt.Errorf("cuda: %v holds %d values of %v, not %d of %v", node, b.Len(), b.Dtype, length, dtype)
	}
	if m.places == nil {
		return nil, fmt.Errorf("cuda: %v is asked of a machine that is closed", node)
	}
	if !b.Kept() {
		return nil, fmt.Errorf("cuda: %v is neither an input nor an output of the schedule", node)
	}
	return b, nil
}
