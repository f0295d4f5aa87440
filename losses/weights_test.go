package losses_test

import (
	"fmt"
	"image"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/losses"
)

// weightedSummaries are those of the map, or of a part of it, with weights.
func weightedSummaries(t *testing.T, form losses.Form, weights []float64, p losses.Positions) [][]float64 {
	t.Helper()
	for _, w := range weights {
		p.TotalWeight += w
	}
	features, here := rectified(mapChannels*mapPositions, seedOfMap), weights
	height, width := mapHeight, mapWidth
	if !p.Part.Empty() {
		features, here = shown(features, mapChannels, p.Part), shown(weights, 1, p.Part)
		height, width = p.Part.Dy(), p.Part.Dx()
	}
	g := gorgonia.NewGraph()
	p.Weights = input(g, "weights", here, 1, height, width)
	summaries, err := form.Summarise(input(g, "x", features, mapChannels, height, width), p)
	if err != nil {
		t.Fatal(err)
	}
	values := make([][]float64, len(summaries))
	for i, s := range summaries {
		values[i] = run(t, s.Node)[0]
		for k := range values[i] {
			values[i][k] *= s.Weight
		}
	}
	return values
}

// TestWeightsCount has weights that are all alike, that say what a mask says, and any.
func TestWeightsCount(t *testing.T) {
	ones, masked := make([]float64, mapPositions), make([]float64, mapPositions)
	for i := range ones {
		ones[i] = 1
	}
	for _, i := range everyThird() {
		masked[i] = 0.5
	}
	for name, form := range forms(t) {
		if !form.Weighs() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			features := rectified(mapChannels*mapPositions, seedOfMap)
			size := losses.Positions{Height: mapHeight, Width: mapWidth}
			mask := size
			mask.Mask = everyThird()
			all, some := whole(t, form, features, size), whole(t, form, features, mask)
			any := rectified(mapPositions, 4)
			want := weightedSummaries(t, form, any, size)
			sums := make([][]float64, len(want))
			for _, p := range cut(2, 2, nil) {
				for i, values := range weightedSummaries(t, form, any, p) {
					sums[i] = append(sums[i], make([]float64, len(values)-len(sums[i]))...)
					for k, v := range values {
						sums[i][k] += v
					}
				}
			}
			for i := range want {
				near(t, "equal weights", weightedSummaries(t, form, ones, size)[i], all.summaries[i])
				near(t, "weights as a mask", weightedSummaries(t, form, masked, size)[i], some.summaries[i])
				near(t, fmt.Sprint("in parts, summary ", i), sums[i], want[i])
			}
		})
	}
}

func TestLossesThatKnowNoWeightsSaySo(t *testing.T) {
	g := gorgonia.NewGraph()
	x, weights := input(g, "x", []float64{1, 2, 3, 4}, 2, 1, 2), input(g, "weights", []float64{1, 1}, 1, 1, 2)
	_, err := named(t, "sliced").Normalised().Summarise(x, losses.Positions{Weights: weights, TotalWeight: 2})
	if err == nil || !strings.Contains(err.Error(), "mask") {
		t.Errorf("error %v, want one that tells of masks", err)
	}
}

func TestPositionsThatAMapHasNotAreErrors(t *testing.T) {
	x := input(gorgonia.NewGraph(), "x", make([]float64, 2*3*4), 2, 3, 4)
	for name, p := range map[string]losses.Positions{
		"another size":          {Height: 4, Width: 3},
		"a mask without a size": {Mask: []int32{1}},
		"an empty mask":         {Height: 3, Width: 4, Mask: []int32{}},
		"a mask out of order":   {Height: 3, Width: 4, Mask: []int32{2, 1}},
		"a mask beyond the map": {Height: 3, Width: 4, Mask: []int32{12}},
		"a part beyond the map": {Height: 3, Width: 4, Part: image.Rect(1, 0, 5, 3), Inner: image.Rect(1, 0, 2, 3)},
		"more than a part":      {Height: 6, Width: 8, Part: image.Rect(0, 0, 4, 3), Inner: image.Rect(0, 0, 5, 3)},
		"weights of nothing":    {Height: 3, Width: 4, Weights: x},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := named(t, "gram").Plain().Summarise(x, p); err == nil {
				t.Error("no error")
			}
		})
	}
}
