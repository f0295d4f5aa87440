package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
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

// cloudMachine evaluates a loss between two clouds in a schedule: between samples of
// them where most isn't 0, with the mean of the whole target for their centre.
type cloudMachine struct {
	plan.Machine
	loss                                    pure.CloudLoss
	points, targets                         pure.Selection
	x, target, centre, key, value, gradient *gorgonia.Node
}

func newCloudMachine(t *testing.T, d *Device, loss pure.CloudLoss, most, n, m int) *cloudMachine {
	t.Helper()
	g := gorgonia.NewGraph()
	c := &cloudMachine{
		loss:   loss,
		points: pure.Selection{Height: 1, Width: n, Most: most}, targets: pure.Selection{Height: 1, Width: m, Most: most},
		x: mapInput(g, "x", loss.Dimensions(), 1, n), target: mapInput(g, "target", loss.Dimensions(), 1, m),
	}
	o := ops.CloudOperands{X: c.x, Target: c.target}
	if most > 0 {
		c.key, c.centre = scalarInput(g, "key"), vectorInput(g, "centre", loss.Dimensions())
		o.X, o.Target = must(t)(ops.Select(c.points, c.x, c.key)), must(t)(ops.Select(c.targets, c.target, c.key))
		o.Key, o.Centre = c.key, c.centre
	}
	switch l := loss.(type) {
	case pure.Sinkhorn:
		c.value = must(t)(ops.CompareClouds(l, o))
	case pure.Relaxed:
		c.value = must(t)(ops.CompareClouds(l, o))
	case pure.MMD:
		c.value = must(t)(ops.CompareClouds(l, o))
	}
	gradients, err := gorgonia.Grad(c.value, c.x)
	if err != nil {
		t.Fatal(err)
	}
	c.gradient = gradients[0]
	c.Machine = compiled(t, d, scheduled(t, c.value, c.gradient))
	return c
}

// at evaluates the loss.
func (c *cloudMachine) at(t *testing.T, x, y []float32, key float64) (value float64, gradient []float32) {
	t.Helper()
	write(t, c, c.x, x)
	write(t, c, c.target, y)
	if c.key != nil {
		write64(t, c, c.key, key)
		write64(t, c, c.centre, pure.SpreadOf(y, c.loss.Dimensions()).Mean...)
	}
	run(t, c)
	return read(t, c, c.value).Double[0], read(t, c, c.gradient).Single
}

// define computes a loss between the samples that the machine looks at by its
// definition.
func (c *cloudMachine) define(t *testing.T, loss pure.CloudLoss, x, y []float32, key float64) (value float64, gradient []float64) {
	t.Helper()
	channels := loss.Dimensions()
	sample := func(of []float32, s pure.Selection) []float64 {
		points := make([]float64, channels*s.Count())
		pure.Select(points, pure.Doubles(of), s.Places(key), channels)
		return points
	}
	points := sample(x, c.points)
	slopes := make([]float64, len(points))
	value, err := loss.Compare(slopes, points, sample(y, c.targets))
	if err != nil {
		t.Fatal(err)
	}
	gradient = make([]float64, len(x))
	pure.SelectGradient(gradient, slopes, c.points.Places(key), channels)
	return value, gradient
}

// agrees compares an evaluation with the definition.
func (c *cloudMachine) agrees(t *testing.T, what string, x, y []float32, key float64) {
	t.Helper()
	value, gradient := c.define(t, c.loss, x, y, key)
	c.comesTo(t, what, x, y, key, value, gradient)
}

