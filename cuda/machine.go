//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/cuda/internal/driver"
	"impasto/internal/ops"
	"impasto/internal/optim"
	"impasto/internal/plan"
)

// machine runs one schedule. Its memory is one allocation, made once:
//
//	arena      inputs, outputs and intermediate results, sharing as the plan says
//	results    the outputs of one float64, side by side, so that one copy has all
//	table      what kernels take as arrays, such as the weights of a sum
//	workspace  what single steps need while they run
type machine struct {
	device   *Device
	schedule *plan.Schedule
	memory   memory
	layout   layout
	places   map[*plan.Buffer]cu.DevicePtr
	results  driver.HostMemory // a copy of the results, as of the last run
	table    []uint64
	work     []bound
	graph    *driver.Graph
	runs     int
}

// layout is how a machine's memory is divided, in bytes from its beginning.
type layout struct {
	arena            plan.Arrangement
	results          map[*plan.Buffer]int
	resultsAt        int
	tableAt, tableTo int
	workspaceAt      int
	workspace        int
	bytes            int
}

const alignment = 256

func align(bytes int) int { return (bytes + alignment - 1) &^ (alignment - 1) }

// Compile implements plan.Device.
func (d *Device) Compile(s *plan.Schedule) (_ plan.Machine, err error) {
	defer ops.Catch(&err, "cuda: compile")
	m := &machine{device: d, schedule: s, places: map[*plan.Buffer]cu.DevicePtr{}}
	if err := d.check(s); err != nil {
		return nil, err
	}
	m.layout = d.lay(s)
	err = d.do("compile", func() error {
		err := m.build()
		if err != nil {
			if freed := m.release(); freed != nil {
				err = fmt.Errorf("%w; and freeing: %w", err, freed)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// lay divides the memory that a schedule takes.
func (d *Device) lay(s *plan.Schedule) layout {
	l := layout{results: map[*plan.Buffer]int{}}
	for _, b := range s.Outputs {
		if _, there := l.results[b]; !there && b.Dtype == tensor.Float64 && b.Len() == 1 && b.Constant == nil && !isInput(s, b) {
			l.results[b] = 8 * len(l.results)
		}
	}
	l.arena = s.Arrange(func(b *plan.Buffer) int {
		if _, apart := l.results[b]; apart {
			return 0
		}
		return d.size(b)
	}, alignment)
	l.resultsAt = align(l.arena.Bytes)
	l.tableAt = align(l.resultsAt + 8*len(l.results))
	l.tableTo = l.tableAt
	for _, step := range s.Steps {
		l.tableTo += 8 * tableWords(step.Op)
		l.workspace = max(l.workspace, d.workspace(step))
	}
	l.workspaceAt = align(l.tableTo)
	l.bytes = l.workspaceAt + l.workspace
	return l
}

func isInput(s *plan.Schedule, b *plan.Buffer) bool {
	for _, input := range s.Inputs {
		if input == b {
			return true
		}
	}
	return false
}

// build takes the memory and binds every step.
func (m *machine) build() (err error) {
	d, l := m.device, m.layout
	if m.memory, err = d.arena(l.bytes); err != nil {
		return err
	}
	if m.results, err = driver.NewHostMemory(8 * max(len(l.results), 1)); err != nil {
		return err
	}
	for b, offset := range l.arena.Offsets {
		m.places[b] = m.memory.at + cu.DevicePtr(offset)
	}
	for b, offset := range l.results {
		m.places[b] = m.memory.at + cu.DevicePtr(l.resultsAt+offset)
	}
	for _, step := range m.schedule.Steps {
		if err := m.bind(step); err != nil {
			return fmt.Errorf("%v: %w", step.Op, err)
		}
	}
	if len(m.table) > 0 {
		return d.upload(m.memory.at+cu.DevicePtr(l.tableAt), unsafe.Pointer(&m.table[0]), 8*len(m.table))
	}
	return nil
}

// RunAll implements gorgonia.VM. The first run issues step by step; what runs
// again is captured as a graph, and goes out as one.
func (m *machine) RunAll() error {
	return m.device.do("run", func() error {
		if m.memory.at == 0 {
			return errMachineClosed
		}
		m.runs++
		if m.runs == 2 {
			graph, err := driver.Capture(m.device.stream, m.issue)
			if err != nil {
				return err
			}
			m.graph = graph
		}
		if m.graph == nil {
			if err := m.issue(); err != nil {
				return err
			}
		} else if err := m.graph.Launch(m.device.stream); err != nil {
			return err
		}
		return m.device.stream.Synchronize()
	})
}

// issue puts a whole run on the stream.
func (m *machine) issue() error {
	for _, w := range m.work {
		if err := w.issue(m.device.stream); err != nil {
			return err
		}
	}
	if len(m.layout.results) == 0 {
		return nil
	}
	from := m.memory.at + cu.DevicePtr(m.layout.resultsAt)
	return cu.MemcpyDtoHAsync(m.results.Pointer(), from, int64(8*len(m.layout.results)), m.device.stream)
}

// Memory implements plan.Machine.
func (m *machine) Memory() int64 { return int64(m.layout.bytes) }

// Reset implements gorgonia.VM. A run depends on the inputs alone, so there is
// nothing to reset.
func (m *machine) Reset() {}

// Close implements gorgonia.VM.
func (m *machine) Close() error {
	err := m.device.do("close a machine", m.release)
	if err == m.device.fault || err == errClosed {
		return nil // the memory is gone already
	}
	return err
}

func (m *machine) release() error {
	var failed error
	if m.graph != nil {
		failed = m.graph.Destroy()
		m.graph = nil
	}
	if err := m.results.Free(); failed == nil {
		failed = err
	}
	m.results = driver.HostMemory{}
	if m.memory.at != 0 {
		if err := m.device.takeBack(m.memory); failed == nil {
			failed = err
		}
	}
	m.memory, m.places, m.work = memory{}, nil, nil
	return failed
}

var errMachineClosed = fmt.Errorf("the machine is closed")

// Vector implements plan.Machine.
func (m *machine) Vector(node *gorgonia.Node) (optim.Vector, error) {
	b, err := m.buffer(node, -1, tensor.Float32)
	if err != nil {
		return nil, err
	}
	if m.device.formatOf(b) != planes {
		return nil, fmt.Errorf("cuda: vector of %v, whose %d channels lie side by side on the device; only pictures are vectors", node, b.Shape[0])
	}
	return vector{memory{m.places[b], 4 * b.Len()}, b.Len()}, nil
}

// buffer returns the place of an input or an output of so many values, any number
// where length is negative.
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
