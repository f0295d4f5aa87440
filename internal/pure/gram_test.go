package pure

import (
	"math"
	"testing"
)

func TestGramIsOfSecondMomentsAlone(t *testing.T) {
	// Two channels: means 5 and 7 against 1 and 2, S − T = ((1, 2), (2, −3)).
	summary := []float64{5, 7, 11, 4, 4, 9}
	target := []float64{1, 2, 10, 2, 2, 12}
	cotangent := make([]float64, 6)
	value, err := Gram{Channels: 2}.Compare(cotangent, summary, target)
	if err != nil {
		t.Fatal(err)
	}
	if want := 1. + 4 + 4 + 9; value != want {
		t.Errorf("loss %g, want %g", value, want)
	}
	for i, want := range []float64{0, 0, 2, 4, 4, -6} {
		if cotangent[i] != want {
			t.Errorf("cotangent %d is %g, want %g", i, cotangent[i], want)
		}
	}
	// Σd²/Σ|d| over the mean of T's diagonal.
	value, err = Gram{Channels: 2, Scaled: true}.Compare(cotangent, summary, target)
	if err != nil {
		t.Fatal(err)
	}
	if want := 18. / 8 / 11; math.Abs(value-want) > 1e-8 {
		t.Errorf("scaled loss %g, want %g", value, want)
	}
}
