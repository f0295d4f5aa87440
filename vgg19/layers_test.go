package vgg19_test

import (
	"math"
	"slices"
	"testing"

	"impasto/vgg19"
)

func TestOperationsAreThoseOfTheTable(t *testing.T) {
	// By hand: 18·In·Out·positions, summed, at 256×256.
	var want float64
	for _, row := range []struct{ in, out, side float64 }{
		{3, 64, 256}, {64, 64, 256}, {64, 128, 128}, {128, 128, 128}, {128, 256, 64},
	} {
		want += 18 * row.in * row.out * row.side * row.side
	}
	if got := vgg19.Operations(256, 256, "relu3_1"); got != want {
		t.Errorf("to relu3_1: %g, want %g", got, want)
	}
	// Forward and back to relu5_1 at 256×256 is 94.67 GFLOP, by hand as above.
	if got := 2 * vgg19.Operations(256, 256, "relu5_1") / 1e9; math.Abs(got-94.67) > 0.005 {
		t.Errorf("to relu5_1 and back: %g GFLOP, want 94.67", got)
	}
}

func TestParametersThatDoNotFitTheTableAreRefused(t *testing.T) {
	p := parameters()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	p.Biases[3] = p.Biases[3][1:]
	if p.Check() == nil {
		t.Error("a bias too few: no error")
	}
	p = parameters()
	p.Filters[7] = slices.Clone(p.Filters[7])
	p.Filters[7][11] = float32(math.NaN())
	if p.Check() == nil {
		t.Error("a filter of NaN: no error")
	}
}

func TestParametersThroughALayerAreThoseOfItAndBefore(t *testing.T) {
	p := parameters()
	through, err := p.Through("relu1_1", "pool2")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range vgg19.Convolutions {
		want := 0
		if c.Block <= 2 {
			want = len(p.Filters[i])
		}
		if got := len(through.Filters[i]); got != want {
			t.Errorf("%s has %d filter values, want %d", c.Name, got, want)
		}
	}
	if through.Neutral != p.Neutral {
		t.Error("the neutral colour is another one")
	}
	if _, err := p.Through("relu9_9"); err == nil {
		t.Error("an unknown layer: no error")
	}
}

func TestChannelsAreThoseOfTheLastConvolution(t *testing.T) {
	for layer, want := range map[string]int{"": 3, "conv1_1": 64, "relu2_2": 128, "pool2": 128, "pool3": 256, "relu4_1": 512, "pool5": 512} {
		if got := vgg19.Channels(layer); got != want {
			t.Errorf("%q has %d channels, want %d", layer, got, want)
		}
	}
}

func TestReachIsTheReceptiveField(t *testing.T) {
	for _, test := range []struct {
		layer, pooling string
		stride, margin int
	}{{"conv1_1", "max", 1, 1}, {"relu1_2", "", 1, 2}, {"pool1", "avg", 2, 2}, {"relu2_1", "l2", 2, 4}, {"relu5_1", "max", 16, 70}, {"relu2_1", "none", 1, 3}} {
		stride, margin, err := vgg19.Reach("", test.layer, vgg19.Options{Pooling: test.pooling})
		if err != nil || stride != test.stride || margin != test.margin {
			t.Errorf("%s with pooling %q reaches %d and %d pixels (%v), want %d and %d", test.layer, test.pooling, stride, margin, err, test.stride, test.margin)
		}
	}
	if _, _, err := vgg19.Reach("", "fc6", vgg19.Options{}); err == nil {
		t.Error("fc6 is no layer here")
	}
}
