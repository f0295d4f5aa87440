package report

import (
	"bytes"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestCloudsAreDrawnInAllProjections(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	points := make([]float64, 300)
	for i := range points {
		points[i] = random.NormFloat64()
	}
	points[0] = 100 // beyond the axes
	cloud := Cloud{Name: "Q", Dimensions: 3, Points: points, Mean: make([]float64, 3)}
	figure := Clouds{Title: "clouds", Groups: []CloudGroup{{"one", []Cloud{cloud}}, {"two", []Cloud{cloud, cloud}}}, Extent: 3}
	var svg, picture bytes.Buffer
	if err := figure.Draw(&svg, "svg"); err != nil {
		t.Fatal(err)
	}
	// Three clouds, three projections, and coordinate 1 on the abscissa of two of
	// them.
	for text, want := range map[string]int{">Q<": 3, ">coordinate 1<": 6, ">coordinate 2<": 6, ">coordinate 3<": 6, ">two<": 1} {
		if got := strings.Count(svg.String(), text); got != want {
			t.Errorf("%q stands %d times, want %d", text, got, want)
		}
	}
	if err := figure.Draw(&picture, "png"); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&picture); err != nil {
		t.Fatal(err)
	}
}

func TestCloudsThatDontFitTheirDimensionsAreErrors(t *testing.T) {
	for _, groups := range [][]CloudGroup{nil, {{"g", []Cloud{{"c", 3, make([]float64, 4), make([]float64, 3)}}}}, {{"g", []Cloud{{"c", 2, make([]float64, 4), nil}}}}} {
		if err := (Clouds{Groups: groups}).Draw(io.Discard, "png"); err == nil {
			t.Errorf("%v was drawn", groups)
		}
	}
}