// comesTo compares an evaluation with what the definition gives. Float32 products cost
// some 1e-5; marginals that differ by 2e-6, which in these clouds converge slowly,
// some 1e-4.
func (c *cloudMachine) comesTo(t *testing.T, what string, x, y []float32, key, value float64, want []float64) {
	t.Helper()
	got, gradient := c.at(t, x, y, key)
	size := math.Abs(value)
	if s, ok := c.loss.(pure.Sinkhorn); ok {
		// A difference of transport costs is as accurate as these are.
		_, factor := s.Regularisation(pure.SpreadOf(y, s.Channels))
		size = factor * pure.SpreadOf(y, s.Channels).Square
	}
	if !(math.Abs(got-value) <= 1e-5*size+1e-6*math.Abs(value)+1e-12) {
		t.Errorf("%s: %g, want %g", what, got, value)
	}
	var norm, off float64
	for i, g := range want {
		norm += g * g
		off += (float64(gradient[i]) - g) * (float64(gradient[i]) - g)
	}
	if !(math.Sqrt(off) <= 5e-4*math.Sqrt(norm)+1e-12) {
		t.Errorf("%s: gradient of norm %g is off by %g", what, math.Sqrt(norm), math.Sqrt(off))
	}
}

func TestCloudsAgreeWithTheirDefinition(t *testing.T) {
	var devices []*Device // with one set of inner loops each
	for _, path := range kernels.ISAs() {
		t.Setenv(kernels.Environment, path)
		devices = append(devices, opened(t, Options{Threads: 1}))
	}
	for _, shape := range [][3]int{{3, 60, 45}, {5, 48, 48}, {17, 100, 131}, {2, 1, 30}, {4, 30, 1}, {3, 1, 1}} {
		channels, n, m := shape[0], shape[1], shape[2]
		x, y := features(channels, n, 0.3, 1), features(channels, m, 0, 2)
		for _, loss := range cloudLosses(channels) {
			for _, most := range []int{0, 29} {
				var machines []*cloudMachine
				for _, d := range devices {
					machines = append(machines, newCloudMachine(t, d, loss, most, n, m))
				}
				for turn := range 3 {
					key := float64(turn) * 0.3
					value, gradient := machines[0].define(t, loss, x, y, key)
					for i, c := range machines {
						what := fmt.Sprintf("%s %v %#v, sample of %d, turn %d", kernels.ISAs()[i], shape, loss, most, turn)
						c.comesTo(t, what, x, y, key, value, gradient)
					}
					for i := range x {
						x[i] *= 1 + 0.01*float32(i%5)
					}
				}
			}
		}
	}
}

func TestCloudsFollowANewTarget(t *testing.T) {
	d := opened(t, Options{Threads: 1})
	x := features(4, 50, 0.3, 1)
	for _, loss := range cloudLosses(4) {
		c := newCloudMachine(t, d, loss, 0, 50, 70)
		for turn, scale := range []float32{1, 30, 0.2, 0, 1} {
			y := features(4, 70, 0, uint64(turn))
			for i := range y {
				y[i] *= scale
			}
			c.agrees(t, fmt.Sprintf("%#v times %g", loss, scale), x, y, 0)
		}
	}
}

// TestConstantCloudsHaveALoss has all distances equal within a cloud.
func TestConstantCloudsHaveALoss(t *testing.T) {
	d := opened(t, Options{Threads: 1})
	flat := func(n int, value float32) []float32 { return slices.Repeat([]float32{value}, 4*n) }
	random := features(4, 50, 0.3, 1)
	for _, loss := range cloudLosses(4) {
		for i, pair := range [][2][]float32{
			{flat(50, 1), flat(70, 3)}, {flat(50, 2), flat(50, 2)}, {random, flat(70, 3)}, {flat(70, 3), random}, {flat(9, 0), flat(8, 0)},
		} {
			x, y := pair[0], pair[1]
			newCloudMachine(t, d, loss, 0, len(x)/4, len(y)/4).agrees(t, fmt.Sprintf("%#v, pair %d", loss, i), x, y, 0)
		}
	}
}

