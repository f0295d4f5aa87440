package report

import (
	"bytes"
	"image/png"
	"io"
	"strings"
	"testing"
)

func TestFrontierDrawsBothFormats(t *testing.T) {
	figure := Frontier{Title: "What time buys", XLabel: "seconds", YLabel: "distance", Curves: []FrontierCurve{
		{Loss: "gram", Points: []FrontierPoint{{"draft", 4, 0.43}, {"good", 11, 0.41}}},
		{Loss: "gram", Label: "half\u202e", Points: []FrontierPoint{{"draft", 3, 0.44}}},
		{Loss: "sliced"},
	}}
	var picture, text bytes.Buffer
	if err := figure.Draw(&picture, "png"); err != nil {
		t.Fatal(err)
	}
	if img, err := png.Decode(&picture); err != nil || img.Bounds().Dx() < 1000 {
		t.Errorf("the picture is %v (%v)", img.Bounds(), err)
	}
	if err := figure.Draw(&text, "svg"); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{">What time buys<", ">draft<", ">good<", ">gram<", `>gram, half\u202e<`, ">seconds<", ">distance<"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the drawing has no %s", part)
		}
	}
	if strings.Contains(text.String(), "sliced") {
		t.Error("a curve without points has a name")
	}
	if err := (Frontier{Curves: figure.Curves[2:]}).Draw(io.Discard, "png"); err == nil {
		t.Error("nothing was drawn")
	}
}

func TestFrontiersOfOneLossShareItsColour(t *testing.T) {
	curve := func(loss, label string) FrontierCurve { return FrontierCurve{Loss: loss, Label: label} }
	looks := Frontier{Curves: []FrontierCurve{curve("gram", ""), curve("gaussian", ""), curve("gram", "new"), curve("gaussian", "new")}}.looks()
	if a, b := looks["gram"], looks["gram, new"]; a.Hue != b.Hue || a.Dash == b.Dash {
		t.Errorf("gram looks as %v and as %v", a, b)
	}
	seen := map[look]string{}
	crowded := Frontier{Curves: []FrontierCurve{curve("gaussian", ""), curve("gaussian", "a"), curve("moments", "a"), curve("gaussian", "b"), curve("gaussian", "c")}}
	for name, l := range crowded.looks() {
		if seen[l] != "" {
			t.Errorf("%s looks as %s does", name, seen[l])
		}
		seen[l] = name
	}
}
