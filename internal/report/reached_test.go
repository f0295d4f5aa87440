package report

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sampleSeeds is a comparison of two pictures by two measures, the second of them under
// three seeds, of which one failed.
func sampleSeeds() Comparison {
	c := sample()
	c.Measures = []string{"gaussian", ContentMeasure}
	c.Pictures = c.Pictures[:2]
	for i := range c.Pictures {
		p := &c.Pictures[i]
		p.Measured = map[string][]CurvePoint{}
		for k, at := range []int{1, 10, 100} {
			value := 1 / float64((1+i)*(1+k)*(1+k))
			p.Measured["gaussian"] = append(p.Measured["gaussian"], CurvePoint{Iteration: at, Seconds: 0.1 * float64(at), Value: value})
			p.Measured[ContentMeasure] = append(p.Measured[ContentMeasure], CurvePoint{Iteration: at, Seconds: 0.1 * float64(at), Value: 1 - value/2})
		}
	}
	p := &c.Pictures[1]
	p.Seeds = []Seeded{{0, "gram, seed 0", p.Image, ""}, {1, "gram, seed 1", stripes(96, 64, 130), ""}, {7, "gram, seed 7", nil, "NaN"}}
	p.Deviations = &Deviations{Count: 2, Seconds: 0.5, Loss: 0.01, Scores: Scores{Style: map[string]float64{"gram": 0.03}, Content: map[string]float64{}, Kept: math.NaN()}}
	for i := range p.Curve {
		p.Curve[i].Low, p.Curve[i].High = 0.9*p.Curve[i].Value, 1.2*p.Curve[i].Value
	}
	return c
}

func TestCurvesSayWhenTheyComeToAValueForGood(t *testing.T) {
	curve := func(values ...float64) (points []CurvePoint) {
		for i, v := range values {
			points = append(points, CurvePoint{Iteration: 10 * (1 + i), Seconds: float64(1 + i), Value: v})
		}
		return points
	}
	for name, test := range map[string]struct {
		curve               []CurvePoint
		value               float64
		iterations, seconds float64
	}{
		"between two points":   {curve(8, 4, 2), 3, 25, 2.5},
		"at a point":           {curve(8, 4, 2), 4, 20, 2},
		"at its end":           {curve(8, 4, 2), 2, 30, 3},
		"from its beginning":   {curve(3, 2, 1), 5, 10, 1},
		"after it went up":     {curve(8, 2, 6, 2), 4, 35, 3.5},
		"never, were it asked": {curve(8, 4), 1, 20, 2},
	} {
		if iterations, seconds := stays(test.curve, test.value); math.Abs(iterations-test.iterations) > 1e-9 || math.Abs(seconds-test.seconds) > 1e-9 {
			t.Errorf("%s: %g iterations and %g s, want %g and %g", name, iterations, seconds, test.iterations, test.seconds)
		}
	}
	c := Comparison{Measures: []string{"loss"}, Pictures: []Picture{
		{Name: "a", Curve: curve(8, 4, 2)}, {Name: "b", Curve: curve(6, 3)}, {Name: "failed", Curve: curve(9, 9), Error: "NaN"}, {Name: "elsewhere"},
	}}
	if got := c.Reached(); len(got) != 1 || got[0].Measure != "loss" || got[0].Value != 3 ||
		!slices.Equal(got[0].Pictures, []ReachedBy{{"a", 25, 2.5}, {"b", 20, 2}}) {
		t.Errorf("%+v", got)
	}
	c.Pictures = c.Pictures[:1]
	if got := c.Reached(); got == nil || len(got) != 0 {
		t.Errorf("of one picture: %+v", got)
	}
}

func TestPageShowsOnePictureOfAVariantAndHoldsTheOthers(t *testing.T) {
	text := pageOf(t, sampleSeeds())
	for part, want := range map[string]int{
		`data-seed="0"`: 1, `data-seed="1"`: 1, `data-seed="7"`: 0, `<select id="seed"><option>0</option><option>1</option></select>`: 1,
		`draggable="false" hidden>`: 1, `data-name="gram, seed 1"`: 1, "0.400 ± 0.030": 1, "16.0 ± 0.5": 1, "0.2000 ± 0.0100": 1, `class="band hue`: 2,
		"By common measures": 1, "Distance from the styles under gaussian by time": 2, "When each was where all came: gaussian 0.111": 1,
		"When each was where all came: content loss": 1, "Heights of different losses": 1,
	} {
		if got := strings.Count(text, part); got != want {
			t.Errorf("the page has %q %d times, want %d", part, got, want)
		}
	}
	// Both buttons of the figure and those of the seeds go by the place of the image.
	images := regexp.MustCompile(`data-name="([^"]*)"`).FindAllStringSubmatch(text, -1)
	shows := regexp.MustCompile(`data-seed="1" data-shows="(\d)"`).FindStringSubmatch(text)
	if len(images) != 5 || shows == nil || images[shows[1][0]-'0'][1] != "gram, seed 1" {
		t.Errorf("images are %q, and seed 1 shows %q", images, shows)
	}
	c := sampleSeeds()
	c.OneObjective, c.Measures = true, []string{LossMeasure}
	text = pageOf(t, c)
	for part, want := range map[string]bool{"All go down the same loss": true, "By common measures": false, "When each was where all came: loss": true} {
		if strings.Contains(text, part) != want {
			t.Errorf("with one objective, the page has %q: %t", part, !want)
		}
	}
}

func TestCurvesAreDrawnByWhatCanBeCompared(t *testing.T) {
	figure := sampleSeeds().Curves()
	if len(figure.Rows) != 2 || len(figure.Rows[0]) != 2 || len(figure.Rows[0][0].Series) != 2 {
		t.Fatalf("%+v", figure)
	}
	var svg bytes.Buffer
	if err := figure.Draw(&svg, "svg"); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{">content loss<", ">seconds<", ">gram<", ">100<"} {
		if !strings.Contains(svg.String(), part) {
			t.Errorf("the figure has no %q", part)
		}
	}
	looks := looksOf([]string{"gram, 0", "gram, 8", "sliced, 0"})
	if setApart(looks, []string{"gram, 0", "gram, 8", "sliced, 0"}); looks["gram, 0"] == looks["gram, 8"] || looks["gram, 0"] == looks["sliced, 0"] {
		t.Errorf("lines look alike: %v", looks)
	}
	if rows := sample().Curves().Rows; len(rows) != 0 {
		t.Errorf("where nothing can be compared there are %d rows", len(rows))
	}
}
