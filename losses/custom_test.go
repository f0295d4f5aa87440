package losses_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/losses"
)

// custom makes a loss of a function.
func custom(t *testing.T, name string, evaluate func([]float64, losses.Features, losses.Features) (float64, error)) losses.Loss {
	t.Helper()
	loss, err := losses.Custom(losses.Function{Description: losses.Description{Name: name}, Evaluate: evaluate})
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

// TestGradientOfACustomLoss is how the gradient of any loss is checked.
func TestGradientOfACustomLoss(t *testing.T) {
	form := custom(t, "peaks", peaks).Normalised()
	x := losses.Features{Channels: 3, Values: rectified(3*10, 1)}
	target := losses.Features{Channels: 3, Values: rectified(3*8, 2)}
	_, gradient, err := losses.Evaluate(form, x, target, 0)
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-6
	for i := range x.Values {
		var sides [2]float64
		for k, step := range []float64{h, -h} {
			moved := losses.Features{Channels: 3, Values: slices.Clone(x.Values)}
			moved.Values[i] += step
			if sides[k], _, err = losses.Evaluate(form, moved, target, 0); err != nil {
				t.Fatal(err)
			}
		}
		if numeric := (sides[0] - sides[1]) / (2 * h); math.Abs(numeric-gradient[i]) > 1e-7 {
			t.Errorf("element %d: gradient %g, by finite differences %g", i, gradient[i], numeric)
		}
	}
}

func TestWhatACustomLossDoesWrongIsAnError(t *testing.T) {
	cloud := losses.Features{Channels: 2, Values: []float64{1, 2, 3, 4}}
	for name, evaluate := range map[string]func([]float64, losses.Features, losses.Features) (float64, error){
		"an error": func([]float64, losses.Features, losses.Features) (float64, error) {
			return 0, errors.New("no such thing")
		},
		"a panic":             func([]float64, losses.Features, losses.Features) (float64, error) { panic("no such thing") },
		"an index off limits": func(gradient []float64, _, _ losses.Features) (float64, error) { return gradient[len(gradient)], nil },
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := losses.Evaluate(custom(t, "broken", evaluate).Normalised(), cloud, cloud, 0)
			if err == nil || !strings.Contains(err.Error(), "loss broken: ") {
				t.Errorf("error %v, want one that names the loss", err)
			}
		})
	}
}

func TestCustomLossesAreChecked(t *testing.T) {
	for name, f := range map[string]losses.Function{
		"no name":           {Evaluate: peaks},
		"no function":       {Description: losses.Description{Name: "peaks"}},
		"a name that is":    {Description: losses.Description{Name: "gram"}, Evaluate: peaks},
		"a negative sample": {Description: losses.Description{Name: "peaks"}, Evaluate: peaks, Sample: -1},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := losses.Custom(f); err == nil {
				t.Error("no error")
			}
		})
	}
}

// TestCustomLossesNeverMerge has two losses that differ in what a closure holds.
func TestCustomLossesNeverMerge(t *testing.T) {
	constant := func(value float64) losses.Loss {
		return custom(t, "constant", func([]float64, losses.Features, losses.Features) (float64, error) { return value, nil })
	}
	g := gorgonia.NewGraph()
	x, y := input(g, "x", []float64{1, 2}, 1, 1, 2), input(g, "y", []float64{3, 4}, 1, 1, 2)
	var nodes []*gorgonia.Node
	for _, loss := range []losses.Loss{constant(1), constant(2)} {
		node, err := loss.Normalised().Between(x, y)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, node)
	}
	if values := run(t, nodes...); values[0][0] != 1 || values[1][0] != 2 {
		t.Errorf("values %v, want 1 and 2", values)
	}
}

func TestACustomLossLooksAtASample(t *testing.T) {
	for _, sample := range []int{0, 4, 100} {
		var seen [2]int
		loss, err := losses.Custom(losses.Function{
			Description: losses.Description{Name: "counter"}, Sample: sample,
			Evaluate: func(_ []float64, x, target losses.Features) (float64, error) {
				seen = [2]int{x.Positions(), target.Positions()}
				return 0, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		x := losses.Features{Channels: 2, Values: rectified(2*10, 1)}
		target := losses.Features{Channels: 2, Values: rectified(2*3, 2)}
		if _, _, err := losses.Evaluate(loss.Normalised(), x, target, 0); err != nil {
			t.Fatal(err)
		}
		want := [2]int{10, 3}
		if sample == 4 {
			want[0] = 4
		}
		if seen != want {
			t.Errorf("sample of %d: %d and %d positions, want %d", sample, seen[0], seen[1], want)
		}
		other := loss.(losses.Sampled).WithSample(2)
		if _, _, err := losses.Evaluate(other.Normalised(), x, target, 0); err != nil {
			t.Fatal(err)
		}
		if want = [2]int{2, 2}; sample == 0 {
			want = [2]int{10, 3}
		}
		if seen != want {
			t.Errorf("sample of %d instead of %d: %d and %d positions, want %d", 2, sample, seen[0], seen[1], want)
		}
	}
}
