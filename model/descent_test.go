package model

import (
	"math"
	"slices"
	"testing"

	"impasto/internal/optim"
	"impasto/internal/picture"
)

func TestResamplerKeepsSquaresAtOrAboveZero(t *testing.T) {
	from, to := level{width: 8, height: 6}, level{width: 11, height: 8}
	edge := make([]float32, 3*8*6) // a step from 0 to 1, where a cubic overshoots
	for i := range edge {
		if i%8 >= 4 {
			edge[i] = 1
		}
	}
	resample := resampler(from, to)
	smooth, err := resample(edge, optim.Overshooting)
	if err != nil {
		t.Fatal(err)
	}
	if len(smooth) != 3*11*8 {
		t.Fatalf("resampled to %d values, want %d", len(smooth), 3*11*8)
	}
	if low, high := slices.Min(smooth), slices.Max(smooth); low >= 0 || high <= 1 {
		t.Errorf("smooth values are %v to %v, want them to overshoot 0 and 1", low, high)
	}
	square, err := resample(edge, optim.NonNegative)
	if err != nil {
		t.Fatal(err)
	}
	if low, high := slices.Min(square), slices.Max(square); low != 0 || high > 1 {
		t.Errorf("non-negative values are %v to %v, want 0 to 1", low, high)
	}
	edge[0] = -1
	if square, err = resample(edge, optim.NonNegative); err != nil || slices.Min(square) < 0 {
		t.Errorf("non-negative values of a negative one start at %v, %v, want 0", slices.Min(square), err)
	}
}

// iterates are the pictures that Progress shows in a run of the options.
func iterates(t *testing.T, o Options) []*picture.Picture {
	t.Helper()
	var shown []*picture.Picture
	o.Progress = func(p Progress) {
		img, err := p.Picture()
		if err != nil {
			t.Fatal(err)
		}
		planes, err := picture.FromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, planes)
	}
	must(t)(stylize(t, t.Context(), oneStyle, o))
	return shown
}

// sixteenBits is the largest error of a value that was a level of 16 bits once.
const sixteenBits = 0.5/65535 + 1e-7

func TestResultIsTheAverageOfTheIterates(t *testing.T) {
	o := tinyOptions()
	o.AverageDecay, o.Noise = 0, 0
	last := iterates(t, o)
	o.AverageDecay = 0.8
	averaged := iterates(t, o)

	levels, err := pyramid(t.Context(), waves(60, 40, 0.1), oneStyle, o)
	if err != nil {
		t.Fatal(err)
	}
	from, err := start(t.Context(), levels[0], []float64{1}, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range from.RGB {
		value, rest := 0.2*float64(from.RGB[i]), 0.8
		for n := range last {
			value, rest = 0.8*value+0.2*float64(last[n].RGB[i]), 0.8*rest
			if got, want := float64(averaged[n].RGB[i]), value/(1-rest); math.Abs(got-want) > 2*sixteenBits {
				t.Fatalf("value %d after iteration %d is %v, want the average %v", i, n+1, got, want)
			}
		}
	}
}

func TestLevelStartsFromTheResultOfTheOneBefore(t *testing.T) {
	o := tinyOptions()
	o.Size, o.Start, o.StepSize = 45, "noise", 1e-8 // the picture hardly moves
	o.FirstIterations, o.Iterations, o.Noise = 1, 1, 0
	shown := iterates(t, o)
	want, err := shown[0].Resize(45, 30, picture.Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range shown[1].RGB {
		// The weights of a bicubic kernel sum to 1.6 in magnitude at most.
		if math.Abs(float64(got-want.RGB[i])) > 3*sixteenBits {
			t.Fatalf("value %d at the second level is %v, want %v", i, got, want.RGB[i])
		}
	}
}
