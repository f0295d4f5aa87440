package model

import (
	"fmt"
	"testing"

	"impasto/internal/optim"
	"impasto/vgg19"
)

// BenchmarkIteration evaluates the default loss and its gradient, which is all of
// an iteration but the optimiser's step, and reports what it allocates.
func BenchmarkIteration(b *testing.B) {
	for _, size := range []int{128, 256, 512} {
		for _, loss := range []string{"gram", "gaussian"} {
			b.Run(fmt.Sprintf("size=%d/loss=%s", size, loss), func(b *testing.B) {
				o := DefaultOptions()
				o.Size, o.MinSize = size, size
				o.SetLoss(named(loss))
				r, err := newRun(b.Context(), waves(size, size, 0.1), []Style{{waves(size, size, 0.3), 1}}, o, nil)
				if err != nil {
					b.Fatal(err)
				}
				defer r.extractor.Close()
				t, err := r.extractor.targets(b.Context(), r.levels[0])
				if err != nil {
					b.Fatal(err)
				}
				objective, err := r.extractor.objective(r.levels[0], t)
				if err != nil {
					b.Fatal(err)
				}
				defer objective.Close()
				if err := r.extractor.Device.Upload(vectorOf(b, objective), r.best.RGB); err != nil {
					b.Fatal(err)
				}
				if _, err := objective.evaluate(b.Context()); err != nil { // prepares targets and filters
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := objective.evaluate(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				operations := 2 * vgg19.Operations(size, size, "relu5_1")
				b.ReportMetric(operations*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func vectorOf(b *testing.B, o *objective) optim.Vector {
	b.Helper()
	v, err := o.Vector(o.picture)
	if err != nil {
		b.Fatal(err)
	}
	return v
}
