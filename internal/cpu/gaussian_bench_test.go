package cpu

import (
	"fmt"
	"testing"
)

// BenchmarkGaussian evaluates two covariances in turn, a twentieth apart; it is
// no faster where they are nearer.
func BenchmarkGaussian(b *testing.B) {
	for _, size := range []struct{ channels, positions int }{
		{64, 4096}, {128, 4096}, {256, 4096}, {512, 4096}, {512, 1024}, {512, 256}, {512, 64},
	} {
		from := makeCloud(size.channels, size.positions, 1)
		target := makeCloud(size.channels, size.positions, 2).summary(b)
		summaries := [][]float64{from.summary(b), from.moved(0.05, 3).summary(b)}
		b.Run(fmt.Sprintf("C=%d/N=%d", size.channels, size.positions), func(b *testing.B) {
			e := bindGaussian(testWorkers(b, 0), objective(size.channels))
			copy(e.target, target)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				copy(e.summary, summaries[i%2])
				if err := e.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGaussianDefinition(b *testing.B) {
	summary, target := makeCloud(512, 1024, 1).summary(b), makeCloud(512, 1024, 2).summary(b)
	cotangent := make([]float64, len(target))
	for b.Loop() {
		if _, err := objective(512).Compare(cotangent, summary, target); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInverter(b *testing.B) {
	for _, n := range []int{64, 128, 256, 512} {
		from := objective(n).Target(makeCloud(n, 2*n, 1).summary(b)).Covariance
		to := make([]float64, n*n)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			v := newInverter(testWorkers(b, 1), n)
			for b.Loop() {
				v.invert(to, from, n)
			}
		})
	}
}
