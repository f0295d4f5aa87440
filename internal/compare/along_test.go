package compare

import (
	"math"
	"testing"
	"time"

	"impasto/internal/report"
)

func TestMeasuringIsNotCounted(t *testing.T) {
	spentBy := []spent{{1, time.Second}, {5, 3 * time.Second}}
	for _, test := range []struct {
		name      string
		track     *track
		iteration int
		want      time.Duration
	}{
		{"not measured", nil, 7, 20 * time.Second},
		{"the first, told before it is measured", &track{spent: spentBy}, 1, 20 * time.Second},
		{"after one", &track{spent: spentBy}, 2, 19 * time.Second},
		{"the second", &track{spent: spentBy}, 5, 19 * time.Second},
		{"after both", &track{spent: spentBy}, 6, 17 * time.Second},
		{"with a limit of the time", &track{spent: spentBy, limit: true}, 6, 20 * time.Second},
	} {
		if got := test.track.without(test.iteration, 20*time.Second); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestSpreadsHaveTheDeviationOfASample(t *testing.T) {
	if spreadOf(nil) != nil {
		t.Error("there is a spread of nothing")
	}
	if s := spreadOf([]float64{4}); s.Mean != 4 || s.Deviation != nil || s.Count != 1 {
		t.Errorf("of one: %+v", s)
	}
	// 2, 4, 4, 4, 5, 5, 7, 9 have the mean 5 and squares that sum to 32.
	if s := spreadOf([]float64{2, 4, 4, 4, 5, 5, 7, 9}); s.Mean != 5 || math.Abs(*s.Deviation-math.Sqrt(32./7)) > 1e-12 || s.Count != 8 {
		t.Errorf("of eight: %+v", s)
	}
}

func TestCurvesOfSeveralSeedsAreTakenTogether(t *testing.T) {
	curve := func(values ...float64) (points []report.CurvePoint) {
		for i := 0; i < len(values); i += 3 {
			points = append(points, report.CurvePoint{Iteration: int(values[i]), Seconds: values[i+1], Value: values[i+2]})
		}
		return points
	}
	one := curve(1, 10, 8, 2, 20, 4)
	if got := pooled([][]report.CurvePoint{nil, one}); len(got) != 2 || got[0] != one[0] || got[1].High != 0 {
		t.Errorf("one curve is %v", got)
	}
	if got := pooled(nil); got != nil {
		t.Errorf("no curve is %v", got)
	}
	// The second was measured elsewhere and ends first; the first is 4 + 2/3 at iteration 4.
	got := pooled([][]report.CurvePoint{curve(1, 10, 8, 3, 30, 5, 6, 60, 4), curve(1, 20, 4, 4, 80, 1)})
	if len(got) != 2 || got[0].Seconds != 15 || got[0].Value != 6 || got[0].Low != 4 || got[0].High != 8 ||
		got[1].Iteration != 4 || got[1].Seconds != 60 || got[1].Low != 1 || math.Abs(got[1].High-14./3) > 1e-12 || math.Abs(got[1].Value-17./6) > 1e-12 {
		t.Errorf("two curves are %+v", got)
	}
	if seconds, value := interpolated(one, 9); seconds != 20 || value != 4 {
		t.Errorf("beyond its end a curve is %g after %g s", value, seconds)
	}
	if seconds, value := interpolated(curve(4, 1, 2), 1); seconds != 1 || value != 2 {
		t.Errorf("before its beginning a curve is %g after %g s", value, seconds)
	}
}
