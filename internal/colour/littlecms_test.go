package colour

import (
	_ "embed"
	"encoding/json"
	"math"
	"testing"

	"impasto/internal/colour/colourtest"
)

// Made by testdata/littlecms.py with Pillow.
//
//go:embed testdata/littlecms.json
var littlecms []byte

func TestProfilesConvertAsLittlecmsDoes(t *testing.T) {
	var expected map[string]struct{ In, Out [][]float64 }
	if err := json.Unmarshal(littlecms, &expected); err != nil {
		t.Fatal(err)
	}
	samples := colourtest.Samples()
	if len(expected) != len(samples) {
		t.Fatalf("values of %d profiles, want those of %d", len(expected), len(samples))
	}
	for name, profile := range samples {
		t.Run(name, func(t *testing.T) {
			transform, err := FromProfile(profile)
			if err != nil {
				t.Fatal(err)
			}
			in := make([][]float32, transform.Channels())
			for _, values := range expected[name].In {
				for c, v := range values {
					in[c] = append(in[c], float32(v)/255)
				}
			}
			n := len(in[0])
			out := [3][]float32{make([]float32, n), make([]float32, n), make([]float32, n)}
			transform.Apply(out, in...)
			// Values of littlecms are rounded to whole levels. Those of grey, by tables, and
			// where black is moved have the error of its own table of 16 bits besides.
			worstWanted, meanWanted := 0.6, 0.3
			switch {
			case name == "P3 v4, function 2":
				worstWanted = 4
			case transform.grid != nil || transform.channels == 1:
				worstWanted, meanWanted = 2.1, 0.4
			}
			var worst, sum float64
			for i, want := range expected[name].Out {
				for c := range 3 {
					difference := math.Abs(255*float64(out[c][i]) - want[c])
					worst = max(worst, difference)
					sum += difference
				}
			}
			if mean := sum / float64(3*n); worst > worstWanted || mean > meanWanted {
				t.Errorf("differs by %.2f levels at most and %.2f on average, want %g and %g", worst, mean, worstWanted, meanWanted)
			}
		})
	}
}
