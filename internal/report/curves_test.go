package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

// Leaders have a class of their own and end before the key, so no curve seems to go
// on; each curve ends in a mark.
func TestCurvesEndInMarksAndLeadersInKeys(t *testing.T) {
	for _, chart := range sampleGrid().charts(LossMeasure, "Loss", false) {
		text := string(chart)
		if curves, leaders, marks := strings.Count(text, `class="series`), strings.Count(text, `class="leader"`), strings.Count(text, `class="mark"`); curves != 11 || leaders != curves || marks != 2*curves {
			t.Errorf("%d curves, %d leaders, %d marks; want 11, as many, and one at each end and key", curves, leaders, marks)
		}
		labels := map[string]bool{}
		for _, match := range regexp.MustCompile(`<text x="[\d.]+" y="[\d.]+">([^<]*)</text></g>`).FindAllStringSubmatch(text, -1) {
			labels[match[1]] = true
		}
		if len(labels) != 11 {
			t.Errorf("%d labels differ, want all 11: %v", len(labels), labels)
		}
		for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
			if _, err := decoder.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// However many cells there are, labels don't overlap and stay in the drawing.
func TestChartsGrowWithTheirCurves(t *testing.T) {
	var pictures []Picture
	for i := range 60 {
		name := fmt.Sprintf("cell %d", i)
		pictures = append(pictures, Picture{Name: name, Settings: []Setting{{"seed", name}}, Curve: []CurvePoint{{Iteration: 1, Seconds: 1, Value: 2}, {Iteration: 2, Seconds: 2, Value: 1}}})
	}
	text := string(Comparison{Pictures: pictures}.charts(LossMeasure, "Loss", false)[0])
	var width, height float64
	if _, err := fmt.Sscanf(text, `<svg class="chart" viewBox="0 0 %f %f"`, &width, &height); err != nil {
		t.Fatal(err)
	}
	places := map[string]bool{}
	for _, match := range regexp.MustCompile(`<text x="[\d.]+" y="([\d.]+)">cell`).FindAllStringSubmatch(text, -1) {
		var y float64
		if _, err := fmt.Sscan(match[1], &y); err != nil || y > height || y < 0 {
			t.Errorf("a label is at %s of %g", match[1], height)
		}
		places[match[1]] = true
	}
	if len(places) != 60 {
		t.Errorf("60 labels stand at %d places", len(places))
	}
}

func TestACurveLooksLikeItsLossInAnyComparison(t *testing.T) {
	one := func(losses ...string) string {
		var pictures []Picture
		for _, loss := range losses {
			pictures = append(pictures, Picture{Name: loss, Settings: []Setting{{"loss", loss}}, Curve: []CurvePoint{{Iteration: 1, Seconds: 1, Value: 2}, {Iteration: 2, Seconds: 2, Value: 1}}})
		}
		text := string(Comparison{Pictures: pictures}.charts(LossMeasure, "Loss", false)[0])
		return regexp.MustCompile(`hue\d" data-picture="\d+"><title>gram<.*?dash\d`).FindString(text)
	}
	look := regexp.MustCompile(`hue\d|dash\d`)
	want := fmt.Sprint(look.FindAllString(one("gram"), -1))
	if got := fmt.Sprint(look.FindAllString(one("gaussian", "mmd", "mine", "gram"), -1)); got != want || want == "[]" {
		t.Errorf("gram looks like %s alone and like %s beside others", want, got)
	}
}
