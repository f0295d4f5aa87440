package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// disc is one as package vgsvg writes it.
func disc(x, y float64, colour string) string {
	return fmt.Sprintf(`<path d="M%.5g,%.5gA1.6,1.6 0 1 1 %.5g,%.5gA1.6,1.6 0 1 1 %.5g,%.5gZ" style="fill:%s;fill-opacity:0.50196" />`+"\n", x+1.6, y, x-1.6, y, x+1.6, y, colour)
}

func TestDotsOfOnePathDontOverlap(t *testing.T) {
	svg := "<g>\n" + disc(10, 10, "#112233") + disc(12, 10, "#112233") + disc(20, 10, "#112233") + disc(10, 10, "#445566") + "</g>"
	want := `<g>
<path d="M10 10h0M20 10h0" style="fill:none;stroke:#112233;stroke-width:3.2;stroke-linecap:round;stroke-opacity:0.50196" />
<path d="M12 10h0" style="fill:none;stroke:#112233;stroke-width:3.2;stroke-linecap:round;stroke-opacity:0.50196" />
<path d="M10 10h0" style="fill:none;stroke:#445566;stroke-width:3.2;stroke-linecap:round;stroke-opacity:0.50196" />
</g>`
	if got := string(compactSVG([]byte(svg))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDotsOfOnePlaceAreKeptUntilOpaque(t *testing.T) {
	if got := strings.Count(string(compactSVG([]byte(strings.Repeat(disc(5, 5, "#112233"), 100)))), "M5 5h0"); got != deepest {
		t.Errorf("%d dots are left, want %d", got, deepest)
	}
}

// Every point of a cloud is in its SVG, in some 15 bytes.
func TestCloudsMakeSmallSVG(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	points := make([]float64, 3*600)
	for i := range points {
		points[i] = min(max(random.NormFloat64(), -3), 3)
	}
	var svg bytes.Buffer
	figure := Clouds{Title: "clouds", Groups: []CloudGroup{{"one", []Cloud{{"X", 3, points, make([]float64, 3)}}}}, Extent: 3}
	if err := figure.Draw(&svg, "svg"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(svg.String(), "h0"); got != 3*600 {
		t.Errorf("%d points are drawn, want %d", got, 3*600)
	}
	if svg.Len() > 50_000 {
		t.Errorf("the SVG has %d bytes", svg.Len())
	}
	if strings.Contains(svg.String(), "base64") || !strings.Contains(svg.String(), "Liberation Sans,Arial") {
		t.Error("the SVG embeds a font, or names none to fall back on")
	}
}

// Ticks of 100 and 400 stand at the same places in every row, however wide the
// labels of the ordinates are.
func TestAxesOfAColumnAlign(t *testing.T) {
	var narrow, wide Panel
	for i := 1.0; i < 5; i++ {
		narrow.Add("gram", 100*i, i)
		wide.Add("relaxed-euclidean", 100*i, 1e-4*i*i*i)
	}
	var svg bytes.Buffer
	if err := (Scaling{Title: "growth", Rows: [][]Panel{{narrow, narrow}, {wide}}}).Draw(&svg, "svg"); err != nil {
		t.Fatal(err)
	}
	for _, tick := range []string{"100", "400"} {
		places := regexp.MustCompile(`<text x="([\d.]+)"[^>]*>`+tick+`</text>`).FindAllStringSubmatch(svg.String(), -1)
		if len(places) != 3 {
			t.Fatalf("the tick %s stands %d times, want 3", tick, len(places))
		}
		if places[0][1] != places[2][1] {
			t.Errorf("the tick %s stands at %s in one row and at %s in the next", tick, places[0][1], places[2][1])
		}
	}
}
