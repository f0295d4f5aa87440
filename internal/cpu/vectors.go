package cpu

import (
	"fmt"

	"impasto/internal/cpu/kernels"
	"impasto/internal/optim"
)

// The optimisers' vectors are optim.HostVector, as those of optim.Host, whose
// loops define what the kernels here compute.

// Scale implements optim.Vectors.
func (d *Device) Scale(alpha float64, x optim.Vector) {
	kernels.Scale(d.workers, float32(alpha), x.(optim.HostVector))
}

// AddScaled implements optim.Vectors.
func (d *Device) AddScaled(y optim.Vector, alpha float64, x optim.Vector) {
	kernels.Axpy(d.workers, y.(optim.HostVector), float32(alpha), x.(optim.HostVector))
}

// Dot implements optim.Vectors.
func (d *Device) Dot(x, y optim.Vector) (float64, error) {
	if x.Len() != y.Len() {
		return 0, fmt.Errorf("cpu: dot product of %d and %d elements, want as many of each", x.Len(), y.Len())
	}
	return kernels.Dot(d.workers, x.(optim.HostVector), y.(optim.HostVector)), nil
}

// Dots implements optim.Vectors.
func (d *Device) Dots(pairs ...[2]optim.Vector) ([]float64, error) { return optim.DotEach(d, pairs) }

// TwoLoop implements optim.Vectors.
func (d *Device) TwoLoop(q optim.Vector, history []optim.Curvature) error {
	return optim.TwoLoop(d, q, history)
}

// Clamp implements optim.Vectors.
func (d *Device) Clamp(x optim.Vector, low, high float64) {
	kernels.Clamp(d.workers, x.(optim.HostVector), float32(low), float32(high))
}

// Average implements optim.Vectors.
func (d *Device) Average(mean optim.Vector, decay float64, x optim.Vector) {
	kernels.Average(d.workers, mean.(optim.HostVector), float32(decay), x.(optim.HostVector))
}

// AdamStep implements optim.Vectors.
func (d *Device) AdamStep(s optim.AdamStep) {
	kernels.AdamStep(d.workers, s.Point.(optim.HostVector), s.Gradient.(optim.HostVector),
		s.Mean.(optim.HostVector), s.Square.(optim.HostVector),
		kernels.Adam{StepSize: s.StepSize, Beta1: s.Beta1, Beta2: s.Beta2, Epsilon: s.Epsilon, Iteration: s.Iteration})
}
