package bench

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// stylised stands for a stylisation whose content distance falls as the content weight
// grows, as it does with real pictures, and whose other values are straight functions of
// that.
func stylised(weight, contentDistance float64) PictureValues {
	d := contentDistance
	return PictureValues{
		ContentWeight: weight, ContentDistance: d, Gram: 1 - d/2, Gaussian: 1 - d/3, Sliced: 1 - d/4, Distance: 1 - 13*d/36,
		Seconds: 10 + d, ProcessorSeconds: 20 - d,
	}
}

func TestSearchBracketsTheContentDistance(t *testing.T) {
	// With a photograph at 128 pixels, content weights of 0.01, 0.05 and 0.2 came to 0.99,
	// 0.78 and 0.27.
	photograph := func(w float64) float64 { return 1.1 / (1 + 7.5*math.Pow(w, 0.97)) }
	for _, test := range []struct {
		name           string
		weight, wanted float64
		distance       func(weight float64) float64
		runs           int // at most
		reached        bool
	}{
		{"from nearby", 0.06, 0.73, photograph, 3, true},
		{"from far below", 1e-4, 0.73, photograph, 5, true},
		{"from far above", 5, 0.73, photograph, 5, true},
		{"little is wanted of the content", 0.06, 1.05, photograph, 5, true},
		{"all is wanted of it", 0.06, 0.1, photograph, 5, true},
		{"the first run hits it", 0.06, 0.73, func(float64) float64 { return 0.73 }, 1, true},
		{"a step", 0.06, 0.73, func(w float64) float64 { return math.Round(1 / (1 + w)) }, 5, true},
		{"it rises where it ought to fall", 0.06, 0.73, func(w float64) float64 { return 1 - 1/(2+w) }, 5, false},
		{"no weight keeps enough", 0.06, 0.73, func(w float64) float64 { return 0.8 + 0.1/(1+w) }, 5, false},
		{"every weight keeps too much", 0.06, 0.73, func(w float64) float64 { return 0.5 / (1 + w) }, 5, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			numbers := 0
			runs, err := search(test.weight, test.wanted, func(number int, w float64) (PictureValues, error) {
				if numbers++; number != numbers || !(w > 0) {
					t.Fatalf("run %d is called number %d and has a weight of %g", numbers, number, w)
				}
				return stylised(w, test.distance(w)), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(runs) > test.runs || runs[0].ContentWeight != test.weight {
				t.Errorf("it runs %d times, at first with %g", len(runs), runs[0].ContentWeight)
			}
			values, ok := between(runs, test.wanted)
			if ok != test.reached {
				t.Fatalf("reached is %v after %+v", ok, runs)
			}
			if !ok {
				if text := reachOf(runs); !strings.Contains(text, "content weights from") {
					t.Errorf("it says %q", text)
				}
				return
			}
			want := stylised(values.ContentWeight, test.wanted)
			for _, pair := range [][2]float64{
				{values.ContentDistance, want.ContentDistance}, {values.Gram, want.Gram}, {values.Gaussian, want.Gaussian}, {values.Sliced, want.Sliced},
				{values.Distance, want.Distance}, {values.Seconds, want.Seconds}, {values.ProcessorSeconds, want.ProcessorSeconds},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-12 {
					t.Errorf("the values are %+v, want %+v", values, want)
					break
				}
			}
		})
	}
}

func TestBetweenTakesTheNearestOnEitherSide(t *testing.T) {
	runs := []PictureValues{stylised(1, 0.2), stylised(0.01, 0.9), stylised(0.04, 0.8), stylised(0.16, 0.6)}
	values, ok := between(runs, 0.75)
	if !ok || math.Abs(values.ContentWeight-0.04*math.Pow(4, 0.25)) > 1e-12 {
		t.Errorf("%+v, want a quarter of the way from 0.04 to 0.16", values)
	}
	for _, wanted := range []float64{0.19, 0.91} {
		if values, ok := between(runs, wanted); ok {
			t.Errorf("at %g, beyond all runs, it is %+v", wanted, values)
		}
	}
}

func TestSearchEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("no memory")
	runs, err := search(1, 0.5, func(number int, w float64) (PictureValues, error) {
		if number == 2 {
			return PictureValues{}, broken
		}
		return stylised(w, 0.9), nil
	})
	if !errors.Is(err, broken) || len(runs) != 1 {
		t.Errorf("%d runs and %v", len(runs), err)
	}
}
