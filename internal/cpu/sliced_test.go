package cpu

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"impasto/internal/pure"
)

func TestSlicedComputesItsDefinition(t *testing.T) {
	w, workspace := testWorkers(t, 2), newLineWorkspace(2)
	for _, shape := range [][3]int{{70, columnBlock + 9, 500}, {1, 1, 1}, {1, 5, 1}, {3, 1, 7}, {5, 40, 23}, {20, 33, 64}, {64, 300, 300}} {
		channels, n, m := shape[0], shape[1], shape[2]
		for _, loss := range []pure.Sliced{
			{Channels: channels},
			{Channels: channels, Scaled: true},
			{Channels: channels, Directions: 1},
			{Channels: channels, Directions: min(channels, 33), Scaled: true},
		} {
			t.Run(fmt.Sprint(loss, n, m), func(t *testing.T) {
				x, y := normal(channels*n, 1), normal(channels*m, 2)
				want := make([]float32, len(x))
				value := pure.CompareSliced(loss, want, x, y, 0.25)
				got := make([]float32, len(x))
				near(t, "value", newSliced(w, workspace, loss, n, m).run(got, x, y, 0.25), value, 1e-5)
				// Projections rounded to float32 may change places where they are
				// next to equal, and then what they are moved to, by as much as those
				// are apart: at most steps of the target's quantiles, of some 1e-2.
				var off, norm float64
				for i, g := range want {
					off += float64(got[i]-g) * float64(got[i]-g)
					norm += float64(g) * float64(g)
				}
				if off > 1e-6*norm {
					t.Errorf("gradient is off by %g of its norm", math.Sqrt(off/norm))
				}
			})
		}
	}
}

// TestSlicedTurnsAsItsDefinition compares clouds that differ clearly in some
// directions, so that rounding can't decide which way to turn.
func TestSlicedTurnsAsItsDefinition(t *testing.T) {
	w, workspace := testWorkers(t, 2), newLineWorkspace(2)
	for _, shape := range [][4]int{{1, 1, 1, 1}, {5, 40, 23, 2}, {64, 300, 200, 20}, {70, 90, 500, 3}} {
		channels, n, m, directions := shape[0], shape[1], shape[2], shape[3]
		x, y := normal(channels*n, 1), normal(channels*m, 2)
		for i := range y {
			y[i] *= float32(1 + i/m%7)
			y[i] += float32(i / m % 5)
		}
		loss := pure.Sliced{Channels: channels, Directions: directions, Ascent: 3}
		want := make([]float32, len(x))
		value := pure.CompareSliced(loss, want, x, y, 0.25)
		got := make([]float32, len(x))
		s := newSliced(w, workspace, loss, n, m)
		for range 2 { // a second run starts from the same directions
			near(t, "value", s.run(got, x, y, 0.25), value, 1e-4)
			var off, norm float64
			for i, g := range want {
				off += float64(got[i]-g) * float64(got[i]-g)
				norm += float64(g) * float64(g)
			}
			if off > 1e-5*norm {
				t.Errorf("%v: gradient is off by %g of its norm", shape, math.Sqrt(off/norm))
			}
		}
	}
}

// Held directions are those of the features that a key saw first.
func TestHeldDirectionsMakeOneFunctionOfAKey(t *testing.T) {
	const channels, n, m = 16, 100, 60
	w, workspace := testWorkers(t, 2), newLineWorkspace(2)
	loss := pure.Sliced{Channels: channels, Directions: 2, Ascent: 3, Held: true}
	first, y := normal(channels*n, 1), normal(channels*m, 2)
	for i := range y {
		y[i] *= float32(1 + i/m%7)
	}
	s := newSliced(w, workspace, loss, n, m)
	value := func(x []float32, key float64) float64 { return s.run(make([]float32, len(x)), x, y, key) }
	moved := normal(channels*n, 3)
	began := value(first, 0.25)
	plain := pure.Sliced{Channels: channels, Directions: 2}
	held := newSliced(w, workspace, plain, n, m)
	held.drawn = 0.75
	held.point(s.exact)
	if want := held.run(make([]float32, len(moved)), moved, y, 0.75); value(moved, 0.25) != want {
		t.Errorf("after the picture moved, the value is not %g, that along the same directions", want)
	}
	if value(first, 0.25) != began {
		t.Error("back at the first features, the value is another one")
	}
	if again := value(moved, 0.5); again == value(moved, 0.25) {
		t.Error("another key turns no other directions")
	}
	bad := slices.Clone(first)
	bad[0] = float32(math.NaN())
	value(bad, 0.125)
	if got := value(first, 0.125); math.IsNaN(got) {
		t.Error("directions of features that aren't numbers are held")
	}
}

