package report

import (
	"bytes"
	"fmt"
	"image"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// hostileNames would run, break the page or lead elsewhere, were they not escaped.
var hostileNames = []string{
	"<script>window.ran = true</script>", `"><img src=x onerror="window.ran = true">`, "</style></title>",
	"bad\xff\x1b", "javascript:window.ran=true", "#1 100%25?&", "{{.Title}}",
}

// sampleIndex is an index with all that may be in one.
func sampleIndex(t *testing.T) Index {
	t.Helper()
	thumb := func(name string, width, height int) Thumbnail {
		made, err := NewThumbnail(stripes(width, height, 90))
		if err != nil {
			t.Fatal(err)
		}
		made.Name, made.Note = name, "96×64, 3 iterations in 1.0s"
		return made
	}
	x := Index{
		Title: "photos in <wave>", Summary: "3 of 5 pictures there", Command: "impasto batch 'photos/*' --style wave.jpg -o out",
		References: []Thumbnail{thumb("wave", 500, 500)}, Common: []Setting{{"size", "512"}},
		Pictures: []IndexedPicture{
			{Thumbnail: thumb("wide", 800, 200), File: "wide.png", State: "made", Size: "800×200", Iterations: 3, Seconds: 1, Loss: 0.123456},
			{Thumbnail: thumb("high", 20, 60), File: "sub/high.png", State: "reused", Size: "20×60", Iterations: 3, Seconds: 1, Loss: 0.5},
			{Thumbnail: thumb("cut", 96, 64), File: "cut.png", State: "interrupted", Error: "interrupted; the picture after 2 of 9 iterations is kept", Size: "96×64"},
			{Thumbnail: Thumbnail{Name: "unseen"}, File: "unseen.png", State: "reused", Size: "96×64"},
			{Thumbnail: Thumbnail{Name: "broken"}, State: "failed", Error: "it is no picture"},
		},
	}
	for _, name := range hostileNames {
		x.Pictures = append(x.Pictures, IndexedPicture{Thumbnail: thumb(name, 96, 64), File: name + ".png", State: "made", Size: "96×64"})
	}
	return x
}

func indexText(t *testing.T, x Index) string {
	t.Helper()
	var b bytes.Buffer
	if err := x.Page(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestIndexShowsAndLinksToEveryPicture(t *testing.T) {
	text := indexText(t, sampleIndex(t))
	for _, part := range []string{
		`href="./wide.png"`, `href="./sub/high.png"`, "0.1235", "no picture", `href="./unseen.png" aria-label="unseen: the picture">open the picture</a>`, "it is no picture", "interrupted; the picture after 2 of 9",
		"photos in &lt;wave&gt;", "3 of 5 pictures there", "impasto batch", `href="./%231%20100%2525%3F&amp;.png"`, `href="./bad%FF%1B.png"`, `href="./javascript:window.ran=true.png"`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the page has no %q", part)
		}
	}
	if found := regexp.MustCompile(`<[a-z]+( [a-z-]+="[^"]*")* (on[a-z]+|style)=|<script|href="[^.#]`).FindString(text); found != "" {
		t.Errorf("the page has %s", found)
	}
	policy, scripts, styles := inlineParts(t, text)
	if len(scripts) != 0 || len(styles) != 1 || !strings.Contains(policy, "script-src 'none'") || !strings.Contains(policy, digestSource(styles[0])) {
		t.Errorf("the policy is %q, with %d scripts and %d styles", policy, len(scripts), len(styles))
	}
}

func TestThumbnailsAreSmall(t *testing.T) {
	for _, test := range []struct{ width, height, wantWidth, wantHeight int }{
		{1600, 800, 400, 200}, {300, 900, 133, 400}, {50, 40, 50, 40}, {2000, 1, 400, 1},
	} {
		made, err := NewThumbnail(stripes(test.width, test.height, 10))
		if err != nil || made.width != test.wantWidth || made.height != test.wantHeight || !bytes.HasPrefix(made.image, []byte{0xff, 0xd8}) {
			t.Errorf("%d×%d becomes %d×%d, %v", test.width, test.height, made.width, made.height, err)
		}
	}
	clear, err := NewThumbnail(image.NewNRGBA(image.Rect(0, 0, 9, 9)))
	if err != nil {
		t.Fatal(err)
	}
	img, _, err := image.Decode(bytes.NewReader(clear.image))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := img.At(4, 4).RGBA(); min(r, g, b) < 0xfe00 {
		t.Error("what is transparent isn't white")
	}
}

func TestBrowserShowsTheIndexAtAnyWidth(t *testing.T) {
	for _, width := range []int64{1400, 400, 320} {
		ctx, evaluate, complaints := visitPage(t, indexText(t, sampleIndex(t)), width, 900)
		for what, expression := range map[string]string{
			"pictures don't show":    `[...document.images].filter(i => !i.complete || i.naturalWidth === 0).length`,
			"pixels too wide":        `Math.max(0, document.documentElement.scrollWidth - innerWidth)`,
			"links without names":    `[...document.links].filter(a => !(a.textContent.trim() || a.ariaLabel)).length`,
			"links elsewhere":        `[...document.links].filter(a => a.protocol !== "file:").length`,
			"scripts":                `document.scripts.length + (typeof window.ran === "undefined" ? 0 : 1)`,
			"boxes of another shape": `[...document.querySelectorAll(".thumbnail")].filter(e => { const r = e.getBoundingClientRect(); return Math.abs(r.width / r.height - 4 / 3) > 0.02 }).length`,
		} {
			if got := evaluate(expression); got != 0. {
				t.Errorf("at %d pixels: %v %s", width, got, what)
			}
		}
		if width == 1400 {
			controls := evaluate(`document.querySelectorAll("a, summary, [tabindex]").length`).(float64)
			reached := 0.
			for range int(controls) + 2 {
				do(t, ctx, chromedp.KeyEvent(kb.Tab))
				if evaluate(`document.activeElement === document.body || document.activeElement.dataset.reached === "1"`) == true {
					break
				}
				evaluate(`document.activeElement.dataset.reached = "1"`)
				reached++
			}
			if reached != controls {
				t.Errorf("Tab reaches %v of %v controls", reached, controls)
			}
		}
		for _, what := range complaints() {
			t.Error(fmt.Sprintf("at %d pixels: ", width) + what)
		}
	}
}
