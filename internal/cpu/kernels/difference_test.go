package kernels

import (
	"math"
	"testing"

	"impasto/internal/pure"
)

func TestDifferencesMatchTheirDefinition(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, n := range vectorLengths {
			x, target := values(1, n), values(2, n)
			for i := 0; i < n; i += 3 {
				target[i] = x[i]
			}
			testDifference(t, w, x, target, 1e-6)
			testDifference(t, w, float64s(x), float64s(target), 1e-14)
		}
	})
}

func testDifference[T float32 | float64](t *testing.T, w *Workers, x, target []T, tolerance float64) {
	got, want := SumDifference(w, x, target), pure.SumDifference(x, target)
	for _, c := range []struct{ got, want float64 }{
		{got.Squares, want.Squares}, {got.Magnitudes, want.Magnitudes}, {got.TargetSquares, want.TargetSquares}, {float64(got.N), float64(want.N)},
	} {
		if !(math.Abs(c.got-c.want) <= 1e-13*c.want) {
			t.Errorf("%d values: sums %v, want %v", len(x), got, want)
		}
	}
	for _, grad := range []float64{1.5, -0.7} {
		s := pure.Slopes{Square: 0.4, Magnitude: 0.9}
		dx, slow := newGuarded[T](len(x)), make([]T, len(x))
		SlopeGradient(w, s, dx.values, x, target, grad)
		pure.SlopeGradient(s, slow, x, target, grad)
		near(t, "slopes of "+shape(len(x)), dx.values, slow, tolerance)
		dx.check(t, "slopes of "+shape(len(x)))
	}
}

func TestSlopesKeepNaN(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		x := values(1, 40)
		x[3], x[37] = float32(math.NaN()), float32(math.NaN())
		dx := make([]float32, len(x))
		SlopeGradient(w, pure.Slopes{Square: 1, Magnitude: 1}, dx, x, values(2, 40), 1)
		for i, v := range dx {
			if math.IsNaN(float64(v)) != math.IsNaN(float64(x[i])) {
				t.Errorf("slope %d is %v, of %v", i, v, x[i])
			}
		}
	})
}
