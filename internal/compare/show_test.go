package compare

import (
	"bytes"
	"image"
	"regexp"
	"testing"

	"impasto/internal/report"
	"impasto/losses"
)

// lookOf is how the curve of a loss is drawn on a page that has no other, by its
// classes.
func lookOf(t *testing.T, loss string) string {
	t.Helper()
	var page bytes.Buffer
	err := report.Comparison{Pictures: []report.Picture{{
		Name: loss, Image: image.NewGray(image.Rect(0, 0, 1, 1)), Settings: []report.Setting{{Name: "loss", Value: loss}},
		Curve: []report.CurvePoint{{Iteration: 1, Seconds: 1, Value: 2}, {Iteration: 2, Seconds: 2, Value: 1}},
	}}}.Page(&page)
	if err != nil {
		t.Fatal(err)
	}
	look := regexp.MustCompile(`class="series (hue\d).*?class="line (dash\d)"`).FindStringSubmatch(page.String())
	if look == nil {
		t.Fatalf("%s has no curve", loss)
	}
	return look[1] + " " + look[2]
}

// A loss that has no look of its own takes the first one that is free, which
// another loss has.
func TestEveryLossHasALookOfItsOwn(t *testing.T) {
	taken := map[string]string{}
	for _, loss := range losses.Names() {
		look := lookOf(t, loss)
		if other, twice := taken[look]; twice {
			t.Errorf("%s looks like %s (%s); give it a row in internal/report/palette.go", loss, other, look)
		}
		taken[look] = loss
	}
}
