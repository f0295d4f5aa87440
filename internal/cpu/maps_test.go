package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"impasto/internal/pure"
)

func noise(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 5))
	values := make([]float32, n)
	for i := range values {
		values[i] = r.Float32()
	}
	return values
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Abs(want) {
		t.Errorf("%s: %g, want %g", what, got, want)
	}
}

// nearAll compares with a tolerance relative to the largest value.
func nearAll(t *testing.T, what string, got, want []float32) {
	t.Helper()
	var largest float64
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, v := range got {
		if math.Abs(float64(v-want[i])) > 1e-6*largest {
			t.Fatalf("%s: %g at %d, want %g", what, v, i, want[i])
		}
	}
}

func TestTotalVariationComputesItsDefinition(t *testing.T) {
	w := testWorkers(t, 2)
	for _, shape := range [][3]int{{1, 1, 1}, {3, 1, 7}, {3, 7, 1}, {2, 2, 2}, {3, 5, 4}, {3, 33, 65}} {
		t.Run(fmt.Sprint(shape), func(t *testing.T) {
			x := noise(shape[0]*shape[1]*shape[2], 1)
			v := newVariation(w, shape[0], shape[1], shape[2])
			near(t, "value", v.value(x), pure.TotalVariation(x, shape[0], shape[1], shape[2]), 1e-6)
			got, want := make([]float32, len(x)), make([]float32, len(x))
			v.gradient(got, x, 0.7)
			pure.TotalVariationGradient(want, x, shape[0], shape[1], shape[2], 0.7)
			nearAll(t, "gradient", got, want)
		})
	}
}

func TestDifferenceComputesItsDefinition(t *testing.T) {
	w := testWorkers(t, 2)
	for _, n := range []int{1, 77, 1 << 14, 3<<14 + 5} {
		for _, f := range []pure.Difference{{}, {Scaled: true}} {
			x, target := noise(n, 1), noise(n, 2)
			value := []float64{0}
			difference(w, f, value, x, target)()
			near(t, "value", value[0], pure.CompareDifference(f, x, target), 1e-12)
			got, want := make([]float32, n), make([]float32, n)
			differenceGradient(w, f, got, x, target, []float64{1.5})()
			pure.DifferenceGradient(f, want, x, target, 1.5)
			nearAll(t, "gradient", got, want)
		}
	}
}

func TestGramComputesItsDefinition(t *testing.T) {
	w := testWorkers(t, 2)
	for _, channels := range []int{1, 3, 64, 200} {
		for _, scaled := range []bool{false, true} {
			g := pure.Gram{Channels: channels, Scaled: scaled}
			n := channels + channels*channels
			double := func(seed uint64) []float64 {
				values := make([]float64, n)
				for i, v := range noise(n, seed) {
					values[i] = float64(v)
				}
				return values
			}
			summary, target := double(1), double(2)
			got, want := make([]float64, 1+n), make([]float64, 1+n)
			for i := range got {
				got[i] = math.NaN()
			}
			if err := gram(w, g, got, summary, target)(); err != nil {
				t.Fatal(err)
			}
			var err error
			if want[0], err = g.Compare(want[1:], summary, target); err != nil {
				t.Fatal(err)
			}
			for i, v := range got {
				if !(math.Abs(v-want[i]) <= 1e-12*max(1, math.Abs(want[i]))) {
					t.Fatalf("%d channels, scaled %t: value %d is %g, want %g", channels, scaled, i, v, want[i])
				}
			}
		}
	}
}

func TestSumsAreTheSameForAnyNumberOfThreads(t *testing.T) {
	x, target := noise(3*200*201, 1), noise(3*200*201, 2)
	run := func(threads int) []float64 {
		w := testWorkers(t, threads)
		value := []float64{0}
		difference(w, pure.Difference{Scaled: true}, value, x, target)()
		return append(value, newVariation(w, 3, 200, 201).value(x))
	}
	want := run(1)
	for _, threads := range []int{2, 3, 5} {
		if got := run(threads); !slices.Equal(got, want) {
			t.Errorf("%d threads: %v, one: %v", threads, got, want)
		}
	}
}
