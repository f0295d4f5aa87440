//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"image"
	"math"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

var someGrid = host.Dim{X: 3}

func planesOf(last []float32, channels int) []float32 { return lastOf(last, len(last)/channels) }

func TestPoolingsMatchTheirDefinitions(t *testing.T) {
	for _, shape := range [][3]int{{8, 4, 6}, {3, 5, 7}, {16, 3, 2}, {24, 2, 9}} {
		for mode, name := range []string{"max", "mean", "l2"} {
			for _, e := range storage {
				t.Run(fmt.Sprint(shape, name, e.suffix), func(t *testing.T) {
					p := pure.Pool{Mode: pure.PoolMode(mode), Scale: 0.75, Channels: shape[0], Height: shape[1], Width: shape[2]}
					n, m := shape[0]*shape[1]*shape[2], shape[0]*(shape[1]/2)*(shape[2]/2)
					x, dy, addend := normal(n, 1), normal(m, 2), normal(n, 3)
					for i := range x { // ties, and windows of zeros
						x[i] = max(float32(math.Round(float64(x[i])*2)), 0)
					}
					y, dx := make([]float32, m), make([]float32, n)
					e.from(t, dy)
					e.from(t, addend)
					pure.ApplyPool(p, y, planesOf(x, p.Channels))
					pure.PoolGradient(p, dx, planesOf(dy, p.Channels), planesOf(x, p.Channels))
					plain := lastOf(dx, p.Channels)
					fused := make([]float32, n)
					for i := range fused {
						if x[i] > 0 {
							fused[i] = plain[i] + addend[i]
						}
					}
					xs, dys, ys, dxs := e.from(t, x), e.from(t, dy), host.Allocate(m*e.size), host.Allocate(n*e.size)
					launch(t, "pool_"+name+"_"+e.suffix, someGrid, vectorBlock, 0, ys, xs, 0.75, p.Channels, p.Height, p.Width)
					near(t, "y", e.to(t, ys, m), lastOf(y, p.Channels), e.tolerance)
					gradient := "pool_" + name + "_gradient_" + e.suffix
					launch(t, gradient, someGrid, vectorBlock, 0, dxs, dys, xs, 0, 0, 0.75, p.Channels, p.Height, p.Width)
					near(t, "dx", e.to(t, dxs, n), plain, e.tolerance)
					launch(t, gradient, someGrid, vectorBlock, 0, dxs, dys, xs, e.from(t, addend), 1, 0.75, p.Channels, p.Height, p.Width)
					near(t, "dx with the rest", e.to(t, dxs, n), fused, e.tolerance)
				})
			}
		}
	}
}

func TestVariationMatchesItsDefinition(t *testing.T) {
	for _, shape := range [][3]int{{3, 5, 7}, {1, 1, 1}, {3, 1, 4}, {2, 6, 1}, {3, 40, 33}} {
		planes, height, width := shape[0], shape[1], shape[2]
		n := planes * height * width
		x, addend, dx := normal(n, 1), normal(n, 2), make([]float32, n)
		straight, diagonal := pure.VariationWeights(planes, height, width)
		inEveryOrder(t, func(t *testing.T) {
			partials, value, out := host.Allocate(3*8), host.Allocate(8), host.Allocate(4*n)
			launch(t, "variation_partials", someGrid, vectorBlock, 0, partials, host.From(x), straight, diagonal, planes, height, width)
			launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, value, partials, 3, 1.0)
			near(t, "variation", host.Of[float64](value)[:1], []float64{pure.TotalVariation(x, planes, height, width)}, 1e-12)
			launch(t, "variation_gradient", someGrid, vectorBlock, 0, out, host.From(x), host.From([]float64{3}), host.From(addend), straight, diagonal, planes, height, width)
			pure.TotalVariationGradient(dx, x, planes, height, width, 3)
			for i := range dx {
				dx[i] += addend[i]
			}
			near(t, "gradient", host.Of[float32](out), dx, 1e-6)
		})
	}
}

func TestDifferencesMatchTheirDefinition(t *testing.T) {
	for _, n := range []int{1, 300, 2001} {
		for _, e := range storage {
			for scaled := range 2 {
				form := pure.Difference{Scaled: scaled == 1, N: n}
				x, target, addend, dx := normal(n, 1), normal(n, 2), normal(n, 3), make([]float32, n)
				target[0] = x[0]
				xs, targets, addends := e.from(t, x), e.from(t, target), e.from(t, addend)
				pure.SlopeGradient(form.Slopes(pure.SumDifference(x, target)), dx, x, target, comparisonGrad)
				for i := range dx {
					dx[i] += addend[i]
				}
				partials, sums, r, out := host.Allocate(9*8), host.Allocate(3*8), newComparison(3), host.Allocate(n*e.size)
				launch(t, "difference_partials_"+e.suffix, someGrid, vectorBlock, 0, partials, xs, targets, n)
				launch(t, "sum_partials", someGrid, vectorBlock, 0, sums, partials, 3, 1.0)
				summary := make([]float64, 3)
				pure.SumDifference(x, target).Put(summary)
				near(t, "sums", host.Of[float64](sums)[:3], summary, 1e-12)
				want := make([]float64, 4)
				want[0], _ = form.Compare(want[1:], summary, nil)
				launch(t, "difference_comparison", host.Dim{}, vectorBlock, 0, r.value, r.cotangent, sums, r.grad, scaled, n)
				r.check(t, "difference", want, 1e-12)
				launch(t, "difference_gradient_"+e.suffix, someGrid, vectorBlock, 0, out, xs, targets, r.cotangent, addends, n)
				near(t, "gradient", e.to(t, out, n), dx, e.tolerance)
			}
		}
	}
}

