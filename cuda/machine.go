//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
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
//	workspace  what single steps need while they run
type machine struct {
	device   *Device
	schedule *plan.Schedule // as it was asked for
	fused    *plan.Schedule // as it runs
	scale    scaling
	layout   layout
	memory   memory
	places   map[*plan.Buffer]cu.DevicePtr
	results  driver.HostMemory // a copy of the results, as of the last run
	binding
	variants map[string]*variant
	runs     int
	doubtful bool // a transport map isn't to be had by iteration, as of the last run
}

// variant is runs of the same parts.
type variant struct {
	runs  int
	graph *driver.Graph // from the second run on
}

// binding is what binding all steps makes.
type binding struct {
	work      []part
	table     []uint64
	used      int // bytes of the workspace, by the step being bound
	workspace int // the most that a step used
	state     int // bytes
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

// part is launches of one step.
type part struct {
	launches []bound
	wanted   *bool         // tells whether they are made, as they always are where it is nil
	gaussian *gaussianLoss // whose transport map they end with, or nil
}

func (p part) left() bool { return p.wanted != nil && !*p.wanted }

// layout is how a machine's memory is divided, in bytes from its beginning.
type layout struct {
	arena       plan.Arrangement
	results     map[*plan.Buffer]int // from resultsAt on
	resultsAt   int
	resultCount int // of the results, and of slots behind them
	tableAt     int
	stateAt     int
	workspaceAt int
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
	m.lay()
	// Once without memory, to know how much the steps need besides.
	if err := m.bindAll(); err != nil {
		return err
	}
	l := &m.layout
	l.stateAt = align(l.tableAt + 8*len(m.table))
	l.workspaceAt = l.stateAt + m.state
	l.bytes = l.workspaceAt + m.workspace
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
	l.results = map[*plan.Buffer]int{}
	for _, b := range s.Outputs {
		_, there := l.results[b]
		if !there && b.Dtype == tensor.Float64 && b.Len() == 1 && b.Constant == nil && !slices.Contains(s.Inputs, b) {
			l.results[b] = 8 * len(l.results)
		}
	}
	l.arena = s.Arrange(func(b *plan.Buffer) int {
		if _, apart := l.results[b]; apart {
			return 0
		}
		return m.device.size(b)
	}, alignment)
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
		written: map[*plan.Buffer][]func([]float64) error{}, wrote: map[*plan.Buffer][]func(){},
	}
	m.places = map[*plan.Buffer]cu.DevicePtr{}
	for b, offset := range m.layout.arena.Offsets {
		m.places[b] = m.memory.at + cu.DevicePtr(offset)
	}
	for b, offset := range m.layout.results {
		m.places[b] = m.memory.at + cu.DevicePtr(m.layout.resultsAt+offset)
	}
	for _, step := range m.fused.Steps {
		m.used = 0
		m.work = append(m.work, part{})
		if err := m.bind(newTask(step)); err != nil {
			return fmt.Errorf("%v: %w", step.Op, err)
		}
	}
	m.work = append(m.work, part{})
	return m.unscale()
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
func (m *machine) only(wanted *bool) { m.work = append(m.work, part{wanted: wanted}) }

// reserve returns memory that is the step's own for good.
func (m *machine) reserve(bytes int) cu.DevicePtr {
	at := m.memory.at + cu.DevicePtr(m.layout.stateAt+m.state)
	m.state = align(m.state + bytes)
	return at
}

// scratch returns memory that the step being bound may use while it runs.
func (m *machine) scratch(bytes int) cu.DevicePtr {
	at := m.memory.at + cu.DevicePtr(m.layout.workspaceAt+m.used)
	m.used = align(m.used + bytes)
	m.workspace = max(m.workspace, m.used)
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

// RunAll implements gorgonia.VM. The first run issues step by step; what runs
// again is captured as a graph, and goes out as one. Where runs differ in what they have
// to do, as where directions are only turned after a draw, each kind has a graph.
func (m *machine) RunAll() error {
	return m.device.do("run", func() error {
		if m.places == nil {
			return errMachineClosed
		}
		for {
			if err := m.run(); err != nil {
				return err
			}
			if again, err := m.wantsAnother(); err != nil || !again {
				return err
			}
		}
	})
}

// wantsAnother does what is to be done after a run, and tells whether that wants another
// one.
func (m *machine) wantsAnother() (bool, error) {
	another := false
	for _, end := range append([]func() (bool, error){m.lowered}, m.ended...) {
		again, err := end()
		if err != nil {
			return false, err
		}
		another = another || again
	}
	return another, nil
}

// run makes one run, and another one where that left a transport map to be desired.
func (m *machine) run() error {
	m.runs++
	if !m.doubtful {
		if err := m.runAtOnce(); err != nil {
			return err
		}
		if m.allFound() {
			return nil
		}
	}
	return m.runInParts()
}

// runAtOnce makes a run that waits for nothing until its end.
func (m *machine) runAtOnce() error {
	v := m.variant()
	v.runs++
	if v.runs > 1 && v.graph == nil {
		graph, err := driver.Capture(m.device.stream, m.issue)
		if err != nil {
			return err
		}
		v.graph = graph
	}
	issue := m.issue
	if v.graph != nil {
		issue = func() error { return v.graph.Launch(m.device.stream) }
	}
	if err := issue(); err != nil {
		return err
	}
	return m.device.stream.Synchronize()
}

// variant is the runs of those parts that are wanted now.
func (m *machine) variant() *variant {
	var key []byte
	for _, p := range m.work {
		if p.wanted != nil {
			key = strconv.AppendBool(key, *p.wanted)
		}
	}
	v, there := m.variants[string(key)]
	if !there {
		v = &variant{}
		m.variants[string(key)] = v
	}
	return v
}

// issue puts a whole run on the stream.
func (m *machine) issue() error {
	for _, p := range m.work {
		if err := m.issuePart(p); err != nil {
			return err
		}
	}
	return m.fetchResults()
}

func (m *machine) issuePart(p part) error {
	if p.left() {
		return nil
	}
	for _, l := range p.launches {
		if err := l.issue(m.device.stream); err != nil {
			return err
		}
	}
	return nil
}

// fetchResults puts the copy of the results on the stream.
func (m *machine) fetchResults() error {
	if m.layout.resultCount == 0 {
		return nil
	}
	from := m.memory.at + cu.DevicePtr(m.layout.resultsAt)
	return cu.MemcpyDtoHAsync(m.results.Pointer(), from, int64(8*m.layout.resultCount), m.device.stream)
}

// Memory implements plan.Machine.
func (m *machine) Memory() int64 { return int64(m.layout.bytes) }

// Reset implements gorgonia.VM. A run depends on the inputs alone, so there is
// nothing to reset.
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
