package cpu

import (
	"impasto/internal/cpu/kernels"
	"impasto/internal/pure"
)

// mapBlock is how many values of a map one part of a sum takes. It is fixed, so
// that sums don't depend on the number of threads.
const mapBlock = 1 << 14

// difference computes pure.CompareDifference into value.
func difference(w *kernels.Workers, f pure.Difference, value []float64, x, target []float32) func() {
	sums := newDifferenceSums(len(x))
	return func() { value[0] = f.Slopes(sumBlocks(w, sums, x, target)).Value }
}

// differenceGradient computes pure.DifferenceGradient into dx.
func differenceGradient(w *kernels.Workers, f pure.Difference, dx, x, target []float32, grad []float64) func() {
	sums := newDifferenceSums(len(x))
	return func() {
		slopeBlocks(w, f.Slopes(sumBlocks(w, sums, x, target)), dx, x, target, grad[0])
	}
}

// gram computes pure.Gram's Compare into result, the loss and then the cotangent.
func gram(w *kernels.Workers, g pure.Gram, result, summary, target []float64) func() error {
	means := g.Channels
	cotangent, summary, target := result[1+means:], summary[means:], target[means:]
	sums := newDifferenceSums(len(summary))
	return func() error {
		s := g.Slopes(sumBlocks(w, sums, summary, target), target)
		result[0] = s.Value
		clear(result[1 : 1+means])
		slopeBlocks(w, s, cotangent, summary, target, 1)
		return nil
	}
}

// newDifferenceSums are the sums of each block of n values.
func newDifferenceSums(n int) []pure.DifferenceSums {
	return make([]pure.DifferenceSums, (n+mapBlock-1)/mapBlock)
}

func sumBlocks[T pure.Float](w *kernels.Workers, sums []pure.DifferenceSums, x, target []T) pure.DifferenceSums {
	w.Run(len(sums), func(part int) {
		first, end := part*mapBlock, min(len(x), (part+1)*mapBlock)
		sums[part] = pure.SumDifference(x[first:end], target[first:end])
	})
	var total pure.DifferenceSums
	for _, s := range sums {
		total.Add(s)
	}
	return total
}

func slopeBlocks[T pure.Float](w *kernels.Workers, s pure.Slopes, dx, x, target []T, grad float64) {
	w.Run((len(x)+mapBlock-1)/mapBlock, func(part int) {
		first, end := part*mapBlock, min(len(x), (part+1)*mapBlock)
		pure.SlopeGradient(s, dx[first:end], x[first:end], target[first:end], grad)
	})
}