func doubles(n int, seed uint64) []float64 {
	values := make([]float64, n)
	for i, v := range normal(n, seed) {
		values[i] = float64(v)
	}
	return values
}

// TestElementwiseKernelsMatchTheirLoops takes elements that lie on 16 bytes and some that
// don't, and results in place of an operand.
func TestElementwiseKernelsMatchTheirLoops(t *testing.T) {
	const n = 1003
	for _, e := range storage {
		a, b, mask := normal(n, 1), normal(n, 2), normal(n, 3)
		e.from(t, a)
		e.from(t, b)
		e.from(t, mask)
		rectified, dx, sum, masked, first := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
		pure.Rectify(rectified, a)
		pure.RectifyGradient(dx, a, b)
		for i := range a {
			if sum[i] = a[i] + b[i]; mask[i] > 0 {
				masked[i], first[i] = sum[i], a[i]
			}
		}
		for _, shifted := range []int{0, 1} {
			place := func(values []float32) host.Memory {
				return e.from(t, append(make([]float32, shifted), values...)).At(shifted * e.size)
			}
			as, bs, masks := place(a), place(b), place(mask)
			out := host.Allocate((n + shifted) * e.size).At(shifted * e.size)
			check := func(what string, got host.Memory, want []float32, tolerance float64) {
				near(t, fmt.Sprint(what, " ", e.suffix, ", shifted by ", shifted), e.to(t, got, n), want, tolerance)
			}
			launch(t, "rectify_"+e.suffix, someGrid, vectorBlock, 0, out, as, n)
			check("rectify", out, rectified, 0)
			launch(t, "rectify_gradient_"+e.suffix, someGrid, vectorBlock, 0, out, as, bs, n)
			check("rectify gradient", out, dx, 0)
			launch(t, "add_"+e.suffix, someGrid, vectorBlock, 0, out, as, bs, n)
			check("add", out, sum, e.tolerance)
			launch(t, "add_masked_"+e.suffix, someGrid, vectorBlock, 0, out, as, bs, masks, n)
			check("add masked", out, masked, e.tolerance)
			launch(t, "add_masked_"+e.suffix, someGrid, vectorBlock, 0, out, as, 0, masks, n)
			check("mask", out, first, 0)
			launch(t, "add_"+e.suffix, someGrid, vectorBlock, 0, as, as, bs, n)
			check("add in place", as, sum, e.tolerance)
		}
	}
}

// TestSelectionsMatchTheirDefinition gathers positions of a map, and the gradient back at
// them, of a whole map and of a part of one.
func TestSelectionsMatchTheirDefinition(t *testing.T) {
	for _, channels := range []int{5, 16} {
		for name, selection := range map[string]pure.Selection{
			"a sample": {Height: 9, Width: 13, Most: 40},
			"a mask":   {Height: 9, Width: 13, Mask: []int32{0, 3, 4, 50, 116}},
			"a part":   {Height: 9, Width: 13, Most: 40, Part: image.Rect(2, 1, 11, 8), Inner: image.Rect(3, 1, 9, 7)},
		} {
			for _, e := range storage {
				t.Run(fmt.Sprint(channels, " channels, ", name, e.suffix), func(t *testing.T) {
					positions, count := selection.Shown().Dx()*selection.Shown().Dy(), selection.Count()
					n, k := positions*channels, count*channels
					x, dy, addend, mask := normal(n, 1), normal(k, 2), normal(n, 3), normal(n, 4)
					xs, dys, addends, masks := e.from(t, x), e.from(t, dy), e.from(t, addend), e.from(t, mask)
					places := selection.Places(0.75)
					y, dx, index := make([]float32, k), make([]float32, n), make([]int32, count)
					pure.Select(y, planesOf(x, channels), places, channels)
					pure.SelectGradient(dx, planesOf(dy, channels), places, channels)
					for i, place := range places {
						index[i] = place + 1
					}
					indices, inverse, ys, dxs := host.From(index), host.From(make([]int32, positions)), host.Allocate(k*e.size), host.Allocate(n*e.size)
					launch(t, "gather_"+e.suffix, someGrid, vectorBlock, 0, ys, xs, indices, 0, 0, channels, count)
					near(t, "y", e.to(t, ys, k), lastOf(y, channels), 0)
					launch(t, "invert_index", someGrid, vectorBlock, 0, inverse, indices, count)
					launch(t, "gather_"+e.suffix, someGrid, vectorBlock, 0, dxs, dys, inverse, 0, 0, channels, positions)
					plain := lastOf(dx, channels)
					near(t, "dx", e.to(t, dxs, n), plain, 0)
					for i := range plain {
						if plain[i] += addend[i]; !(mask[i] > 0) {
							plain[i] = 0
						}
					}
					launch(t, "gather_"+e.suffix, someGrid, vectorBlock, 0, dxs, dys, inverse, addends, masks, channels, positions)
					near(t, "dx with the rest", e.to(t, dxs, n), plain, e.tolerance)
				})
			}
		}
	}
}
