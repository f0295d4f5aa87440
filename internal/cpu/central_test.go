package cpu

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
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
		g := gorgonia.NewGraph()
		picture := mapInput(g, "x", channels, 1, n)
		moments := must(t)(ops.SummarisePowers(picture))
		gradient := pulledBack(t, moments, moments, picture)
		for _, threads := range []int{1, 2, 5} {
			m := compiled(t, opened(t, Options{Threads: threads}), scheduled(t, moments, gradient))
			write(t, m, picture, x)
			run(t, m)
			if !slices.Equal(read(t, m, moments).Double, want) || !slices.Equal(read(t, m, gradient).Single, wantGradient) {
				t.Errorf("%v, %d threads: not the definition", shape, threads)
			}
		}
	}
}