func TestCloudsAreTheSameForAnyNumberOfThreads(t *testing.T) {
	x, y := features(20, 900, 0.3, 1), features(20, 700, 0, 2)
	for _, loss := range cloudLosses(20) {
		var want []float64
		for _, threads := range []int{1, 2, 5} {
			c := newCloudMachine(t, opened(t, Options{Threads: threads}), loss, 400, 900, 700)
			c.at(t, x, y, 0.5)
			value, gradient := c.at(t, x, y, 0.6)
			result := append(pure.Doubles(gradient), value)
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
	d := opened(t, Options{Threads: 1})
	for _, loss := range cloudLosses(4) {
		for _, most := range []int{0, 60} {
			x, y := features(4, 100, 0.3, 1), features(4, 70, 0, 2)
			c := newCloudMachine(t, d, loss, most, 100, 70)
			good := slices.Clone(x)
			value, gradient := c.define(t, loss, x, y, 0)
			for turn := range 2 {
				for i := range x {
					x[i] = float32(math.NaN())
				}
				if value, _ := c.at(t, x, y, 0); !math.IsNaN(value) {
					t.Errorf("%v: NaN gives %v", loss, value)
				}
				copy(x, good)
				c.comesTo(t, fmt.Sprintf("%#v of %d after NaN, turn %d", loss, most, turn), x, y, 0, value, gradient)
			}
		}
	}
}

// evaluationOf returns the evaluation of a loss between clouds of n and m points, on
// its own.
func evaluationOf(w *kernels.Workers, loss pure.CloudLoss, n, m int) cloudEvaluation {
	c := newClouds(w, loss.Dimensions(), n, m)
	switch l := loss.(type) {
	case pure.Sinkhorn:
		return newSinkhorn(c, l, nil, nil)
	case pure.Relaxed:
		return newRelaxed(c, l)
	}
	return newMMD(c, loss.(pure.MMD))
}

// TestCloudsNeedMemoryForTheirPointsOnly counts all that is allocated, garbage
// too. At N = M = 50,176 and C = 64, what relu1_1 of 224×224 pixels has, 1300 bytes
// a point and the gradient would be 62 MiB.
func TestCloudsNeedMemoryForTheirPointsOnly(t *testing.T) {
	const channels, n = 64, 3000
	w := testWorkers(t, 1)
	x, y := features(channels, n, 0.3, 1), features(channels, n, 0, 2)
	for _, loss := range []pure.CloudLoss{
		fixedSinkhorn(channels, 2), pure.Relaxed{Channels: channels}, pure.MMD{Channels: channels},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		gradient := make([]float32, len(x))
		evaluationOf(w, loss, n, n).evaluate(gradient, x, y)
		runtime.ReadMemStats(&after)
		perPoint := float64(after.TotalAlloc-before.TotalAlloc) / n
		t.Logf("%v: %.0f bytes a point", loss, perPoint)
		if perPoint > 1300 {
			t.Errorf("%v: %.0f bytes a point, want at most 1300", loss, perPoint)
		}
	}
}

// A descent moves points a little and draws others for every other evaluation. With
// one refinement each, the gradient is off by a quarter of its norm at the first
// evaluation of a key and by half of that at the second.
func TestSinkhornStaysNearItsDefinitionOnTheWay(t *testing.T) {
	const channels, n, m, most = 16, 1200, 1000, 500
	loss := pure.Sinkhorn{Channels: channels, Epsilon: 0.05, Tolerance: 2e-2, Iterations: 12, Refinements: 1}
	exact := loss
	exact.Tolerance, exact.Iterations = 1e-5, 1000
	c := newCloudMachine(t, opened(t, Options{Threads: 1}), loss, most, n, m)
	x, y := features(channels, n, 0.3, 1), features(channels, m, 0, 2)
	for turn := range 10 {
		key := float64(turn/2) / 10 // two evaluations each
		got, gradient := c.at(t, x, y, key)
		value, want := c.define(t, exact, x, y, key)
		if math.Abs(got-value) > 0.05*value {
			t.Errorf("turn %d: %g, want %g", turn, got, value)
		}
		var norm, off float64
		for i, g := range want {
			norm += g * g
			off += (float64(gradient[i]) - g) * (float64(gradient[i]) - g)
			x[i] -= 12 * gradient[i] // a twentieth of the way
		}
		if most := []float64{0.35, 0.2}[turn%2]; math.Sqrt(off/norm) > most {
			t.Errorf("turn %d: the gradient is off by %.2g of its norm", turn, math.Sqrt(off/norm))
		}
	}
}
