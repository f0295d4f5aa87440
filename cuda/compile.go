//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"
	"fmt"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
	"impasto/internal/ops"
	"impasto/internal/plan"
)

// layout is how a machine's memory, which is one allocation, is divided. Places are in
// bytes from its beginning.
//
//	arena       inputs, outputs and intermediate results, sharing as the plan says
//	results     the scalars that steps make, and slots of steps, side by side, so that
//	            one copy has all
//	table       what kernels take as arrays, such as the weights of a sum, and what
//	            one step leaves to another
//	state       what steps keep from one run to the next
//	workspaces  what single steps need while they run, one for each branch
type layout struct {
	scalars        map[*plan.Buffer]int // their numbers among the results
	resultsAt      int
	tableAt        int
	stateAt        int
	stateBytes     int
	workspaceAt    []int // by branch
	workspaceBytes []int
	bytes          int
}

// Compile implements plan.Device.
func (d *Device) Compile(s *plan.Schedule) (_ plan.Machine, err error) {
	defer ops.Catch(&err, "cuda: compile")
	p, err := s.For(d)
	if err != nil {
		return nil, fmt.Errorf("cuda: compile: %w", err)
	}
	m := &machine{device: d, program: p, variants: map[string]*variant{}}
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

// Needs implements plan.Device. The network's parameters come to the device all the same,
// and stay there for the machines that follow.
func (d *Device) Needs(s *plan.Schedule) (bytes int64, err error) {
	defer ops.Catch(&err, "cuda: plan")
	p, err := s.For(d)
	if err != nil {
		return 0, fmt.Errorf("cuda: plan: %w", err)
	}
	m := &machine{device: d, program: p}
	err = d.do("plan", m.lay)
	return int64(m.layout.bytes), err
}

// lay binds every step without memory, to know how much there must be.
func (m *machine) lay() error {
	if err := m.device.branch(m.program.Branches.Count); err != nil {
		return err
	}
	m.arrange()
	b := newBinder(m)
	if err := b.bindAll(); err != nil {
		return err
	}
	m.divide(b)
	return nil
}

// build binds every step, once without memory and once in its place.
func (m *machine) build() error {
	if err := m.lay(); err != nil {
		return err
	}
	d := m.device
	var err error
	if m.memory, err = d.arena(m.layout.bytes); err != nil {
		return err
	}
	if m.results.host, err = driver.NewHostMemory(8 * max(m.results.count, 1)); err != nil {
		return err
	}
	b := newBinder(m)
	if err := b.bindAll(); err != nil {
		return err
	}
	m.work, m.places = b.work, b.places
	m.squares = map[vectorPair]slot{}
	if b.scale.factor != 1 {
		m.squares[squareOf(m.vectorOf(b.scale.outputs[0]))] = b.scale.squares
	}
	m.final = m.isFinal()
	return m.begin(b)
}

// arrange lays out the scalars among the results, which follow the arena.
func (m *machine) arrange() {
	l := &m.layout
	l.scalars = map[*plan.Buffer]int{}
	for _, step := range m.program.Steps {
		for _, b := range step.Results {
			if isScalarResult(b) {
				l.scalars[b] = len(l.scalars)
			}
		}
	}
	l.resultsAt = align(m.program.Bytes)
	l.workspaceAt = make([]int, m.program.Branches.Count+1)
}

// divide lays out the rest, of which a binder has used as much as is needed.
func (m *machine) divide(b *binder) {
	l := &m.layout
	l.tableAt = align(l.resultsAt + 8*m.results.count)
	l.stateAt = align(l.tableAt + 8*len(b.table))
	l.stateBytes, l.workspaceBytes = b.state.used, b.mostWorkspace
	l.bytes = l.stateAt + l.stateBytes
	for branch, bytes := range l.workspaceBytes {
		l.workspaceAt[branch] = l.bytes
		l.bytes += bytes
	}
}

// begin fills the memory with what a binder wants there.
func (m *machine) begin(b *binder) error {
	if err := upload(m.device, pointer[uint64](b.tableAt), b.table); err != nil {
		return err
	}
	for _, t := range b.described {
		if err := t.upload(m.device); err != nil {
			return err
		}
	}
	for _, s := range m.states {
		if err := s.begin(); err != nil {
			return err
		}
	}
	return nil
}

// binder makes the work of a program: bind.go and the files of the operations. Errors stay
// with it until bindAll returns them.
type binder struct {
	work
	machine *machine
	device  *Device
	scale   *lossScale
	results *results
	places  map[*plan.Buffer]cu.DevicePtr

	table         []uint64
	tableAt       cu.DevicePtr
	described     []tensorMap
	state         region
	workspaces    []region // by branch, as far as the step being bound uses them
	mostWorkspace []int    // by branch, what a step used at most
	step          int      // that is being bound
	err           error
	selections    map[selectionKey]*selection
	pulls         map[*plan.Buffer]momentsPull // by the cotangents that comparisons have readied
	carried       map[int]int                  // pull backs, by the steps that make them along
	pulled        map[int]bool                 // steps that another one makes along
}

// newBinder returns a binder for the memory that a machine has, if it has any.
func newBinder(m *machine) *binder {
	l, at := &m.layout, m.memory.at
	if at == none {
		at = alignment // so that what has a place isn't taken for nothing
	}
	b := &binder{
		machine: m, device: m.device, scale: m.device.lossScaleOf(m.program),
		results: &m.results, places: map[*plan.Buffer]cu.DevicePtr{},
		tableAt: at + cu.DevicePtr(l.tableAt), state: region{at: at + cu.DevicePtr(l.stateAt)},
		mostWorkspace: make([]int, len(l.workspaceAt)),
		selections:    map[selectionKey]*selection{},
		pulls:         map[*plan.Buffer]momentsPull{},
		carried:       map[int]int{},
		pulled:        map[int]bool{},
	}
	m.results.at, m.results.count = pointer[float64](at)+pointer[float64](l.resultsAt), len(l.scalars)
	for _, offset := range l.workspaceAt {
		b.workspaces = append(b.workspaces, region{at: at + cu.DevicePtr(offset)})
	}
	b.place(m.program.Inputs, at)
	for _, step := range m.program.Steps {
		b.place(step.Results, at)
	}
	return b
}

// place works out where buffers lie that aren't constants, in an arena at that address.
func (b *binder) place(buffers []*plan.Buffer, arena cu.DevicePtr) {
	for _, buffer := range buffers {
		b.places[buffer] = arena + cu.DevicePtr(buffer.Offset)
		if isScalarResult(buffer) {
			b.places[buffer] = cu.DevicePtr(b.slotOf(buffer).at())
		}
	}
}

// bindAll makes every step's launches.
func (b *binder) bindAll() error {
	steps := b.machine.program.Steps
	for i, step := range steps {
		b.begin(i)
		k, _ := b.device.kernelOf(step)
		k.bind(b, step)
		if b.err != nil {
			return fmt.Errorf("%v: %w", step.Op, b.err)
		}
	}
	b.begin(len(steps))
	b.unscale()
	return b.err
}

// begin begins the binding of a step; that after the last is the end of a run.
func (b *binder) begin(step int) {
	b.step = step
	b.freeWorkspace()
	b.only(nil)
	b.part().joins = b.branches().Joins[step]
}
