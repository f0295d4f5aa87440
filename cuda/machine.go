//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"
	"fmt"

	"gorgonia.org/cu"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/optim"
	"impasto/internal/plan"
)

// machine runs one program. compile.go makes it, run.go runs it, transfer.go has what
// is written and read.
type machine struct {
	device  *Device
	program *plan.Program
	layout  layout
	memory  memory
	places  map[*plan.Buffer]cu.DevicePtr // nil once the machine is closed
	results results
	work
	// squares are products of gradients with themselves that runs make.
	squares map[vectorPair]slot
	// final says that a run whose numbers are finite is never made again.
	final    bool
	variants map[string]*variant
	runs     int
	missed   bool // the last run missed the result of a fallible step
	onHost   bool // and the host computed it
}

// work is what a machine has to do: what a run launches, and what stays from one run to the
// next.
type work struct {
	parts  []part
	states []state
}

// Memory implements plan.Machine.
func (m *machine) Memory() int64 { return int64(m.layout.bytes) }

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
	failed = append(failed, m.results.host.Free(), m.device.takeBack(m.memory))
	m.results, m.memory, m.places, m.work = results{}, memory{}, nil, work{}
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
	return m.vectorOf(b), nil
}

// vectorOf is the vector that a picture or its gradient is.
func (m *machine) vectorOf(b *plan.Buffer) optim.Vector {
	return vector{memory{m.places[b], 4 * b.Len()}, b.Len()}
}

// buffer returns an input or an output of so many values, any number where length
// is negative.
func (m *machine) buffer(node *gorgonia.Node, length int, dtype tensor.Dtype) (*plan.Buffer, error) {
	b, err := m.program.Buffer(node)
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

// Remark implements plan.Machine.
func (m *machine) Remark() string {
	if !m.onHost {
		return ""
	}
	return "the transport map of a Gaussian loss takes an eigendecomposition on the processor, which is slow"
}
