package kernels

import (
	"fmt"
	"testing"

	"impasto/internal/pure"
)

// Channels, pixels.
var momentShapes = [][2]int{{1, 1}, {3, 7}, {5, 129}, {8, 64}, {13, 1000}, {64, 300}, {65, 257}, {200, 33}, {12, 20000}, {70, 8193}}

func TestMomentsMatchPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, s := range momentShapes {
			channels, n := s[0], s[1]
			x := values(1, channels*n)
			wantMean, wantSecond := make([]float64, channels), make([]float64, channels*channels)
			pure.Moments(wantMean, wantSecond, x, channels)
			for _, precise := range []bool{true, false} {
				name, tolerance := fmt.Sprintf("%s, precise %t: ", shape(channels, n), precise), 1e-13
				if !precise {
					tolerance = 3e-7
				}
				mean, second := newGuarded[float64](channels), newGuarded[float64](channels*channels)
				Moments(w, mean.values, second.values, Single(x), channels, n, precise)
				near(t, name+"mean", mean.values, wantMean, 1e-13)
				near(t, name+"second", second.values, wantSecond, tolerance)
				mean.check(t, name+"mean")
				second.check(t, name+"second")
				for i := range channels {
					for j := range i {
						if second.values[i*channels+j] != second.values[j*channels+i] {
							t.Fatalf("%ssecond moment is not symmetric at %d, %d", name, i, j)
						}
					}
				}
				alone := make([]float64, channels*channels)
				Moments(w, nil, alone, Single(x), channels, n, precise)
				same(t, name+"second without mean", alone, second.values)
			}
		}
	})
}

func TestMomentsGradientMatchesPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, s := range momentShapes {
			channels, n := s[0], s[1]
			x, dmean, dsecond := values(1, channels*n), float64s(values(2, channels)), float64s(values(3, channels*channels))
			for _, mean := range [][]float64{dmean, nil} {
				want := make([]float64, channels*n)
				definition := mean
				if mean == nil {
					definition = make([]float64, channels)
				}
				pure.MomentsGradient(want, float64s(x), definition, dsecond, channels)
				dx := newGuarded[float32](channels * n)
				MomentsGradient(w, dx.values, Single(x), mean, dsecond, channels, n, false)
				near(t, "gradient "+shape(channels, n), dx.values, want, tolerance32)
				copy(dx.values, x)
				for i, v := range x {
					want[i] += float64(v)
				}
				MomentsGradient(w, dx.values, Single(x), mean, dsecond, channels, n, true)
				near(t, "added gradient "+shape(channels, n), dx.values, want, tolerance32)
				dx.check(t, "gradient "+shape(channels, n))
			}
		}
	})
}

// someWeights are n weights from 0 to 1, of which some are 0.
func someWeights(n int) []float32 {
	weights := values(4, n)
	for i, w := range weights {
		weights[i] = min(max(w, 0), 1)
	}
	weights[n/2] = 0.25 // one that isn't 0
	return weights
}

func TestWeightedMomentsMatchPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, s := range momentShapes {
			channels, n := s[0], s[1]
			x, weights, total := values(1, channels*n), someWeights(n), 0.7*float64(n)
			wantMean, wantSecond := make([]float64, channels), make([]float64, channels*channels)
			pure.WeightedMoments(wantMean, wantSecond, x, weights, total, channels)
			for _, precise := range []bool{true, false} {
				name := fmt.Sprintf("%s, precise %t: ", shape(channels, n), precise)
				mean, second := newGuarded[float64](channels), newGuarded[float64](channels*channels)
				WeightedMoments(w, mean.values, second.values, Single(x), weights, total, channels, n, precise)
				near(t, name+"mean", mean.values, wantMean, 3e-7) // roots are rounded to float32
				near(t, name+"second", second.values, wantSecond, 3e-7)
				mean.check(t, name+"mean")
				second.check(t, name+"second")
			}
		}
	})
}

func TestWeightedMomentsGradientMatchesPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, s := range momentShapes {
			channels, n := s[0], s[1]
			x, dmean, dsecond := values(1, channels*n), float64s(values(2, channels)), float64s(values(3, channels*channels))
			weights, total := someWeights(n), 0.7*float64(n)
			want := make([]float64, channels*n)
			pure.WeightedMomentsGradient(want, float64s(x), float64s(weights), dmean, dsecond, total, channels)
			dx := newGuarded[float32](channels * n)
			WeightedMomentsGradient(w, dx.values, Single(x), weights, dmean, dsecond, total, channels, n, false)
			near(t, "gradient "+shape(channels, n), dx.values, want, tolerance32)
			copy(dx.values, x)
			for i, v := range x {
				want[i] += float64(v)
			}
			WeightedMomentsGradient(w, dx.values, Single(x), weights, dmean, dsecond, total, channels, n, true)
			near(t, "added gradient "+shape(channels, n), dx.values, want, tolerance32)
			dx.check(t, "gradient "+shape(channels, n))
		}
	})
}

func TestMomentsAreTheSameForAnyNumberOfThreads(t *testing.T) {
	for _, set := range isas() {
		const channels, n = 70, 20000
		x := values(1, channels*n)
		var second []float64
		for _, threads := range []int{1, 2, 5} {
			w := newWorkers(threads, set)
			got := make([]float64, channels*channels)
			Moments(w, nil, got, Single(x), channels, n, false)
			if second != nil {
				same(t, set.name, got, second)
			}
			second = got
			w.Close()
		}
	}
}

func BenchmarkMoments(b *testing.B) {
	for _, set := range isas() {
		w := newWorkers(2, set)
		for _, s := range [][2]int{{64, 65536}, {128, 16384}, {256, 4096}, {512, 1024}, {512, 256}} {
			channels, n := s[0], s[1]
			x, dx, second := values(1, channels*n), make([]float32, channels*n), make([]float64, channels*channels)
			operations := 2 * float64(channels*channels*n)
			for form, x := range map[string]Map{"single": Single(x), "half": {Half: halves(x)}} {
				b.Run(set.name+"/value/"+form+"/"+shape(channels, n), func(b *testing.B) {
					for b.Loop() {
						Moments(w, nil, second, x, channels, n, false)
					}
					reportRate(b, operations)
				})
				b.Run(set.name+"/gradient/"+form+"/"+shape(channels, n), func(b *testing.B) {
					for b.Loop() {
						MomentsGradient(w, dx, x, nil, second, channels, n, false)
					}
					reportRate(b, operations)
				})
			}
		}
		w.Close()
	}
}
