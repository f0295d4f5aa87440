//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"math"
	"testing"

	"impasto/cuda/kernels/host"
)

// cloudOf lays points (n × channels) out with rows of depth, rounded to TF32 if asked.
func cloudOf(points []float32, channels, depth int, rounded bool) (host.Memory, []float32) {
	n := len(points) / channels
	values := make([]float32, n*depth)
	for i := range n {
		for c := range channels {
			v := points[i*channels+c]
			if rounded {
				v = math.Float32frombits((math.Float32bits(v) + 0x1000) &^ 0x1fff)
				points[i*channels+c] = v
			}
			values[i*depth+c] = v
		}
	}
	return host.From(values), points
}

func pairMemory(depth int) int {
	if depth <= 128 {
		return 32<<10 + 8<<10*depth/16
	}
	return 64 << 10
}

func TestPairsMatchTheirLoops(t *testing.T) {
	for _, shape := range [][4]int{{5, 16, 3, 7}, {64, 64, 130, 300}, {150, 160, 140, 129}, {17, 32, 260, 90}} {
		channels, depth, n, m := shape[0], shape[1], shape[2], shape[3]
		for _, kind := range []string{"tf32", "f32"} {
			t.Run(fmt.Sprint(shape, kind), func(t *testing.T) {
				xs, x := cloudOf(normal(n*channels, 1), channels, depth, kind == "tf32")
				ys, y := cloudOf(normal(m*channels, 2), channels, depth, kind == "tf32")
				bias, rowBias := normal(m, 3), normal(n, 4)
				const scale, parts = 0.7, 2
				products := make([]float64, n*m)
				for i := range n {
					for j := range m {
						for c := range channels {
							products[i*m+j] += float64(x[i*channels+c]) * float64(y[j*channels+c])
						}
					}
				}
				wantLogs, wantMixture, wantBest := make([]float64, n), make([]float64, n), make([]int, n)
				wantPulled, wantMass := make([]float64, n*channels), make([]float64, n)
				wantPulledMixture, wantMassMixture := make([]float64, n*channels), make([]float64, n)
				for i := range n {
					for j := range m {
						p := products[i*m+j]
						wantLogs[i] += math.Exp2(scale * (p + float64(bias[j])))
						v := scale * (p + float64(bias[j]) + float64(rowBias[i]))
						u := math.Exp2(min(v, 0))
						w := math.Exp2(v)
						wantMass[i] += w
						var slopes float64
						for k := 1; k <= 16; k *= 2 {
							wantMixture[i] += math.Pow(u, float64(k))
							slopes += float64(k) * math.Pow(u, float64(k))
						}
						wantMassMixture[i] += slopes
						for c := range channels {
							wantPulled[i*channels+c] += w * float64(y[j*channels+c])
							wantPulledMixture[i*channels+c] += slopes * float64(y[j*channels+c])
						}
						if p+float64(bias[j]) > products[i*m+wantBest[i]]+float64(bias[wantBest[i]]) {
							wantBest[i] = j
						}
					}
					wantLogs[i] = math.Log2(wantLogs[i])
				}
				inEveryOrder(t, func(t *testing.T) {
					grid := host.Dim{X: blocks(n, 128), Y: parts}
					factor, b, rb := host.From([]float64{scale}), host.From(bias), host.From(rowBias)
					logs, values, indices := host.Allocate(8*parts*n), host.Allocate(4*parts*n), host.Allocate(4*parts*n)
					launch(t, "log_sums_"+kind, grid, vectorBlock, pairMemory(depth), logs, xs, ys, b, factor, 0, n, m, depth)
					total := make([]float64, n)
					for i := range n {
						for part := range parts {
							total[i] += math.Exp2(host.Of[float64](logs)[part*n+i])
						}
						total[i] = math.Log2(total[i])
					}
					near(t, "log sums", total, wantLogs, 1e-5)
					launch(t, "mixture_sums_"+kind, grid, vectorBlock, pairMemory(depth), logs, xs, ys, rb, b, factor, n, m, depth)
					for i := range n {
						total[i] = host.Of[float64](logs)[i] + host.Of[float64](logs)[n+i]
					}
					near(t, "mixture", total, wantMixture, 1e-4)
					launch(t, "greatest_"+kind, grid, vectorBlock, pairMemory(depth), values, indices, xs, ys, b, n, m, depth)
					for i := range n {
						at := int(host.Of[int32](indices)[i])
						if host.Of[float32](values)[n+i] > host.Of[float32](values)[i] {
							at = int(host.Of[int32](indices)[n+i])
						}
						best := products[i*m+wantBest[i]] + float64(bias[wantBest[i]])
						if got := products[i*m+at] + float64(bias[at]); best-got > 1e-4 {
							t.Fatalf("greatest of row %d is column %d with %g, want %d with %g", i, at, got, wantBest[i], best)
						}
					}
					grid = host.Dim{X: blocks(n, 128), Y: blocks(depth, 64)}
					pulled, mass := host.Allocate(4*n*depth), host.Allocate(4*n)
					tolerance := 1e-4
					if kind == "tf32" {
						tolerance = 2e-3
					}
					check := func(what string, wantPulled, wantMass []float64) {
						near(t, what+"'s mass", host.Of[float32](mass)[:n], wantMass, 1e-4)
						for i := range n {
							near(t, what, host.Of[float32](pulled)[i*depth:i*depth+channels], wantPulled[i*channels:(i+1)*channels], tolerance)
						}
					}
					launch(t, "pull_"+kind, grid, vectorBlock, 66560, pulled, mass, xs, ys, rb, b, factor, n, m, depth)
					check("pull", wantPulled, wantMass)
					launch(t, "pull_mixture_"+kind, grid, vectorBlock, 66560, pulled, mass, xs, ys, rb, b, factor, n, m, depth)
					check("pull of a mixture", wantPulledMixture, wantMassMixture)
				})
			})
		}
	}
}
