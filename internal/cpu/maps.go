package cpu

import (
	"impasto/internal/cpu/kernels"
	"impasto/internal/pure"
)

// difference computes pure.CompareDifference into value.
func difference(w *kernels.Workers, f pure.Difference, value []float64, x, target []float32) func() {
	return func() { value[0] = f.Slopes(kernels.SumDifference(w, x, target)).Value }
}

// differenceGradient computes pure.DifferenceGradient into dx.
func differenceGradient(w *kernels.Workers, f pure.Difference, dx, x, target []float32, grad []float64) func() {
	return func() {
		kernels.SlopeGradient(w, f.Slopes(kernels.SumDifference(w, x, target)), dx, x, target, grad[0])
	}
}

// gram computes pure.Gram's Compare into result, the loss and then the cotangent.
func gram(w *kernels.Workers, g pure.Gram, result, summary, target []float64) func() error {
	means := g.Channels
	cotangent, summary, target := result[1+means:], summary[means:], target[means:]
	return func() error {
		s := g.Slopes(kernels.SumDifference(w, summary, target), target)
		result[0] = s.Value
		clear(result[1 : 1+means])
		kernels.SlopeGradient(w, s, cotangent, summary, target, 1)
		return nil
	}
}
