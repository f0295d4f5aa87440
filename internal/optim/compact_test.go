package optim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func normal(seed uint64, n int, scale float64) HostVector {
	r := rand.New(rand.NewPCG(seed, 1))
	v := make(HostVector, n)
	for i := range v {
		v[i] = float32(scale * r.NormFloat64())
	}
	return v
}

func squares(v HostVector) (sum float64) {
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return sum
}

// A float16 has 11 bits, so that an element is off by 2⁻¹¹ of itself at most, and by 2⁻²⁵
// of the unit where it is tiny.
func TestCompactVectorsAreRoundedToElevenBits(t *testing.T) {
	for _, scale := range []float64{1e-30, 1e-7, 1, 1e7, 1e15} {
		x, zeros := normal(1, 1000, scale), make(HostVector, 1000)
		x[0], x[1] = float32(30*scale), float32(1e-9*scale)
		c, err := Host{}.NewCompact(len(x))
		if err != nil {
			t.Fatal(err)
		}
		unit := unitFor(squares(x), len(x))
		Host{}.Pack(c, unit, x, zeros)
		got := make([]float32, len(x))
		if err := (Host{}).Download(got, c); err != nil {
			t.Fatal(err)
		}
		for i, v := range x {
			most := max(math.Abs(float64(v))/(1<<11), float64(unit)/(1<<25))
			if math.Abs(float64(got[i]-v)) > most {
				t.Fatalf("%g becomes %g in units of %g, which is off by more than %g", v, got[i], unit, most)
			}
		}
		// What was downloaded is uploaded to the same bits.
		again := &Compact{Unit: unit, Bits: make([]uint16, len(x))}
		if err := (Host{}).Upload(again, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(again.Bits, c.Bits) {
			t.Errorf("at a scale of %g a vector isn't the same after it was downloaded and uploaded", scale)
		}
	}
}

func TestUnitsLeaveRoomForTheLargestElement(t *testing.T) {
	for _, test := range []struct {
		sum  float64
		n    int
		want float32
	}{{0, 5, 1}, {math.NaN(), 5, 1}, {4, 4, 1}, {15.9, 4, 1}, {16, 4, 2}, {1, 4, 0.5}, {1e300, 1, 1 << 100}, {1e-300, 1, 1. / (1 << 100)}} {
		if got := unitFor(test.sum, test.n); got != test.want {
			t.Errorf("the unit of %d elements with squares of %g is %g, want %g", test.n, test.sum, got, test.want)
		}
	}
	// All of a vector in one element.
	const n = 1 << 29
	x := float32(1.999)
	c := &Compact{Bits: make([]uint16, 1)}
	c.Unit = unitFor(float64(x)*float64(x), n)
	c.Set([]float32{x})
	got := make([]float32, 1)
	if c.Expand(got); math.IsInf(float64(got[0]), 0) {
		t.Errorf("%g, all that %d elements have, becomes %g", x, n, got[0])
	}
}

func TestHostSumsOfCompactVectors(t *testing.T) {
	c := &Compact{Unit: 0.5, Bits: make([]uint16, 3)}
	c.Set([]float32{1, -2, 3})
	y := HostVector{4, 5, -6}
	if dot, err := (Host{}).Dot(c, y); err != nil || dot != -24 {
		t.Errorf("dot product is %v, %v, want -24", dot, err)
	}
	if dot, err := (Host{}).Dot(c, c); err != nil || dot != 14 {
		t.Errorf("square is %v, %v, want 14", dot, err)
	}
	if (Host{}).AddScaled(y, 2, c); !slices.Equal(y, HostVector{6, 1, 0}) {
		t.Errorf("y + 2x is %v, want 6 1 0", y)
	}
	x, z := HostVector{1, 2, 3}, HostVector{3, 1, 2}
	if dot, err := (Host{}).DotDifference(HostVector{2, 4, 6}, x, z); err != nil || dot != 6 {
		t.Errorf("dot product with a difference is %v, %v, want 6", dot, err)
	}
	xx, xz, zz, err := Host{}.DotDifferences(x, z, HostVector{1, 1, 1}, HostVector{0, 0, 2})
	if err != nil || xx != 6 || xz != -2 || zz != 3 {
		t.Errorf("products of differences are %v, %v, %v, %v, want 6, -2, 3", xx, xz, zz, err)
	}
}

// Pairs and directions of 11 bits make as good steps, and so do gradients but for what they
// lose of small elements beside large ones, as there are where bounds hold back some.
func TestLBFGSDoesTheSameWithCompactPairs(t *testing.T) {
	compactPairs = true
	defer func() { compactPairs, compactGradients = false, false }()
	tests := map[string]func(*testing.T){
		"finds the minimum":               TestLBFGSFindsTheMinimum,
		"never goes uphill":               TestLBFGSNeverGoesUphill,
		"takes the same steps every time": TestLBFGSTakesTheSameStepsEveryTime,
		"stays within bounds":             TestLBFGSFindsTheMinimumWithinBounds,
		"survives a flat start":           TestLBFGSSurvivesAFlatStart,
		"survives a cliff":                TestLBFGSSurvivesAStartBesideACliff,
		"skips negative curvature":        TestLBFGSSkipsPairsOfNegativeCurvature,
		"falls back":                      TestLBFGSFallsBackToSteepestDescent,
		"tries no tiny step":              TestLBFGSTriesNoStepTooSmallToTell,
		"remembers how far it got":        TestLBFGSRemembersHowFarItGot,
		"returns to the last good point":  TestLBFGSReturnsToTheLastGoodPoint,
		"starts afresh":                   TestLBFGSStartsAfreshAtAnotherScale,
		"follows an objective":            TestLBFGSFollowsAnObjectiveThatChanges,
	}
	for name, test := range tests {
		t.Run(name, test)
	}
	compactGradients = true
	delete(tests, "stays within bounds")
	for name, test := range tests {
		t.Run("with compact gradients "+name, test)
	}
}

// withoutCompact is a device that has no compact vectors.
type withoutCompact struct{ Host }

func (withoutCompact) Compact() CompactVectors { return nil }

func TestElementBytesAreThoseOfTheVectorsThatAreMade(t *testing.T) {
	for name, o := range map[string]LBFGSOptions{
		"compact": {History: 3, Compact: true}, "compact gradient": {History: 3, Compact: true, CompactGradient: true}, "float32": {History: 3},
	} {
		p := newProblem(quadratic("quadratic", 50, 1e4))
		v := &counted{inUse: map[any]int{}, limit: 100}
		l, err := NewLBFGS(v, p.point, p.slope, o)
		if err != nil {
			t.Fatal(err)
		}
		step(t, l, p, 8)
		if got, want := int64(v.bytes()), o.ElementBytes(v)*int64(len(p.point)); got != want {
			t.Errorf("%s: %d bytes are in use, want %d", name, got, want)
		}
		if got := o.ElementBytes(withoutCompact{}); got != 3*4+4*2*4 {
			t.Errorf("%s: %d bytes an element on a device without compact vectors", name, got)
		}
	}
}
