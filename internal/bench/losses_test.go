package bench

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"impasto/losses"
)

// named are the losses of names that there are.
func named(names ...string) []losses.Loss {
	var list []losses.Loss
	for _, name := range names {
		list = append(list, losses.Must(losses.Named(name)))
	}
	return list
}

func TestLossesTimesEveryCaseInOrder(t *testing.T) {
	o := LossOptions{Losses: losses.All(), Layers: []string{"relu2_1", "conv1_2"}, Sizes: []int{32, 16}, Runs: 2, Device: "cpu"}
	var got []LossTiming
	if err := Losses(context.Background(), o, func(t LossTiming) error { got = append(got, t); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := 4 * len(o.Losses); len(got) != want {
		t.Fatalf("%d timings, want %d", len(got), want)
	}
	for i, timing := range got {
		if timing.Loss != losses.Names()[i%len(o.Losses)] || timing.Layer != o.Layers[i/(2*len(o.Losses))] || timing.Size != []int{16, 32}[i/len(o.Losses)%2] {
			t.Errorf("timing %d is of %s at %s of %d", i, timing.Loss, timing.Layer, timing.Size)
		}
		channels, side := 128, timing.Size/2
		if timing.Layer == "conv1_2" {
			channels, side = 64, timing.Size
		}
		if timing.Channels != channels || timing.Positions != side*side {
			t.Errorf("%s of %d has %d×%d features, want %d×%d", timing.Layer, timing.Size, timing.Channels, timing.Positions, channels, side*side)
		}
		if timing.Runs != 2 || !(0 < timing.Least && timing.Least <= timing.Seconds && timing.Seconds <= timing.Most) || timing.Memory < 0 || timing.Skipped != "" {
			t.Errorf("%+v", timing)
		}
		if timing.Loss == "gram" && timing.Operations != 4*float64(channels*channels*side*side) {
			t.Errorf("gram has %g operations", timing.Operations)
		}
	}
}

func TestLossesSkipsWhatTheSmallerSizesForetell(t *testing.T) {
	o := LossOptions{Losses: named("moments"), Layers: []string{"relu1_1"}, Sizes: []int{16, 32}, Runs: 1, Budget: time.Nanosecond, Device: "cpu"}
	var got []LossTiming
	if err := Losses(context.Background(), o, func(t LossTiming) error { got = append(got, t); return nil }); err != nil {
		t.Fatal(err)
	}
	if got[0].Skipped != "" || got[0].Runs != 1 || got[0].Seconds == 0 {
		t.Errorf("the first size, of which nothing is known, is %+v", got[0])
	}
	if !strings.Contains(got[1].Skipped, "would take about") || got[1].Seconds != 0 || got[1].Rate() != 0 {
		t.Errorf("the second size is %+v, want skipped", got[1])
	}
}

func TestForetellingFollowsThePowerLaw(t *testing.T) {
	at := func(positions int, seconds float64) LossTiming {
		return LossTiming{Positions: positions, Seconds: seconds}
	}
	for _, test := range []struct {
		name   string
		before []LossTiming
		want   float64
	}{
		{"nothing is known", nil, 0},
		{"one size is known, so the square is feared", []LossTiming{at(10, 1)}, 16},
		{"it was linear", []LossTiming{at(10, 1), at(20, 2)}, 4},
		{"it was quadratic", []LossTiming{at(5, 2), at(10, 1), at(20, 4)}, 16},
		{"it fell, by noise", []LossTiming{at(10, 2), at(20, 1)}, 1},
	} {
		if got := foretell(test.before, 40); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", test.name, got, test.want)
		}
	}
}

func TestLossesStops(t *testing.T) {
	o := LossOptions{Losses: named("gram"), Layers: []string{"relu1_1"}, Sizes: []int{16}, Runs: 1, Device: "cpu"}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Losses(ctx, o, func(LossTiming) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
	broken := errors.New("full")
	if err := Losses(context.Background(), o, func(LossTiming) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("after a broken callback: %v", err)
	}
	o.Layers = []string{"pool1"}
	if err := Losses(context.Background(), o, func(LossTiming) error { return nil }); err == nil {
		t.Error("a pooling layer was timed")
	}
	o.Layers, o.Losses = []string{"relu1_1"}, named("gram", "gram")
	if err := Losses(context.Background(), o, func(LossTiming) error { return nil }); err == nil || !strings.Contains(err.Error(), "named gram") {
		t.Errorf("two losses of one name: %v", err)
	}
}

func TestOnePassIsOfLossesThatMakeMany(t *testing.T) {
	o := LossOptions{Losses: named("sinkhorn", "sinkhorn-whole", "gram"), Layers: []string{"relu1_1"}, Sizes: []int{64}, Runs: 1, OnePass: true, Device: "cpu"}
	got := map[string]LossTiming{}
	if err := Losses(context.Background(), o, func(t LossTiming) error { got[t.Loss] = t; return nil }); err != nil {
		t.Fatal(err)
	}
	for name, pairs := range map[string]float64{"sinkhorn": 2048 * 2048, "sinkhorn-whole": 4096 * 4096} {
		if timing := got[name]; timing.Part != "one pass" || timing.Operations != 2*64*pairs || timing.Seconds == 0 {
			t.Errorf("%s: %+v, want one pass of 2·64 operations for each of %g pairs", name, timing, pairs)
		}
	}
	if got["gram"].Part != "" {
		t.Errorf("of gram, %q was timed", got["gram"].Part)
	}
	// Two clouds of 64 channels, and little besides them.
	if memory := got["sinkhorn-whole"].Memory; memory < 2*4*64*4096 || memory > 3*4*64*4096 {
		t.Errorf("sinkhorn-whole holds %d bytes", memory)
	}
}
