//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"math"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

func channelGrid(channels, parts int) host.Dim { return host.Dim{X: blocks(channels, 32), Y: parts} }

var channelBlock = host.Dim{X: 32, Y: 8}

func TestChannelSummariesMatchTheirDefinitions(t *testing.T) {
	for _, shape := range [][2]int{{3, 10}, {40, 257}, {64, 5}} {
		for _, e := range storage {
			c, n := shape[0], shape[1]
			x := normal(c*n, 1)
			for i := range x {
				x[i] += 0.5
			}
			xs := e.from(t, x)
			planes := planesOf(x, c)
			mean, square, powers := make([]float64, c), make([]float64, c), make([]float64, 5*c)
			pure.ChannelMoments(mean, square, planes)
			for i := range c {
				pure.PowerMoments(powers[5*i:5*i+5], planes[i*n:(i+1)*n])
			}
			inEveryOrder(t, func(t *testing.T) {
				const parts = 3
				partials, summary, means, central, raw := host.Allocate(parts*4*c*8), host.Allocate(2*c*8), host.Allocate(c*8), host.Allocate(4*c*8), host.Allocate(5*c*8)
				launch(t, "channel_squares_"+e.suffix, channelGrid(c, parts), channelBlock, 0, partials, xs, c, n)
				launch(t, "sum_rows", someGrid, vectorBlock, 0, summary, partials, 1/float64(n), parts, 2*c)
				near(t, "means and squares", host.Of[float64](summary)[:2*c], append(mean[:c:c], square...), 1e-12)
				launch(t, "channel_sums_"+e.suffix, channelGrid(c, parts), channelBlock, 0, partials, xs, c, n)
				launch(t, "sum_rows", someGrid, vectorBlock, 0, means, partials, 1/float64(n), parts, c)
				near(t, "means", host.Of[float64](means)[:c], mean, 1e-12)
				launch(t, "channel_powers_"+e.suffix, channelGrid(c, parts), channelBlock, 0, partials, xs, means, c, n)
				launch(t, "sum_rows", someGrid, vectorBlock, 0, central, partials, 1/float64(n), parts, 4*c)
				launch(t, "raw_moments", host.Dim{}, vectorBlock, 0, raw, means, central, c)
				near(t, "raw moments", host.Of[float64](raw)[:5*c], powers, 1e-11)

				dx, want, cotangent := host.Allocate(c*n*e.size), make([]float32, c*n), doubles(5*c, 2)
				pure.ChannelMomentsGradient(want, planes, cotangent[:c], cotangent[c:2*c])
				launch(t, "channel_gradient_"+e.suffix, someGrid, vectorBlock, 0, dx, xs, host.From(cotangent), 0, 0, c, n)
				near(t, "dx", e.to(t, dx, c*n), lastOf(want, c), e.tolerance)
				for i := range c {
					pure.PowerMomentsGradient(want[i*n:(i+1)*n], planes[i*n:(i+1)*n], cotangent[5*i:5*i+5])
				}
				addend, mask, last := normal(c*n, 3), normal(c*n, 4), lastOf(want, c)
				for i := range last {
					if last[i] += addend[i]; mask[i] <= 0 {
						last[i] = 0
					}
				}
				launch(t, "powers_gradient_"+e.suffix, someGrid, vectorBlock, 0, dx, xs, host.From(cotangent), e.from(t, addend), e.from(t, mask), c, n)
				near(t, "dx of powers", e.to(t, dx, c*n), last, e.tolerance)
			})
		}
	}
}

// comparison is where the loss between two summaries lies, its cotangent, and what that is
// multiplied by.
type comparison struct {
	value, cotangent, grad host.Memory
	n                      int
}

// comparisonGrad is a power of two, which rounds nothing.
const comparisonGrad = 4

// newComparison is that of summaries of n numbers.
func newComparison(n int) comparison {
	return comparison{host.Allocate(8), host.Allocate(8 * n), scalars(comparisonGrad), n}
}

// result is the loss, then its derivatives.
func (c comparison) result() []float64 {
	result := append([]float64{host.Of[float64](c.value)[0]}, host.Of[float64](c.cotangent)[:c.n]...)
	for i := range result[1:] {
		result[1+i] /= comparisonGrad
	}
	return result
}

// check compares the loss, and its derivatives, with what they should be.
func (c comparison) check(t *testing.T, what string, want []float64, tolerance float64) {
	t.Helper()
	near(t, what, c.result(), want, tolerance)
}

