//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

// interpolations calls do with each element of planes, each of the four of the coarser grid
// that it lies between, and that one's weight.
func interpolations(planes int, s pure.Smoothing, do func(fine, coarse int, weight float64)) {
	c := s.Coarser()
	for plane := range planes {
		for i := range s.Height {
			top, bottom, upper := pure.Between(i, c.Height)
			for j := range s.Width {
				left, right, near := pure.Between(j, c.Width)
				at := func(row, column int, weight float32) {
					do((plane*s.Height+i)*s.Width+j, (plane*c.Height+row)*c.Width+column, float64(weight))
				}
				at(top, left, upper*near)
				at(top, right, upper*(1-near))
				at(bottom, left, (1-upper)*near)
				at(bottom, right, (1-upper)*(1-near))
			}
		}
	}
}

func TestSmoothingMatchesItsInterpolation(t *testing.T) {
	const gain = 0.35
	for _, shape := range [][3]int{{1, 4, 4}, {3, 5, 4}, {3, 4, 7}, {2, 23, 34}, {3, 31, 33}, {1, 6, 301}} {
		planes := shape[0]
		s := pure.Smoothing{Height: shape[1], Width: shape[2]}
		c := s.Coarser()
		n, coarser := planes*s.Height*s.Width, planes*c.Height*c.Width
		t.Run(fmt.Sprint(shape), func(t *testing.T) {
			inEveryOrder(t, func(t *testing.T) {
				xs, coarses := normal(n, 1), normal(coarser, 2)

				coarse, partials := host.Allocate(4*coarser), host.Allocate(3*8)
				launch(t, "restrict", host.Dim{X: 3}, vectorBlock, 0, coarse, partials, host.From(xs), planes, s.Height, s.Width)
				restricted := make([]float64, coarser)
				interpolations(planes, s, func(i, j int, weight float64) { restricted[j] += weight * float64(xs[i]) })
				near(t, "restricted", host.Of[float32](coarse), restricted, 1e-6)
				var square float64
				for _, v := range host.Of[float32](coarse)[:coarser] {
					square += float64(v) * float64(v)
				}
				parts := host.Of[float64](partials)
				near(t, "square", []float64{parts[0] + parts[1] + parts[2]}, []float64{square}, 1e-12)
				again := host.Allocate(4 * coarser)
				launch(t, "restrict", host.Dim{X: 2}, vectorBlock, 0, again, 0, host.From(xs), planes, s.Height, s.Width)
				near(t, "restricted without a square", host.Of[float32](again), host.Of[float32](coarse)[:coarser], 0)

				x := host.From(xs)
				launch(t, "prolong", host.Dim{X: 3}, vectorBlock, 0, x, host.From(coarses), gain, planes, s.Height, s.Width)
				prolonged := make([]float64, n)
				for i, v := range xs {
					prolonged[i] = float64(v)
				}
				interpolations(planes, s, func(i, j int, weight float64) { prolonged[i] += gain * weight * float64(coarses[j]) })
				near(t, "prolonged", host.Of[float32](x), prolonged, 1e-6)
			})
		})
	}
}
