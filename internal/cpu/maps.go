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
	sum := newDifferenceSums(len(x))
	return func() { value[0] = sum.slopes(w, f, x, target).Value }
}

// differenceGradient computes pure.DifferenceGradient into dx.
func differenceGradient(w *kernels.Workers, f pure.Difference, dx, x, target []float32, grad []float64) func() {
	sum := newDifferenceSums(len(x))
	return func() {
		s := sum.slopes(w, f, x, target)
		w.Run(len(sum), func(part int) {
			first, end := part*mapBlock, min(len(x), (part+1)*mapBlock)
			pure.SlopeGradient(s, dx[first:end], x[first:end], target[first:end], grad[0])
		})
	}
}

// differenceSums are the sums of each block of a map.
type differenceSums []pure.DifferenceSums

func newDifferenceSums(n int) differenceSums {
	return make(differenceSums, (n+mapBlock-1)/mapBlock)
}

func (d differenceSums) slopes(w *kernels.Workers, f pure.Difference, x, target []float32) pure.Slopes {
	w.Run(len(d), func(part int) {
		first, end := part*mapBlock, min(len(x), (part+1)*mapBlock)
		d[part] = pure.SumDifference(x[first:end], target[first:end])
	})
	var total pure.DifferenceSums
	for _, s := range d {
		total.Add(s)
	}
	return f.Slopes(total)
}
