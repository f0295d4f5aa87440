package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"impasto/internal/cpu/kernels"
	"impasto/internal/pure"
)

// features are of channels that differ in size. They aren't rectified, for points
// on few axes have several nearest ones, and gradients by either are right.
func features(channels, n int, shift float64, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 11))
	x := make([]float32, channels*n)
	for i := range x {
		x[i] = float32((r.NormFloat64() + shift) * float64(1+i/n%3))
	}
	return x
}

// cloudLosses are losses with settings that both ways of evaluation take to the
// end.
func cloudLosses(channels int) []pure.CloudLoss {
	return []pure.CloudLoss{
		pure.Sinkhorn{Channels: channels, Epsilon: 0.1, Tolerance: 2e-6, Iterations: 1000},
		pure.Sinkhorn{Channels: channels, Epsilon: 0.05, Tolerance: 2e-6, Iterations: 1000, Scaled: true},
		pure.Relaxed{Channels: channels},
		pure.Relaxed{Channels: channels, Factor: 3, Scaled: true},
		pure.Relaxed{Channels: channels, Euclidean: true},
		pure.Relaxed{Channels: channels, Euclidean: true, Scaled: true},
		pure.MMD{Channels: channels},
		pure.MMD{Channels: channels, Scaled: true},
	}
}

