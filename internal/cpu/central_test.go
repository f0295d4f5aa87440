package cpu

import (
	"fmt"
	"slices"
	"testing"

	"impasto/internal/pure"
)

func TestPowerMomentsComputeTheirDefinition(t *testing.T) {
	for _, shape := range [][2]int{{1, 1}, {3, 7}, {70, 1000}} {
		channels, n := shape[0], shape[1]
		x := normal(channels*n, 1)
		want, wantGradient := make([]float64, channels*pure.Orders), make([]float32, len(x))
		for c := range channels {
			moments := want[c*pure.Orders : (c+1)*pure.Orders]
			pure.PowerMoments(moments, x[c*n:(c+1)*n])
			pure.PowerMomentsGradient(wantGradient[c*n:(c+1)*n], x[c*n:(c+1)*n], moments)
		}
		for _, threads := range []int{1, 2, 5} {
			w := testWorkers(t, threads)
			got, gradient := make([]float64, len(want)), make([]float32, len(x))
			powerMoments(w, got, x, channels)
			powerMomentsGradient(w, gradient, x, got, channels)
			if !slices.Equal(got, want) || !slices.Equal(gradient, wantGradient) {
				t.Errorf("%v, %d threads: not the definition", shape, threads)
			}
		}
	}
}

func BenchmarkPowerMoments(b *testing.B) {
	for _, size := range [][2]int{{64, 50176}, {512, 784}} {
		channels, n := size[0], size[1]
		w := testWorkers(b, 0)
		x, dx, moments := normal(channels*n, 1), make([]float32, channels*n), make([]float64, channels*pure.Orders)
		b.Run(fmt.Sprintf("C=%d/N=%d", channels, n), func(b *testing.B) {
			for b.Loop() {
				powerMoments(w, moments, x, channels)
				powerMomentsGradient(w, dx, x, moments, channels)
			}
		})
	}
}