func TestStatisticsComparisonsMatchTheirDefinitions(t *testing.T) {
	for _, c := range []int{1, 5, 300} {
		for scaled := range 2 {
			x, y := normal(c*17, 1), normal(c*23, 2)
			summary, target := make([]float64, 2*c), make([]float64, 2*c)
			pure.ChannelMoments(summary[:c], summary[c:], x)
			pure.ChannelMoments(target[:c], target[c:], y)
			want := make([]float64, 1+2*c)
			want[0], _ = pure.ChannelStatistics{Channels: c, Scaled: scaled == 1}.Compare(want[1:], summary, target)
			r := newComparison(2 * c)
			launch(t, "statistics_comparison", host.Dim{}, vectorBlock, 0, r.value, r.cotangent, host.From(summary), host.From(target), r.grad, scaled, c)
			r.check(t, "statistics", want, 1e-12)

			for _, smoothing := range []float64{0, 0.1} {
				powers, targets := make([]float64, 5*c), make([]float64, 5*c)
				for i := range c {
					pure.PowerMoments(powers[5*i:5*i+5], x[17*i:17*i+17])
					pure.PowerMoments(targets[5*i:5*i+5], y[23*i:23*i+23])
				}
				want := make([]float64, 1+5*c)
				want[0], _ = pure.CentralMoments{Channels: c, Smoothing: smoothing, Scaled: scaled == 1}.Compare(want[1:], powers, targets)
				r := newComparison(5 * c)
				launch(t, "central_comparison", host.Dim{}, vectorBlock, 0, r.value, r.cotangent, host.From(powers), host.From(targets), r.grad, smoothing, scaled, c)
				r.check(t, "central moments", want, 1e-10)
			}
		}
	}
}

func TestSecondMomentsMatchTheirDefinition(t *testing.T) {
	for _, shape := range [][2]int{{3, 10}, {70, 130}, {64, 33}, {128, 200}} {
		for _, e := range storage {
			for _, onMatrix := range []bool{false, true} {
				c, n := shape[0], shape[1]
				if onMatrix && (e == single || c%64 != 0) {
					continue
				}
				t.Run(fmt.Sprint(shape, e.suffix, onMatrix), func(t *testing.T) {
					x := normal(c*n, 1)
					for i := range x {
						x[i] = max(x[i], 0)
					}
					xs := e.from(t, x)
					planes := planesOf(x, c)
					mean, second := make([]float64, c), make([]float64, c*c)
					pure.Moments(mean, second, planes, c)
					const tolerance = 1e-6
					inEveryOrder(t, func(t *testing.T) {
						const parts = 3
						partials, sums := host.Allocate(parts*c*c*8), host.Allocate(parts*c*8)
						means, result := host.Allocate(c*8), host.Allocate(c*c*8)
						b := blocks(c, 64)
						grid := host.Dim{X: b * (b + 1) / 2, Y: parts}
						if onMatrix {
							launch(t, "second_moments_matrix_"+e.suffix, grid, host.Dim{X: 128}, 27648, partials, sums, xs, c, n)
						} else {
							launch(t, "second_moments_"+e.suffix, grid, vectorBlock, 0, partials, sums, xs, c, n)
						}
						launch(t, "moments_finish", someGrid, vectorBlock, 0, means, result, sums, partials, parts, c, n)
						near(t, "means", host.Of[float64](means)[:c], mean, tolerance)
						near(t, "second moments", host.Of[float64](result)[:c*c], second, tolerance)
					})
				})
			}
		}
	}
}

// TestSecondMomentsOfLongPartsLoseNothing has one block sum up four runs of positions and a
// bit. After two of large values float32 has no room for what the small ones add: 8 to 2²³,
// a sixteenth at a time. In runs of their own every sum is exact.
func TestSecondMomentsOfLongPartsLoseNothing(t *testing.T) {
	const c, run = 64, 1024
	const n = 4*run + 45
	x := make([]float32, n*c)
	for i := range x {
		x[i] = 64
		if i/c >= 2*run {
			x[i] = 1. / 16
		}
	}
	want := (2*run*64*64 + float64(n-2*run)/16/16) / n
	for _, e := range []element{half, brain} {
		partials, sums, means, result := host.Allocate(c*c*8), host.Allocate(c*8), host.Allocate(c*8), host.Allocate(c*c*8)
		launch(t, "second_moments_matrix_"+e.suffix, host.Dim{X: 1, Y: 1}, host.Dim{X: 128}, 27648, partials, sums, e.from(t, x), c, n)
		launch(t, "moments_finish", someGrid, vectorBlock, 0, means, result, sums, partials, 1, c, n)
		for i, v := range host.Of[float64](result)[:c*c] {
			if d := math.Abs(v - want); !(d <= 1e-15*want) {
				t.Fatalf("%s: element %d is %.17g, want %.17g, off by %.2g", e.suffix, i, v, want, d)
			}
		}
		wantMean := (2*run*64 + float64(n-2*run)/16) / n
		for i, v := range host.Of[float64](means)[:c] {
			if d := math.Abs(v - wantMean); !(d <= 1e-15*wantMean) {
				t.Fatalf("%s: mean %d is %.17g, want %.17g, off by %.2g", e.suffix, i, v, wantMean, d)
			}
		}
	}
}

