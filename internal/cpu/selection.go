package cpu

import (
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

var selectionKernel = kernel{
	when: onSingles,
	bind: func(m *machine, step plan.Step) (func() error, error) {
		s := selecting{of: step.Op.(*ops.Selection).Of, key: m.keyOf(step.Inputs, 1)}
		y, x, channels := m.result(step).single, m.inputs(step)[0].single, step.Inputs[0].Shape[0]
		return always(func() {
			places, n := s.places(), len(x)/channels
			k := len(places)
			m.device.workers.Run(channels, func(c int) {
				pure.SelectRow(y[c*k:(c+1)*k], x[c*n:(c+1)*n], places)
			})
		}), nil
	},
}

var selectionGradientKernel = kernel{
	when: onSingles,
	bind: func(m *machine, step plan.Step) (func() error, error) {
		s := selecting{of: step.Op.(*ops.SelectionGradient).Of, key: m.keyOf(step.Inputs, 1)}
		dx, dy, channels := m.result(step).single, m.inputs(step)[0].single, step.Inputs[0].Shape[0]
		return always(func() {
			places, n := s.places(), len(dx)/channels
			k := len(places)
			m.device.workers.Run(channels, func(c int) {
				pure.SelectRowGradient(dx[c*n:(c+1)*n], dy[c*k:(c+1)*k], places)
			})
		}), nil
	},
}

// selecting is a selection whose places are worked out when the key changes.
type selecting struct {
	of    pure.Selection
	key   []float64
	by    float64 // the key of known
	known []int32
}

func (s *selecting) places() []int32 {
	if s.known == nil || s.by != s.key[0] {
		s.by, s.known = s.key[0], s.of.Places(s.key[0])
	}
	return s.known
}

// keyOf returns where the key is that stands among inputs from number i on, or a zero
// where there is none.
func (m *machine) keyOf(inputs []*plan.Buffer, i int) []float64 {
	if i < len(inputs) {
		return m.values[inputs[i]].double
	}
	return []float64{0}
}
