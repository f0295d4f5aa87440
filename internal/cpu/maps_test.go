package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

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

// differenceMachine computes the difference between maps of so many values, and the
// gradient for a cotangent.
type differenceMachine struct {
	plan.Machine
	x, target, cotangent, value, gradient *gorgonia.Node
}

func newDifferenceMachine(t *testing.T, d *Device, f pure.Difference, n int) differenceMachine {
	t.Helper()
	g := gorgonia.NewGraph()
	m := differenceMachine{x: mapInput(g, "x", 1, 1, n), target: mapInput(g, "target", 1, 1, n), cotangent: scalarInput(g, "cotangent")}
	m.value = must(t)(ops.CompareMaps(f, m.x, m.target))
	m.gradient = pulledBack(t, m.value, m.cotangent, m.x)
	m.Machine = compiled(t, d, scheduled(t, m.value, m.gradient))
	return m
}

// at evaluates the difference between two maps of noise.
func (m differenceMachine) at(t *testing.T, x, target []float32, cotangent float64) (value float64, gradient []float32) {
	t.Helper()
	write(t, m, m.x, x)
	write(t, m, m.target, target)
	write64(t, m, m.cotangent, cotangent)
	run(t, m)
	return read(t, m, m.value).Double[0], read(t, m, m.gradient).Single
}

func TestDifferenceComputesItsDefinition(t *testing.T) {
	d := opened(t, Options{Threads: 2})
	for _, n := range []int{1, 77, 1 << 14, 3<<14 + 5} {
		for _, f := range []pure.Difference{{}, {Scaled: true}} {
			x, target := noise(n, 1), noise(n, 2)
			value, got := newDifferenceMachine(t, d, f, n).at(t, x, target, 1.5)
			slopes := f.Slopes(pure.SumDifference(x, target))
			near(t, "value", value, slopes.Value, 1e-12)
			want := make([]float32, n)
			pure.SlopeGradient(slopes, want, x, target, 1.5)
			nearAll(t, "gradient", got, want)
		}
	}
}

func TestGramComputesItsDefinition(t *testing.T) {
	d := opened(t, Options{Threads: 2})
	for _, channels := range []int{1, 3, 64, 200} {
		for _, scaled := range []bool{false, true} {
			loss := pure.Gram{Channels: channels, Scaled: scaled}
			n := channels + channels*channels
			double := func(seed uint64) []float64 { return pure.Doubles(noise(n, seed)) }
			summary, target := double(1), double(2)
			want := make([]float64, 1+n)
			var err error
			if want[0], err = loss.Compare(want[1:], summary, target); err != nil {
				t.Fatal(err)
			}
			g := gorgonia.NewGraph()
			s, to, cotangent := vectorInput(g, "summary", n), vectorInput(g, "target", n), scalarInput(g, "cotangent")
			value := must(t)(ops.Compare(loss, s, to))
			gradient := pulledBack(t, value, cotangent, s)
			m := compiled(t, d, scheduled(t, value, gradient))
			write64(t, m, s, summary...)
			write64(t, m, to, target...)
			write64(t, m, cotangent, 1)
			run(t, m)
			for i, v := range append(read(t, m, value).Double, read(t, m, gradient).Double...) {
				if !(math.Abs(v-want[i]) <= 1e-12*max(1, math.Abs(want[i]))) {
					t.Fatalf("%d channels, scaled %t: value %d is %g, want %g", channels, scaled, i, v, want[i])
				}
			}
		}
	}
}

func TestSumsAreTheSameForAnyNumberOfThreads(t *testing.T) {
	x, target := noise(3*200*201, 1), noise(3*200*201, 2)
	sums := func(threads int) []float64 {
		d := opened(t, Options{Threads: threads})
		value, _ := newDifferenceMachine(t, d, pure.Difference{Scaled: true}, len(x)).at(t, x, target, 1)
		return []float64{value, newVariation(d.workers, 3, 200, 201).value(x)}
	}
	want := sums(1)
	for _, threads := range []int{2, 3, 5} {
		if got := sums(threads); !slices.Equal(got, want) {
			t.Errorf("%d threads: %v, one: %v", threads, got, want)
		}
	}
}