// TestRoundingInSecondMomentsIsBoundedByARun takes parts of many runs: the error stays below
// what 64 truncated additions of float32 may take, whatever the number of positions.
func TestRoundingInSecondMomentsIsBoundedByARun(t *testing.T) {
	const c, n = 64, 20_000
	x := normal(c*n, 1)
	for i := range x {
		x[i] = max(x[i], 0) * float32(1+i%c)
	}
	xs := half.from(t, x)
	stored := half.to(t, xs, c*n)
	second, mean := make([]float64, c*c), make([]float64, c)
	pure.Moments(mean, second, planesOf(stored, c), c)
	partials, sums, means, result := host.Allocate(c*c*8), host.Allocate(c*8), host.Allocate(c*8), host.Allocate(c*c*8)
	launch(t, "second_moments_matrix_f16", host.Dim{X: 1, Y: 1}, host.Dim{X: 128}, 27648, partials, sums, xs, c, n)
	launch(t, "moments_finish", someGrid, vectorBlock, 0, means, result, sums, partials, 1, c, n)
	for i, want := range mean {
		if d := math.Abs(host.Of[float64](means)[i] - want); !(d <= 0x1p-17*want) {
			t.Fatalf("mean %d is %.12g, want %.12g, off by %.2g of it, want %.2g at most", i, host.Of[float64](means)[i], want, d/want, 0x1p-17)
		}
	}
	for i, want := range second { // of products that aren't negative
		if d := math.Abs(host.Of[float64](result)[i] - want); !(d <= 0x1p-17*want) {
			t.Fatalf("element %d is %.12g, want %.12g, off by %.2g of it, want %.2g at most", i, host.Of[float64](result)[i], want, d/want, 0x1p-17)
		}
	}
}

func TestMomentsGradientMatchesItsDefinition(t *testing.T) {
	for _, shape := range [][2]int{{3, 10}, {70, 130}, {64, 33}, {128, 20}} {
		for _, e := range []element{single, half, brain, tensor} {
			c, n := shape[0], shape[1]
			if e == tensor && c%64 != 0 {
				continue
			}
			t.Run(fmt.Sprint(shape, e.suffix), func(t *testing.T) {
				stored := e
				if e == tensor {
					stored = single
				}
				x, cotangent := normal(c*n, 1), doubles(c+c*c, 2)
				for i := range cotangent {
					cotangent[i] *= 1e-9
				}
				xs := stored.from(t, x)
				dx := make([]float32, c*n)
				pure.MomentsGradient(dx, planesOf(x, c), cotangent[:c], cotangent[c:], c)
				want := lastOf(dx, c)
				addend := normal(c*n, 3)
				for i := range addend {
					addend[i] *= 1e-8
				}
				if e == half { // would be too small for the type
					clear(addend)
					for i := range cotangent {
						cotangent[i] *= 1e9
					}
					for i := range want {
						want[i] *= 1e9
					}
				}
				addends := stored.from(t, addend)
				for i := range want {
					want[i] += addend[i]
				}
				ds := host.From(cotangent)
				greatest, factor, bias, result := host.Allocate(3*8), host.Allocate(4), host.Allocate(4*c), host.Allocate(c*n*e.size)
				launch(t, "cotangent_greatest", someGrid, vectorBlock, 0, greatest, ds.At(8*c), c)
				// The plain product takes its matrix in float32, the matrix units in the map's type.
				matrix := host.Allocate(c * c * 4)
				launch(t, "moments_cotangent_f32", someGrid, vectorBlock, 0, matrix, factor, bias, ds, greatest, 3, c, n, 0)
				if e != tensor {
					launch(t, "product_"+e.suffix, host.Dim{X: blocks(n, 128), Y: blocks(c, 64)}, vectorBlock, 0, result, xs, matrix, factor, bias, addends, 0, c, c, n)
					near(t, "dx", stored.to(t, result, c*n), want, e.tolerance)
				}
				if e == single || c%64 != 0 {
					return
				}
				columns := 64 << (c / 128)
				launch(t, "moments_cotangent_"+e.suffix, someGrid, vectorBlock, 0, matrix, factor, bias, ds, greatest, 3, c, n, 0)
				launch(t, fmt.Sprintf("product_matrix%d_%s", columns, e.suffix), host.Dim{X: blocks(n, 128), Y: c / columns}, vectorBlock, 4*64*(128+columns),
					result, xs, matrix, factor, bias, addends, 0, c, c, n)
				near(t, "dx on matrix units", stored.to(t, result, c*n), want, 2*e.tolerance)
			})
		}
	}
}