func TestSlicedIsTheSameForAnyNumberOfThreads(t *testing.T) {
	const channels, n, m = 40, 5000, 3000
	x, y := normal(channels*n, 1), normal(channels*m, 2)
	for _, loss := range []pure.Sliced{{Channels: channels}, {Channels: channels, Directions: 40, Scaled: true, Ascent: 1}} {
		var want []float64
		for _, threads := range []int{1, 2, 3, 50} {
			gradient := make([]float32, len(x))
			value := newSliced(testWorkers(t, threads), newLineWorkspace(threads), loss, n, m).run(gradient, x, y, 0.5)
			got := append(pure.Doubles(gradient), value)
			if want != nil && !slices.Equal(got, want) {
				t.Errorf("%v: %d threads and one give different results", loss, threads)
			}
			want = got
		}
	}
}

func TestSlicedDependsOnNoEarlierRun(t *testing.T) {
	const channels, n, m = 8, 100, 60
	s := newSliced(testWorkers(t, 2), newLineWorkspace(2), pure.Sliced{Channels: channels, Directions: 4}, n, m)
	run := func(seed uint64, key float64) []float64 {
		gradient := make([]float32, channels*n)
		value := s.run(gradient, normal(channels*n, seed), normal(channels*m, seed+1), key)
		return append(pure.Doubles(gradient), value)
	}
	first := run(1, 0.5)
	if slices.Equal(run(1, 0.75), first) {
		t.Error("another key gives the same result")
	}
	run(3, 0.5)
	if !slices.Equal(run(1, 0.5), first) {
		t.Error("the same inputs give another result")
	}
}

func TestSlicedOfFeaturesThatAreNotFiniteIsNotFinite(t *testing.T) {
	const channels, n = 3, 20
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, directions := range []int{0, 3} {
			x, y := normal(channels*n, 1), normal(channels*n, 2)
			x[7] = float32(bad)
			s := newSliced(testWorkers(t, 1), newLineWorkspace(1), pure.Sliced{Channels: channels, Directions: directions}, n, n)
			if value := s.run(make([]float32, len(x)), x, y, 0); !math.IsNaN(value) && !math.IsInf(value, 0) {
				t.Errorf("%g among the features, %d directions: loss %g", bad, directions, value)
			}
		}
	}
}

func TestSortKeepsTheOrderOfEqualValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	infinity := float32(math.Inf(1))
	var l lineMatcher
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, infinity, -infinity, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32}
	for n := range 300 {
		x := make([]float32, n)
		for i := range x {
			switch r.IntN(3) {
			case 0:
				x[i] = special[r.IntN(len(special))]
			case 1:
				x[i] = float32(r.IntN(10)) - 5
			default:
				x[i] = float32(r.NormFloat64() * math.Exp(20*r.NormFloat64()))
			}
		}
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
		l.fit(n, n)
		l.sortPoints(x)
		l.sortTargets(x)
		for i, from := range order {
			if int(uint32(l.points[i])) != from || l.x[i] != x[from] || l.y[i] != x[from] {
				t.Fatalf("%v: at %d %g and %g from %d, want %g from %d", x, i, l.x[i], l.y[i], uint32(l.points[i]), x[from], from)
			}
		}
	}
}
