package model

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"impasto/losses"
)

func TestFeatureMapsHaveTheNetworksShapes(t *testing.T) {
	maps, err := FeatureMaps(t.Context(), flat(40, 24, color.NRGBA{200, 30, 90, 255}), FeatureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for layer, want := range map[string][3]int{
		"relu1_1": {64, 24, 40}, "relu2_1": {128, 12, 20}, "relu3_1": {256, 6, 10}, "relu4_1": {512, 3, 5}, "relu5_1": {512, 1, 2},
	} {
		m := maps[layer]
		if got := [3]int{m.Channels, m.Height, m.Width}; got != want || len(m.Values) != want[0]*want[1]*want[2] {
			t.Errorf("%s has %v and %d values, want %v", layer, got, len(m.Values), want)
		}
	}
	if len(maps) != 5 {
		t.Errorf("%d maps, want 5", len(maps))
	}
}

// The stripe of flat is in the middle column, and conv1_1 sees one pixel around: so the
// features are in their places if those next to it differ from the others, row by row alike.
func TestFeatureMapsAreRowMajor(t *testing.T) {
	maps, err := FeatureMaps(t.Context(), flat(20, 16, color.NRGBA{200, 30, 90, 255}), FeatureOptions{Layers: []string{"conv1_1"}, Padding: "replicate"})
	if err != nil {
		t.Fatal(err)
	}
	m := maps["conv1_1"]
	channel := func(c int) []float32 { return m.Values[c*m.Height*m.Width:][:m.Height*m.Width] }
	for y := range m.Height {
		row := channel(3)[y*m.Width:][:m.Width]
		if row[0] != row[5] || row[10] == row[5] || row[10] != channel(3)[10] {
			t.Fatalf("row %d is %v", y, row)
		}
	}
	cloud := m.Cloud()
	if cloud.Channels != 64 || cloud.Positions() != 320 || float32(cloud.Channel(3)[10]) != channel(3)[10] {
		t.Errorf("the cloud has %d channels of %d positions", cloud.Channels, cloud.Positions())
	}
}

func TestFeatureMapsAreThoseOfTheSizeAskedFor(t *testing.T) {
	maps, err := FeatureMaps(t.Context(), flat(40, 20, color.NRGBA{A: 255}), FeatureOptions{Layers: []string{"pool1"}, Size: 24})
	if err != nil {
		t.Fatal(err)
	}
	if m := maps["pool1"]; m.Width != 12 || m.Height != 6 {
		t.Errorf("the map is %d×%d, want 12×6", m.Width, m.Height)
	}
}

func TestFeatureMapsRefuseWhatTheyCannotDo(t *testing.T) {
	for want, o := range map[string]FeatureOptions{
		`"relu9_1"`: {Layers: []string{"relu9_1"}}, `"mix"`: {Pooling: "mix"}, `"abacus"`: {Device: "abacus"}, "size -1": {Size: -1}, "choose a size of 16 or more": {Size: 15},
	} {
		if _, err := FeatureMaps(t.Context(), flat(20, 20, color.NRGBA{A: 255}), o); err == nil || !strings.HasPrefix(err.Error(), "model: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := FeatureMaps(ctx, flat(20, 20, color.NRGBA{A: 255}), FeatureOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

// The plain loss between the features is what Measure finds between the pictures.
func TestFeatureMapsAreWhatMeasureLooksAt(t *testing.T) {
	o := FeatureOptions{Layers: []string{"relu2_1"}}
	moments := named("moments")
	var clouds [2]losses.Features
	pictures := [2]image.Image{waves(20, 16, 0.3), waves(18, 16, 0.9)}
	for i, picture := range pictures {
		maps, err := FeatureMaps(t.Context(), picture, o)
		if err != nil {
			t.Fatal(err)
		}
		clouds[i] = maps["relu2_1"].Cloud()
	}
	value, _, err := losses.Evaluate(moments.Plain(), clouds[0], clouds[1], 0)
	if err != nil {
		t.Fatal(err)
	}
	measured, err := Measure(t.Context(), pictures[0], pictures[1], MeasureOptions{Losses: []losses.Loss{moments}, FeatureOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	if got := measured[0].Value; math.Abs(got-value) > 1e-6*value {
		t.Errorf("measured %g, between the features %g", got, value)
	}
}
