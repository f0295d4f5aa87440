package pure

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
)

// cloudCase is a pair of clouds with what other packages say of them, made by
// testdata/make_clouds.py.
type cloudCase struct {
	Channels           int
	X, Y               []float64
	Exact, Cosine, MMD float64
	Sinkhorn           map[string]float64
	Gradient           []float64
}

func cloudCases(t *testing.T) (cases []cloudCase) {
	t.Helper()
	raw, err := os.ReadFile("testdata/clouds.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func evaluate(t *testing.T, loss CloudLoss, x, y []float64) (value float64, gradient []float64) {
	t.Helper()
	gradient = make([]float64, len(x))
	value, err := loss.Compare(gradient, x, y)
	if err != nil {
		t.Fatal(err)
	}
	return value, gradient
}

func randomCloud(channels, n int, shift float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 4))
	x := make([]float64, channels*n)
	for i := range x {
		x[i] = r.NormFloat64() + shift
	}
	return x
}

// sinkhornAt has converged when it is done.
func sinkhornAt(channels int, epsilon float64) Sinkhorn {
	return Sinkhorn{Channels: channels, Epsilon: epsilon, Tolerance: 1e-6, Iterations: 20000}
}

// TestSinkhornAgreesWithGeomLoss compares with values that are good to some 1e-5:
// that package anneals and makes no iterations at the ε it arrives at. A value is
// wrong to second order by what is missing, a gradient to first.
func TestSinkhornAgreesWithGeomLoss(t *testing.T) {
	for i, c := range cloudCases(t) {
		for ratio, want := range c.Sinkhorn {
			epsilon, err := strconv.ParseFloat(ratio, 64)
			if err != nil {
				t.Fatal(err)
			}
			got, gradient := evaluate(t, sinkhornAt(c.Channels, epsilon), c.X, c.Y)
			if math.Abs(got-want) > 1e-4*want {
				t.Errorf("case %d at %g: %g, want %g", i, epsilon, got, want)
			}
			if epsilon != 0.2 {
				continue
			}
			for k, g := range gradient {
				if math.Abs(g-c.Gradient[k]) > 1e-2*slices.Max(c.Gradient) {
					t.Errorf("case %d: gradient %g at %d, want %g", i, g, k, c.Gradient[k])
				}
			}
		}
	}
}

// TestSinkhornTendsToExactTransport: what entropy takes away is of the order of ε.
func TestSinkhornTendsToExactTransport(t *testing.T) {
	for i, c := range cloudCases(t) {
		for _, epsilon := range []float64{0.1, 0.02, 0.004} {
			loss := sinkhornAt(c.Channels, epsilon)
			loss.Tolerance = 1e-4
			got, _ := evaluate(t, loss, c.X, c.Y)
			e, _ := loss.Regularisation(SpreadOf(c.Y, c.Channels))
			if math.Abs(got-c.Exact) > 1.5*float64(c.Channels)*e {
				t.Errorf("case %d with ε = %g is %g, the exact transport %g", i, e, got, c.Exact)
			}
		}
	}
}

// TestSinkhornFindsTheBestAssignment searches all of them.
func TestSinkhornFindsTheBestAssignment(t *testing.T) {
	const channels, n = 2, 6
	for seed := range uint64(4) {
		x, y := randomCloud(channels, n, 0, seed), randomCloud(channels, n, 1, seed+10)
		costs := pairCosts(x, y, channels)
		best := math.Inf(1)
		var search func(row int, free []int, sum float64)
		search = func(row int, free []int, sum float64) {
			if row == n {
				best = min(best, sum/n)
			}
			for k, j := range free {
				search(row+1, append(append([]int(nil), free[:k]...), free[k+1:]...), sum+costs[row*n+j])
			}
		}
		search(0, []int{0, 1, 2, 3, 4, 5}, 0)
		loss := sinkhornAt(channels, 2e-3)
		loss.Tolerance = 1e-4
		if got, _ := evaluate(t, loss, x, y); math.Abs(got-best) > 1e-2*best {
			t.Errorf("seed %d: %g, the best assignment costs %g", seed, got, best)
		}
		if got, _ := evaluate(t, Relaxed{Channels: channels, Euclidean: true}, x, y); got > best || got < best/10 {
			t.Errorf("seed %d: relaxed is %g, the best assignment costs %g", seed, got, best)
		}
	}
}

func TestRelaxedIsALowerBoundOfExactTransport(t *testing.T) {
	for i, c := range cloudCases(t) {
		for _, euclidean := range []bool{false, true} {
			exact := c.Cosine
			if euclidean {
				exact = c.Exact
			}
			got, _ := evaluate(t, Relaxed{Channels: c.Channels, Euclidean: euclidean}, c.X, c.Y)
			if got < -1e-12 || got > exact*(1+1e-9)+1e-12 {
				t.Errorf("case %d, euclidean=%t: %g, the exact transport is %g", i, euclidean, got, exact)
			}
			if n := len(c.X) / c.Channels; n == 1 && math.Abs(got-exact) > 1e-9*exact {
				t.Errorf("case %d, euclidean=%t: to one point it is %g, want %g as there is but one plan", i, euclidean, got, exact)
			}
		}
	}
}

func TestMMDAgreesWithGeomLoss(t *testing.T) {
	for i, c := range cloudCases(t) {
		if got, _ := evaluate(t, MMD{Channels: c.Channels}, c.X, c.Y); math.Abs(got-c.MMD) > 1e-9 {
			t.Errorf("case %d: %g, want %g", i, got, c.MMD)
		}
	}
}

func TestCloudLossesAreZeroOnlyAtEquality(t *testing.T) {
	const channels = 3
	x := randomCloud(channels, 20, 0, 1)
	// The same points in another order.
	same := slices.Clone(x)
	for c := range channels {
		slices.Reverse(same[c*20 : (c+1)*20])
	}
	other := randomCloud(channels, 25, 0.2, 2)
	for _, loss := range []CloudLoss{
		sinkhornAt(channels, 0.05), MMD{Channels: channels}, Relaxed{Channels: channels}, Relaxed{Channels: channels, Euclidean: true},
	} {
		if got, _ := evaluate(t, loss, x, same); math.Abs(got) > 1e-6 {
			t.Errorf("%v: %g between equal clouds", loss, got)
		}
		if got, _ := evaluate(t, loss, x, other); got < 1e-3 {
			t.Errorf("%v: %g between different clouds", loss, got)
		}
	}
}

// TestRelaxedIsBlindToHowOftenAPointIsThere shows what the others see.
func TestRelaxedIsBlindToHowOftenAPointIsThere(t *testing.T) {
	x, y := []float64{1, 2}, []float64{1, 1, 1, 2}
	if got, _ := evaluate(t, Relaxed{Channels: 1, Euclidean: true}, x, y); got != 0 {
		t.Errorf("relaxed: %g, want 0", got)
	}
	if got, _ := evaluate(t, sinkhornAt(1, 0.01), x, y); math.Abs(got-0.25) > 0.01 {
		t.Errorf("sinkhorn: %g, want a quarter moved by 1", got)
	}
	if got, _ := evaluate(t, MMD{Channels: 1}, x, y); got < 0.01 {
		t.Errorf("mmd: %g, want more", got)
	}
}
