package report

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestLabelsMoveApartWithinTheirBounds(t *testing.T) {
	for _, test := range []struct {
		name         string
		places, want []float64
	}{
		{"far apart they stay", []float64{10, 40, 70}, []float64{10, 40, 70}},
		{"together they move up", []float64{10, 10, 10}, []float64{10, 20, 30}},
		{"at the top they move down", []float64{95, 98, 99}, []float64{80, 90, 100}},
		{"there is one", []float64{-5}, []float64{0}},
		{"there is none", nil, nil},
	} {
		if got := spread(test.places, 10, 0, 100); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestScalingDrawsBothFormats(t *testing.T) {
	var panel Panel
	for i := 1.0; i < 5; i++ {
		panel.Add("gram", 100*i, i)
		panel.Add("sinkhorn", 100*i, 1000*i*i)
	}
	panel.Add("sinkhorn", 700, math.Inf(1)) // has no place and is left out
	panel.Add("nothing", 100, 0)
	figure := Scaling{Title: "growth", Rows: [][]Panel{{panel, panel}, {panel}}}
	var picture, text bytes.Buffer
	if err := figure.Draw(&picture, "png"); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&picture)
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X < 1000 || size.Y < 1000 {
		t.Errorf("the picture is %v, want two columns and two rows", size)
	}
	if err := figure.Draw(&text, "svg"); err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(bytes.NewReader(text.Bytes())); ; {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{"growth", ">gram<", ">sinkhorn<", ">400<", ">1000<"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the SVG has no %q", part)
		}
	}
	if strings.Contains(text.String(), ">nothing<") {
		t.Error("a series without a point above 0 has a name")
	}
}

func TestNothingToPlotIsAnError(t *testing.T) {
	if err := (Scaling{Rows: [][]Panel{{{}}}}).Draw(io.Discard, "png"); err == nil {
		t.Error("an empty figure was drawn")
	}
	var panel Panel
	panel.Add("gram", 1, 1)
	if err := (Scaling{Rows: [][]Panel{{panel}}}).Draw(io.Discard, "gif"); err == nil {
		t.Error("a GIF was drawn")
	}
}

func TestFormatFollowsTheName(t *testing.T) {
	for path, want := range map[string]string{"a.png": "png", "b/c.SVG": "svg", "a.jpg": "", "png": ""} {
		got, err := FormatOf(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}
