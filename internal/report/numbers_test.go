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
	for _, test := range []struct {
		values []float64
		want   []string
	}{
		{[]float64{1234.5678, 0.00123456, 9.99999, 12345.6, 0, math.NaN()}, []string{" 1235       ", "    0.001235", "   10.00    ", "12346       ", "    0       ", "    –       "}},
		{[]float64{2.5e9, 9.3, 0, math.Inf(1)}, []string{"2.500e+09", "9.300e+00", "0        ", "+Inf        "}},
		{nil, nil},
	} {
		for i, text := range PointColumn(test.values, 4) {
			if want := strings.TrimLeft(test.want[i], " "); text != want {
				t.Errorf("%g is %q, want %q", test.values[i], text, want)
			}
		}
	}
}

func TestMeansStandWithTheirDeviations(t *testing.T) {
	none := math.NaN()
	for _, test := range []struct {
		means, deviations []float64
		want              []string
	}{
		{[]float64{0.12345, 0.2, none}, []float64{0.004, none, none}, []string{"0.123 ± 0.004", "0.200        ", "–        "}},
		{[]float64{0.5, 1e-9}, []float64{none, none}, []string{"0.500", "0.000"}},
		{[]float64{2e8, 4e8}, []float64{1.26e6, none}, []string{"2.00e+08 ± 1.26e+06", "4.00e+08           "}},
		{[]float64{12, 300}, []float64{0.5, 12.34}, []string{"12.0 ± 0.5 ", "300.0 ± 12.3"}},
	} {
		if got := SpreadColumn(test.means, test.deviations); !slices.Equal(got, test.want) {
			t.Errorf("%v ± %v: %q, want %q", test.means, test.deviations, got, test.want)
		}
	}
}
