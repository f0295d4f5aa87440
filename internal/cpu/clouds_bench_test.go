package cpu

import (
	"fmt"
	"runtime"
	"testing"

	"impasto/internal/cpu/kernels"
	"impasto/internal/pure"
)

// fixedSinkhorn makes a given number of iterations. Cold, it makes as many
// annealing steps before as there are factors of four in 1/ε.
func fixedSinkhorn(channels, iterations int) pure.Sinkhorn {
	return pure.Sinkhorn{Channels: channels, Epsilon: 0.05, Tolerance: 0, Iterations: iterations, Scaled: true}
}

// BenchmarkClouds evaluates loss and gradient of all positions of relu1_1 by the
// side of a square picture, for sinkhorn with five iterations from the last
// evaluation's potentials. passes/op is the time in passes over all pairs at the
// rate that the machine has for products of 1024×1024 matrices; MiB all that was
// allocated by the first evaluation, the gradient included.
func BenchmarkClouds(b *testing.B) {
	for _, loss := range []pure.CloudLoss{
		fixedSinkhorn(64, 5), pure.Relaxed{Channels: 64}, pure.MMD{Channels: 64, Scaled: true},
	} {
		for _, side := range []int{32, 64, 128, 224} {
			n := side * side
			b.Run(fmt.Sprintf("%T/side=%d", loss, side), func(b *testing.B) {
				w := testWorkers(b, 0)
				x, y := features(64, n, 0.3, 1), features(64, n, 0, 2)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				gradient := make([]float32, len(x))
				c := evaluationOf(w, loss, n, n)
				c.evaluate(gradient, x, y)
				runtime.ReadMemStats(&after)
				rate := matrixRate(w)
				for b.Loop() {
					x[0]++
					clear(gradient)
					c.evaluate(gradient, x, y)
				}
				seconds := b.Elapsed().Seconds() / float64(b.N)
				rate = (rate + matrixRate(w)) / 2 // before and after
				b.ReportMetric(seconds*rate/(2*float64(n)*float64(n)*64), "passes/op")
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/(1<<20), "MiB")
			})
		}
	}
}

func matrixRate(w *kernels.Workers) float64 {
	rate, _ := (&Device{workers: w}).MatrixRate()
	return rate
}
