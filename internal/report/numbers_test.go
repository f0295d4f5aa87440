package report

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestScoresOfAColumnAlign(t *testing.T) {
	for _, test := range []struct {
		name   string
		scores []float64
		want   []string
	}{
		{"three digits of the least", []float64{0.0123, 0.5, 0}, []string{"0.0123", "0.5000", "0.0000"}},
		{"zeros at the end stay", []float64{0.31, 0.3056, 1.4}, []string{"0.310", "0.306", "1.400"}},
		{"what is as good as zero doesn't count", []float64{1e-9, 0.25}, []string{"0.000", "0.250"}},
		{"nothing but zeros", []float64{0, 1e-5}, []string{"0.000", "0.000"}},
		{"one that isn't known", []float64{math.NaN(), 2}, []string{"–", "2.00"}},
		{"no more than five digits of the greatest", []float64{0.01234, 123.4}, []string{"0.01", "123.40"}},
		{"large ones", []float64{12345, 200}, []string{"12345", "200"}},
		{"huge ones", []float64{1e9, 2}, []string{"1.00e+09", "2.00e+00"}},
		{"one that exploded", []float64{math.Inf(1), 2}, []string{"+Inf", "2.00"}},
		{"none", nil, []string{}},
	} {
		if got := ScoreColumn(test.scores); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPointsAlignOverManyPowersOfTen(t *testing.T) {
	got := PointColumn([]float64{1234.5678, 0.00123456, 9.99999, 12345.6, 0, 5e12, math.NaN()}, 4)
	want := []string{"1235", "0.001235", "10.00", "12346", "0", "5.000e+12", "–"}
	// What stands behind the point, and the point: 8 letters of 5.000e+12.
	for i, text := range got {
		whole, _, _ := strings.Cut(text, ".")
		if strings.TrimRight(text, " ") != want[i] {
			t.Errorf("%q, want %q", text, want[i])
		}
		if after := len(text) - len(strings.TrimRight(whole, " ")); after != 8 {
			t.Errorf("%q has %d letters from its point on, want 8", text, after)
		}
	}
}
