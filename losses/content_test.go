package losses_test

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/losses"
)

// TestContentLossesAreRelativeToTheContent has features and content grow together, and a
// difference as large as the content.
func TestContentLossesAreRelativeToTheContent(t *testing.T) {
	content, features := rectified(24, 1), rectified(24, 2)
	inADescent := func(form losses.ContentForm, factor float64, features []float64) float64 {
		x, y := make([]float64, len(content)), make([]float64, len(content))
		var square float64
		for i, v := range content {
			x[i], y[i] = factor*features[i], factor*v
			square += y[i] * y[i] / float64(len(y))
		}
		g := gorgonia.NewGraph()
		value, err := form.Between(input(g, "x", x, 2, 3, 4), input(g, "content", y, 2, 3, 4))
		if err != nil {
			t.Fatal(err)
		}
		return form.Unit(square) * run(t, value)[0][0]
	}
	for _, form := range losses.ContentForms() {
		want := inADescent(form, 1, features)
		for _, factor := range []float64{0.01, 30, 1000} {
			if got := inADescent(form, factor, features); math.Abs(got-want) > 1e-5*want {
				t.Errorf("%s of features %g times as large is %g, want %g", form.Name, factor, got, want)
			}
		}
		if got := inADescent(form, 1, make([]float64, len(content))); got < 0.5 || got > 2 {
			t.Errorf("%s of no features at all is %g, want about 1", form.Name, got)
		}
		if got := form.Unit(0); got != 1 {
			t.Errorf("%s counts %g beside a content without features, want 1", form.Name, got)
		}
	}
}
