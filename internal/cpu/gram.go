package cpu

import (
	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// gramKernel computes pure.Gram's Compare on all threads.
var gramKernel = kernel{
	evaluate: func(m *machine, loss ops.Loss, in []*plan.Buffer) func(gradient value) (float64, error) {
		g, w := loss.(*ops.Comparison[pure.Gram]).Loss, m.device.workers
		means := g.Channels
		summary, target := m.values[in[0]].double[means:], m.values[in[1]].double[means:]
		return func(gradient value) (float64, error) {
			s := g.Slopes(kernels.SumDifference(w, summary, target), target)
			clear(gradient.double[:means])
			kernels.SlopeGradient(w, s, gradient.double[means:], summary, target, 1)
			return s.Value, nil
		}
	},
}
