package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"regexp"
	"strings"
	"testing"
)

// stripes are a picture that can be told from those of another hue.
func stripes(width, height int, hue uint8) image.Image {
	img := image.NewRGBA64(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.NRGBA{hue, uint8(8 * (x / 4)), uint8(8 * (y / 4)), 255})
		}
	}
	return img
}

// sample is a comparison with all that may be in one: a failure, one that left a
// picture, a picture from elsewhere of another shape, a score that is missing, and
// names to escape.
func sample() Comparison {
	made := func(name string, hue uint8, worse float64) Picture {
		p := Picture{
			Name: name, Note: "300 iterations in 8 s", Image: stripes(96, 64, hue), Iterations: 300, Seconds: 8 * worse, Loss: 0.1 * worse,
			Settings: []Setting{{"loss", name}},
			Scores:   &Scores{Style: map[string]float64{"gram": 0.2 * worse, "gaussian": 0.1 / worse}, Content: map[string]float64{"gram": 0.4, "gaussian": worse}, Kept: 0.5 / worse},
		}
		for i := range 50 {
			p.Curve = append(p.Curve, CurvePoint{Iteration: 1 + 6*i, Seconds: 0.16 * float64(i) * worse, Value: worse / float64(1+i)})
		}
		return p
	}
	other := Picture{Name: "elsewhere", Note: "made elsewhere", Image: stripes(64, 64, 200),
		Scores: &Scores{Style: map[string]float64{"gram": 0.3}, Content: map[string]float64{"gram": 0.1}, Kept: math.NaN()}}
	cut := made("cut", 180, 0.1)
	cut.Error = "the term \"content\" is +Inf"
	return Comparison{
		Title: "harbour in the style of <whirl> & more", Command: "impasto compare 'a b.png' c.png -o out", Losses: []string{"gaussian", "gram"}, ScoreSize: "96×64",
		References: []Picture{
			{Name: "content", Note: "harbour.png", Image: stripes(96, 64, 0), Scores: &Scores{Style: map[string]float64{"gram": 2, "gaussian": 3}, Content: map[string]float64{"gram": 0, "gaussian": 1e-9}}},
			{Name: "style", Note: "whirl.jpg", Image: stripes(80, 80, 250)},
		},
		Pictures: []Picture{made("gaussian", 60, 1), made("gram", 120, 2), {Name: "broken", Error: "the term \"style\" is NaN", Settings: []Setting{{"loss", "broken"}}}, cut, other},
		Common:   []Setting{{"size", "96"}, {"tv-weight", "5"}},
	}
}

func pageOf(t *testing.T, c Comparison) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Page(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageHoldsAllThatItShows(t *testing.T) {
	text := pageOf(t, sample())
	for _, part := range []string{
		"harbour in the style of &lt;whirl&gt; &amp; more", "a b.png", "Failed: the term &#34;style&#34; is NaN", "Failed: the term &#34;content&#34; is &#43;Inf",
		"Loss by iteration", "Loss by time", "Distance from the styles", "Distance from the content", "<dt>tv-weight</dt><dd>5</dd>",
		"<td>300</td><td>8.00</td><td>26.7</td>",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the page has no %q", part)
		}
	}
	if n := strings.Count(text, `src="data:image/png;base64,`); n != 6 {
		t.Errorf("%d pictures are in the page, want 6", n)
	}
	for _, attribute := range regexp.MustCompile(`(?:src|href)="([^"]{0,40})`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(attribute[1], "data:") && !strings.HasPrefix(attribute[1], "#") {
			t.Errorf("the page refers to %q", attribute[1])
		}
	}
	if regexp.MustCompile(`https?://|url\(|@import`).MatchString(text) {
		t.Error("the page refers to something outside it")
	}
}

func TestPageMarksTheNearestOfTheContest(t *testing.T) {
	tables := sample().scoreTables()
	if len(tables) != 2 {
		t.Fatalf("%d tables, want 2", len(tables))
	}
	best := func(table, column int) string {
		var names []string
		for _, row := range tables[table].Rows {
			if row.Cells[column].Best {
				names = append(names, row.Name)
			}
		}
		return strings.Join(names, " ")
	}
	// The picture that failed would be best nearly everywhere. gaussian: 0.1 against 0.05; gram: 0.2, 0.4 and 0.3; from the content, the
	// content itself is nearest but not in the contest.
	for _, test := range []struct {
		table, column int
		want          string
	}{{0, 0, "gram"}, {0, 1, "gaussian"}, {1, 0, "gram"}, {1, 1, "gaussian"}, {1, 2, "elsewhere"}} {
		if got := best(test.table, test.column); got != test.want {
			t.Errorf("table %d, column %d: %q is best, want %q", test.table, test.column, got, test.want)
		}
	}
	if text := tables[1].Rows[4].Cells[0].Text; text != "–" {
		t.Errorf("a content score that isn't known is %q", text)
	}
}

func TestPageOfManyPicturesHasLargeOnesAsJPEG(t *testing.T) {
	c := Comparison{Title: "large", Pictures: []Picture{{Name: "wide", Image: stripes(losslessSide+1, 8, 1)}, {Name: "small", Image: stripes(losslessSide, 8, 1)}}}
	text := pageOf(t, c)
	if strings.Count(text, "data:image/jpeg") != 1 || strings.Count(text, "data:image/png") != 1 {
		t.Error("want the larger picture as JPEG and the other as PNG")
	}
	for _, absent := range []string{`id="curves"`, `id="scores"`} {
		if strings.Contains(text, absent) {
			t.Errorf("a page without curves and scores has %s", absent)
		}
	}
}

func TestNoPictureIsAnError(t *testing.T) {
	c := Comparison{Pictures: []Picture{{Name: "broken", Error: "NaN"}}}
	if err := c.Page(new(bytes.Buffer)); err == nil {
		t.Error("a page without a picture was made")
	}
	if _, err := (Comparison{}).Sheet(); err == nil {
		t.Error("a sheet without a picture was made")
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for most, want := range map[float64]string{60: "[0 10 20 30 40 50 60]", 1: "[0 0.2 0.4 0.6 0.8 1]", 4.7: "[0 1 2 3 4]", 2500: "[0 500 1000 1500 2000 2500]"} {
		if got := fmt.Sprintf("%.6g", evenTicks(most)); got != want {
			t.Errorf("to %g: %s, want %s", most, got, want)
		}
	}
}
