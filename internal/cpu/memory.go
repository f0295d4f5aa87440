package cpu

import (
	"fmt"
	"runtime/debug"

	"impasto/internal/memory"
	"impasto/internal/ops"
	"impasto/internal/plan"
)

// Available implements plan.Device: the system's available memory and what the device keeps for
// reuse.
func (d *Device) Available() (bytes int64, known bool) {
	bytes, known = d.memory()
	return bytes + int64(len(d.spare)), known
}

// OnHost implements plan.Device.
func (d *Device) OnHost() bool { return true }

// Needs implements plan.Device.
func (d *Device) Needs(s *plan.Schedule) (bytes int64, err error) {
	defer ops.Catch(&err, "cpu: plan")
	p, err := s.For(d)
	if err != nil {
		return 0, fmt.Errorf("cpu: %w", err)
	}
	return d.needs(p), nil
}

// needs is what a program takes: its arena, what its steps keep, and filters laid out for
// the kernels that no machine has used yet.
func (d *Device) needs(p *plan.Program) int64 {
	bytes := int64(p.Bytes)
	var shared int64
	filters := map[*plan.Buffer]bool{}
	for _, step := range p.Steps {
		if k, ok := d.kernelOf(step); ok && k.keeps != nil {
			own, of := k.keeps(d, step)
			bytes += own
			shared = max(shared, of)
		}
		if b := filtersOf(step); b != nil && !filters[b] {
			filters[b] = true
			bytes += d.layoutBytes(b)
		}
	}
	return bytes + shared
}

// filtersOf is the buffer of a convolution's filters, nil for other steps.
func filtersOf(step plan.Step) *plan.Buffer {
	switch step.Op.(type) {
	case *ops.Convolution, *ops.PooledConvolution, *ops.ConvolutionGradient:
		return step.Inputs[1]
	case *ops.PooledConvolutionGradient:
		return step.Inputs[2]
	}
	return nil
}

// layoutBytes is what filters take in the layout of a kernel, 0 where they are there.
func (d *Device) layoutBytes(filters *plan.Buffer) int64 {
	if filters.Constant == nil {
		return 0
	}
	v, err := constantValue(filters)
	if err != nil {
		return 0
	}
	if _, there := d.prepared[keyOf(v.filters())]; there {
		return 0
	}
	if v.palette != nil {
		return int64(len(v.palette.Indices))
	}
	return int64(filters.Bytes())
}

// reserve reports, as a *plan.MemoryError, a program that needs more memory than
// there is. Memory that was freed counts as there.
func (d *Device) reserve(p *plan.Program) error {
	needed := d.needs(p)
	if available, known := d.Available(); !known || needed <= available {
		return nil
	}
	debug.FreeOSMemory()
	if available, _ := d.Available(); needed > available {
		return shortage(needed, available)
	}
	return nil
}

// shortage is the error of work that needs more than there is, and names the limit that
// is in the way.
func shortage(needed, available int64) error {
	limit, _ := memory.Tightest()
	return &plan.MemoryError{Needed: needed, Available: available, Limit: limit.Name}
}

// Remark implements plan.Machine.
func (m *machine) Remark() string {
	if !m.missed.Load() {
		return ""
	}
	return "the transport map of a Gaussian loss takes an eigendecomposition, which is slow"
}