// compareClouds compares an evaluation with the definition. Float32 products cost
// some 1e-5; marginals that differ by 2e-6, which in these clouds converge slowly,
// some 1e-4.
func compareClouds(t *testing.T, what string, c *clouds, x, y []float32, draw float64) {
	t.Helper()
	result := make([]float32, len(x)+2)
	c.run(result, x, y, draw)
	want := make([]float64, len(x))
	value, err := pure.CompareClouds(c.comparison, want, wide(x), wide(y), draw)
	if err != nil {
		t.Fatal(err)
	}
	got := float64(result[len(x)]) + float64(result[len(x)+1])
	size := math.Abs(value)
	if s, ok := c.comparison.Loss.(pure.Sinkhorn); ok {
		// A difference of transport costs is as accurate as these are.
		_, factor := s.Regularisation(pure.SpreadOf(y, s.Channels, nil))
		size = factor * pure.SpreadOf(y, s.Channels, nil).Square
	}
	if !(math.Abs(got-value) <= 1e-5*size+1e-6*math.Abs(value)+1e-12) {
		t.Errorf("%s: %g, want %g", what, got, value)
	}
	var norm, off float64
	for i, g := range want {
		norm += g * g
		off += (float64(result[i]) - g) * (float64(result[i]) - g)
	}
	if !(math.Sqrt(off) <= 5e-4*math.Sqrt(norm)+1e-12) {
		t.Errorf("%s: gradient of norm %g is off by %g", what, math.Sqrt(norm), math.Sqrt(off))
	}
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func TestCloudsAgreeWithTheirDefinition(t *testing.T) {
	for _, path := range kernels.ISAs() {
		t.Setenv(kernels.Environment, path)
		w := testWorkers(t, 2)
		for _, shape := range [][3]int{{3, 60, 45}, {5, 48, 48}, {17, 100, 131}, {2, 1, 30}, {4, 30, 1}, {3, 1, 1}} {
			channels, n, m := shape[0], shape[1], shape[2]
			x, y := features(channels, n, 0.3, 1), features(channels, m, 0, 2)
			for _, loss := range cloudLosses(channels) {
				for _, most := range []int{0, 29} {
					comparison := pure.CloudComparison{Loss: loss, Channels: channels, Sample: pure.Sample{Most: most}}
					what := fmt.Sprint(path, " ", shape, " ", comparison)
					c := newClouds(w, comparison, n, m)
					for turn := range 3 {
						compareClouds(t, fmt.Sprint(what, ", turn ", turn), c, x, y, float64(turn)*0.3)
						for i := range x {
							x[i] *= 1 + 0.01*float32(i%5)
						}
					}
				}
			}
		}
	}
}

func TestCloudsFollowANewTarget(t *testing.T) {
	w := testWorkers(t, 1)
	x := features(4, 50, 0.3, 1)
	for _, loss := range cloudLosses(4) {
		c := newClouds(w, pure.CloudComparison{Loss: loss, Channels: 4}, 50, 70)
		for turn, scale := range []float32{1, 30, 0.2, 0, 1} {
			y := features(4, 70, 0, uint64(turn))
			for i := range y {
				y[i] *= scale
			}
			compareClouds(t, fmt.Sprint(loss, " times ", scale), c, x, y, 0)
		}
	}
}

// TestConstantCloudsHaveALoss has all distances equal within a cloud.
func TestConstantCloudsHaveALoss(t *testing.T) {
	w := testWorkers(t, 1)
	flat := func(n int, value float32) []float32 { return slices.Repeat([]float32{value}, 4*n) }
	random := features(4, 50, 0.3, 1)
	for _, loss := range cloudLosses(4) {
		for i, pair := range [][2][]float32{
			{flat(50, 1), flat(70, 3)}, {flat(50, 2), flat(50, 2)}, {random, flat(70, 3)}, {flat(70, 3), random}, {flat(9, 0), flat(8, 0)},
		} {
			x, y := pair[0], pair[1]
			c := newClouds(w, pure.CloudComparison{Loss: loss, Channels: 4}, len(x)/4, len(y)/4)
			compareClouds(t, fmt.Sprint(loss, ", pair ", i), c, x, y, 0)
		}
	}
}

func TestCloudsAreTheSameForAnyNumberOfThreads(t *testing.T) {
	x, y := features(20, 900, 0.3, 1), features(20, 700, 0, 2)
	for _, loss := range cloudLosses(20) {
		var want []float32
		for _, threads := range []int{1, 2, 5} {
			result := make([]float32, len(x)+2)
			c := newClouds(testWorkers(t, threads), pure.CloudComparison{Loss: loss, Channels: 20, Sample: pure.Sample{Most: 400}}, 900, 700)
			c.run(result, x, y, 0.5)
			c.run(result, x, y, 0.6)
			if want == nil {
				want = result
			} else if !slices.Equal(result, want) {
				t.Errorf("%v: %d threads give another result than one", loss, threads)
			}
		}
	}
}

// TestWhatIsNotANumberShowsInTheLoss, and is forgotten when it is gone.
func TestWhatIsNotANumberShowsInTheLoss(t *testing.T) {
	w := testWorkers(t, 2)
	for _, loss := range cloudLosses(4) {
		for _, most := range []int{0, 60} {
			x, y := features(4, 100, 0.3, 1), features(4, 70, 0, 2)
			c := newClouds(w, pure.CloudComparison{Loss: loss, Channels: 4, Sample: pure.Sample{Most: most}}, 100, 70)
			good := slices.Clone(x)
			result := make([]float32, len(x)+2)
			for turn := range 2 {
				for i := range x {
					x[i] = float32(math.NaN())
				}
				if c.run(result, x, y, 0); !math.IsNaN(float64(result[len(x)])) {
					t.Errorf("%v: NaN gives %v", loss, result[len(x)])
				}
				copy(x, good)
				compareClouds(t, fmt.Sprint(loss, " of ", most, " after NaN, turn ", turn), c, x, y, 0)
			}
		}
	}
}

// TestCloudsNeedMemoryForTheirPointsOnly counts all that is allocated, garbage
// too. At N = M = 50,176 and C = 64, what relu1_1 of 224×224 pixels has, 1300 bytes
// a point and the result would be 62 MiB.
func TestCloudsNeedMemoryForTheirPointsOnly(t *testing.T) {
	const channels, n = 64, 6000
	w := testWorkers(t, 1)
	x, y := features(channels, n, 0.3, 1), features(channels, n, 0, 2)
	for _, loss := range []pure.CloudLoss{
		fixedSinkhorn(channels, 2), pure.Relaxed{Channels: channels}, pure.MMD{Channels: channels},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		result := make([]float32, len(x)+2)
		newClouds(w, pure.CloudComparison{Loss: loss, Channels: channels}, n, n).run(result, x, y, 0)
		runtime.ReadMemStats(&after)
		perPoint := float64(after.TotalAlloc-before.TotalAlloc) / n
		t.Logf("%v: %.0f bytes a point", loss, perPoint)
		if perPoint > 1300 {
			t.Errorf("%v: %.0f bytes a point, want at most 1300", loss, perPoint)
		}
	}
}

// A descent moves points a little and draws others for every other evaluation. With
// one refinement each, the gradient is off by a quarter of its norm after a draw and
// by half of that after another.
func TestSinkhornStaysNearItsDefinitionOnTheWay(t *testing.T) {
	const channels, n, m, most = 16, 1200, 1000, 500
	w := testWorkers(t, 2)
	loss := pure.Sinkhorn{Channels: channels, Epsilon: 0.05, Tolerance: 2e-2, Iterations: 12, Refinements: 1}
	exact := loss
	exact.Tolerance, exact.Iterations = 1e-5, 1000
	c := newClouds(w, pure.CloudComparison{Loss: loss, Channels: channels, Sample: pure.Sample{Most: most}}, n, m)
	truth := c.comparison
	truth.Loss = exact
	x, y := features(channels, n, 0.3, 1), features(channels, m, 0, 2)
	result, want := make([]float32, len(x)+2), make([]float64, len(x))
	for turn := range 20 {
		draw := float64(turn/2) / 10 // two evaluations each
		c.run(result, x, y, draw)
		value, err := pure.CompareClouds(truth, want, wide(x), wide(y), draw)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(result[len(x)]); math.Abs(got-value) > 0.05*value {
			t.Errorf("turn %d: %g, want %g", turn, got, value)
		}
		var norm, off float64
		for i, g := range want {
			norm += g * g
			off += (float64(result[i]) - g) * (float64(result[i]) - g)
			x[i] -= 12 * result[i] // a twentieth of the way
		}
		if most := []float64{0.35, 0.2}[turn%2]; math.Sqrt(off/norm) > most {
			t.Errorf("turn %d: the gradient is off by %.2g of its norm", turn, math.Sqrt(off/norm))
		}
	}
}
