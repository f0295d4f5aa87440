package cpu

import (
	"runtime/debug"

	"gorgonia.org/tensor"

	"impasto/internal/plan"
)

// Available implements plan.Device: the system's available memory and what the device keeps for
// reuse.
func (d *Device) Available() (bytes int64, known bool) {
	bytes, known = d.memory()
	return bytes + int64(len(d.spare)), known
}

// reserve reports, as a *plan.MemoryError, a schedule that needs more memory than
// there is. Memory that was freed counts as there.
func (d *Device) reserve(p *plan.Program) error {
	needed := int64(p.Bytes)
	for _, step := range p.Steps {
		if k, ok := d.kernelOf(step); ok && k.keeps != nil {
			needed += k.keeps(step)
		}
	}
	if available, known := d.Available(); !known || needed <= available {
		return nil
	}
	debug.FreeOSMemory()
	if available, _ := d.Available(); needed > available {
		return &plan.MemoryError{Needed: needed, Available: available}
	}
	return nil
}

// PixelMemory implements plan.Machine: what maps would take by themselves, without
// summaries and scalars, which are float64.
func (m *machine) PixelMemory() int64 {
	_, bytes := m.program.Arrange(func(b *plan.Buffer) int {
		if b.Dtype == tensor.Float64 {
			return 0
		}
		return b.Bytes()
	})
	return min(m.Memory(), int64(bytes))
}

// Remark implements plan.Machine.
func (m *machine) Remark() string {
	if !m.missed.Load() {
		return ""
	}
	return "the transport map of a Gaussian loss takes an eigendecomposition, which is slow"
}
