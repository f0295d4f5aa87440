package kernels

import (
	"math"
	"testing"
)

// halved are values rounded to Half, and what these stand for.
func halved(x []float32) (halves []Half, rounded []float32) {
	halves, rounded = make([]Half, len(x)), make([]float32, len(x))
	narrowGo(halves, x)
	widenGo(rounded, halves)
	return halves, rounded
}

func TestSumsWithHalvesMatchPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, n := range vectorLengths {
			x, y, z, v := values(1, n), values(2, n), values(3, n), values(4, n)
			h, rounded := halved(x)
			var dot, square, along, compactAlong, differences, compactDifferences float64
			inHalves := Scaled{Map{Half: h}, 0.25}
			for i := range x {
				dot += float64(rounded[i]) * float64(y[i])
				square += float64(rounded[i]) * float64(rounded[i])
				along += float64(z[i]) * float64(x[i]-y[i])
				compactAlong += 0.25 * float64(rounded[i]) * float64(z[i]-y[i])
				differences += float64(x[i]-y[i]) * float64(z[i]-v[i])
				compactDifferences += float64(z[i]-v[i]) * float64(y[i]-0.25*rounded[i])
			}
			for _, of := range []struct {
				name      string
				got, want float64
			}{
				{"DotHalf", DotHalf(w, Map{Half: h}, Single(y), n), dot},
				{"DotHalf of two", DotHalf(w, Map{Half: h}, Map{Half: h}, n), square},
				{"DotDifference", DotDifference(w, Scaled{Single(z), 1}, x, y), along},
				{"DotDifference with halves", DotDifference(w, inHalves, z, y), compactAlong},
				{"DotDifferences", DotDifferences(w, x, Scaled{Single(y), 1}, z, Scaled{Single(v), 1}), differences},
				{"DotDifferences with halves", DotDifferences(w, z, Scaled{Single(v), 1}, y, inHalves), compactDifferences},
			} {
				if math.Abs(of.got-of.want) > 1e-12*float64(1+n) {
					t.Errorf("%s of %d: %v, want %v", of.name, n, of.got, of.want)
				}
			}

			sum, want := newGuarded[float32](n), float64s(values(2, n))
			copy(sum.values, y)
			for i := range want {
				want[i] -= 0.3 * float64(rounded[i])
			}
			AxpyHalf(w, sum.values, -0.3, h)
			near(t, "AxpyHalf "+shape(n), sum.values, want, 2e-7)
			sum.check(t, "AxpyHalf "+shape(n))

			difference, to := make([]float32, n), newGuardedHalves(n)
			for i := range x {
				difference[i] = 8 * (x[i] - y[i])
			}
			exact, _ := halved(difference)
			NarrowDifference(w, to.values, x, Scaled{Single(y), 1}, 8)
			sameHalves(t, "NarrowDifference "+shape(n), to.values, exact)
			to.check(t, "NarrowDifference "+shape(n))
			for i := range x {
				difference[i] = 8 * (y[i] - 0.25*rounded[i])
			}
			exact, _ = halved(difference)
			NarrowDifference(w, to.values, y, inHalves, 8)
			sameHalves(t, "NarrowDifference from halves "+shape(n), to.values, exact)
			exact, _ = halved(x)
			NarrowDifference(w, to.values, x, Scaled{}, 1)
			sameHalves(t, "NarrowDifference from zeros "+shape(n), to.values, exact)
		}
	})
}
