package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// onEveryISA runs a test on every instruction set that this machine has.
func onEveryISA(t *testing.T, test func(t *testing.T, set *isa, w *Workers)) {
	t.Helper()
	for _, set := range isas() {
		t.Run(set.name, func(t *testing.T) {
			w := newWorkers(2, set)
			defer w.Close()
			test(t, set, w)
		})
	}
}

// values are n values around zero, reproducible from the seed.
func values(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func float64s(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// guarded is a slice of n values that start as NaN, so that one that isn't
// written shows, between values that must stay as they are.
type guarded[T float32 | float64] struct {
	all    []T
	values []T
}

const guard = 70

func newGuarded[T float32 | float64](n int) guarded[T] {
	all := make([]T, n+2*guard)
	for i := range all {
		all[i] = T(i) + 0.5
	}
	v := all[guard : guard+n]
	for i := range v {
		v[i] = T(math.NaN())
	}
	return guarded[T]{all, v}
}

func (g guarded[T]) check(t *testing.T, what string) {
	t.Helper()
	for i, v := range g.all {
		if (i < guard || i >= guard+len(g.values)) && v != T(i)+0.5 {
			t.Fatalf("%s: wrote %v at %d, outside of the %d values", what, v, i-guard, len(g.values))
		}
	}
}

// near fails unless got is within tolerance of want, relative to the greatest
// of want.
func near[T, U float32 | float64](t *testing.T, what string, got []T, want []U, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	size := 0.0
	for _, v := range want {
		size = max(size, math.Abs(float64(v)))
	}
	for i, v := range want {
		if d := math.Abs(float64(got[i]) - float64(v)); !(d <= tolerance*size) {
			t.Fatalf("%s: value %d is %v, want %v; off by %.2g of the largest, tolerance %.2g", what, i, got[i], v, d/size, tolerance)
		}
	}
}

func same[T float32 | float64](t *testing.T, what string, got, want []T) {
	t.Helper()
	for i, v := range want {
		if got[i] != v {
			t.Fatalf("%s: value %d is %v, want %v, bit by bit", what, i, got[i], v)
		}
	}
}

func shape(n ...int) string { return fmt.Sprint(n) }

func TestEnvironmentForcesAnInstructionSet(t *testing.T) {
	for _, name := range ISAs() {
		t.Setenv(Environment, name)
		w, err := NewWorkers(1)
		if err != nil {
			t.Fatal(err)
		}
		if w.ISA() != name {
			t.Errorf("%s=%s uses %s", Environment, name, w.ISA())
		}
		w.Close()
	}
	t.Setenv(Environment, "mmx")
	if _, err := NewWorkers(1); err == nil {
		t.Errorf("%s=mmx is accepted", Environment)
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
