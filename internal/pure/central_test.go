package pure

import (
	"math"
	"math/rand/v2"
	"testing"
)

func powers(x []float64) []float64 {
	moments := make([]float64, Orders)
	PowerMoments(moments, x)
	return moments
}

func TestPowerMomentsAreMeansOfPowers(t *testing.T) {
	got := powers([]float64{3, 1, -4, 3})
	for i, want := range []float64{3. / 4, 35. / 4, -9. / 4, 419. / 4, -537. / 4} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("order %d: %g, want %g", i+1, got[i], want)
		}
	}
}

func TestPowerMomentsBlend(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	x := make([]float64, 50)
	for i := range x {
		x[i] = 2 + r.NormFloat64()
	}
	whole, first, rest := powers(x), powers(x[:20]), powers(x[20:])
	for k, want := range whole {
		if got := 0.4*first[k] + 0.6*rest[k]; math.Abs(got-want) > 1e-13*math.Abs(want) {
			t.Errorf("order %d: parts make %g, the whole has %g", k+1, got, want)
		}
	}
}

// TestCentralMomentsSurviveALargeMean shifts points by up to a thousand of their
// deviations, in which raw moments nearly cancel.
func TestCentralMomentsSurviveALargeMean(t *testing.T) {
	x := []float64{-1, 0, 0, 3, -2} // central moments 0, 14/5, 18/5, 98/5, 210/5
	for shift, tolerance := range map[float64]float64{0: 1e-15, 10: 1e-11, 100: 1e-6, 1000: 1e-2} {
		shifted := make([]float64, len(x))
		for i, v := range x {
			shifted[i] = v + shift
		}
		got := centralMoments(powers(shifted))
		for k, want := range []float64{1, 0, 14. / 5, 18. / 5, 98. / 5, 210. / 5} {
			if k == Orders && shift == 1000 {
				continue // 1e15·2⁻⁵³ is no less than the moment
			}
			if math.Abs(got[k]-want) > tolerance*math.Abs(want) {
				t.Errorf("moment %d about a mean of %g is %g, want %g", k, shift, got[k], want)
			}
		}
	}
}

func TestConstantFeaturesHaveNoCentralMoments(t *testing.T) {
	for _, value := range []float64{0, 1, 1. / 3, -1e-20, 1e4, 777.7} {
		x := make([]float64, 50176)
		for i := range x {
			x[i] = value
		}
		for k, moment := range centralMoments(powers(x)) {
			if k > 0 && moment != 0 {
				t.Errorf("of %g everywhere, moment %d is %g", value, k, moment)
			}
		}
	}
}

func TestCentralMomentsCompareByRoots(t *testing.T) {
	// Means 0 and 2; central moments 0, 1, 0, 1, 0 and 0, 4, 0, 16, 0.
	x, y := powers([]float64{-1, 1}), powers([]float64{0, 4})
	cotangent := make([]float64, Orders)
	value, err := CentralMoments{Channels: 1}.Compare(cotangent, x, y)
	if err != nil {
		t.Fatal(err)
	}
	if want := 4. + 1 + 0 + 1 + 0; math.Abs(value-want) > 1e-12 {
		t.Errorf("distance %g, want %g", value, want)
	}
	value, err = CentralMoments{Channels: 1, Scaled: true}.Compare(cotangent, x, y)
	if err != nil {
		t.Fatal(err)
	}
	if want := 6. / 8; math.Abs(value-want) > 1e-8 {
		t.Errorf("scaled %g, want %g", value, want)
	}
}

func TestSmoothRootsHaveBoundedSlopes(t *testing.T) {
	const delta = 0.5
	for k := 2; k <= Orders; k++ {
		bound := math.Pow(delta, float64(1-k))
		for _, c := range []float64{0, 1e-300, 1e-9, -1e-9, 1e-3, -0.02, 0.4, 7, -1e9} {
			root, slope := smoothRoot(c, k, delta)
			if !(slope > 0) || slope > bound*(1+1e-12) {
				t.Errorf("order %d at %g: slope %g, want above 0 and at most %g", k, c, slope, bound)
			}
			if root*c < 0 || math.Abs(root) > math.Pow(math.Abs(c), 1/float64(k))*(1+1e-12) {
				t.Errorf("order %d at %g: root %g", k, c, root)
			}
		}
	}
}

func TestCentralMomentsOfZerosAndOfWhatIsNotFinite(t *testing.T) {
	zeros, cotangent := make([]float64, Orders), make([]float64, Orders)
	for _, m := range []CentralMoments{{Channels: 1}, {Channels: 1, Smoothing: 0.5, Scaled: true}} {
		value, err := m.Compare(cotangent, zeros, zeros)
		if err != nil || value != 0 {
			t.Errorf("%v: of zeros %g, %v", m, value, err)
		}
		for _, g := range cotangent {
			if g != 0 {
				t.Errorf("%v: cotangent of zeros %v", m, cotangent)
				break
			}
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			value, err := m.Compare(cotangent, powers([]float64{1, bad}), powers([]float64{1, 2}))
			if err == nil && !math.IsNaN(value) && !math.IsInf(value, 0) {
				t.Errorf("%v: of %g among the features %g", m, bad, value)
			}
		}
	}
}
