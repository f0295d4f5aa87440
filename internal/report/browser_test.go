package report

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"impasto/internal/web/webtest"
)

// visit opens the sample's page in a headless browser of a width and returns a
// function that evaluates JavaScript there. Whatever the page logs as an error or a
// breach of its policy, throws or asks of the network fails the test.
func visit(t *testing.T, width, height int64) (ctx context.Context, evaluate func(expression string) any) {
	t.Helper()
	ctx, evaluate, complaints := visitPage(t, pageOf(t, sample()), width, height)
	t.Cleanup(func() {
		for _, what := range complaints() {
			t.Error(what)
		}
	})
	return ctx, evaluate
}

// visitPage opens a page. Complaints are what the browser has had to say by then.
func visitPage(t *testing.T, text string, width, height int64) (ctx context.Context, evaluate func(expression string) any, complaints func() []string) {
	t.Helper()
	tab := webtest.Open(t, width, height, "file:")
	path := filepath.Join(t.TempDir(), "index.html")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	tab.Go("file://" + path)
	return tab.Context(), tab.Evaluate, tab.Complaints
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

const (
	// The scales of all pictures, in pixels of the page for one of the picture, but
	// those whose shape is another one.
	scales = `[...new Set([...document.querySelectorAll(".view img")].filter(i => i.naturalWidth === 96).map(i => (i.getBoundingClientRect().width / i.naturalWidth).toFixed(3)))]`
	// The same of those outside the slider, where each view fits the picture.
	gridScales = `[...new Set([...document.querySelectorAll("#pictures img")].map(i => (i.getBoundingClientRect().width / i.closest(".view").clientWidth).toFixed(3)))]`
	zoomText   = `document.getElementById("zoom").value`
	fitPercent = `Math.round(100 * document.querySelector(".view").clientWidth / 96)`
	leftEdge   = `getComputedStyle(document.querySelector(".view")).getPropertyValue("--x")`
	cutValue   = `document.getElementById("cut").value`
)

func TestBrowserShowsEveryPictureAtAnyWidth(t *testing.T) {
	for _, width := range []int64{1400, 800, 400, 320} {
		_, evaluate := visit(t, width, 900)
		if got := evaluate(`[...document.images].filter(i => !i.complete || i.naturalWidth === 0 || i.getBoundingClientRect().width < 50).length`); got != 0. {
			t.Errorf("at %d pixels %v pictures don't show", width, got)
		}
		if got := evaluate(`document.documentElement.scrollWidth - innerWidth`); got.(float64) > 0 {
			t.Errorf("at %d pixels the page is %v pixels too wide", width, got)
		}
		if got := evaluate(`[...document.querySelectorAll("button, input, select, [tabindex]")].filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length`); got != 0. {
			t.Errorf("%v controls have no name", got)
		}
		want := 1.
		if width == 1400 {
			want = 4
		} else if width == 800 {
			want = 2
		}
		if got := evaluate(`getComputedStyle(document.querySelector(".flow")).gridTemplateColumns.split(" ").length`); got != want {
			t.Errorf("at %d pixels there are %v columns, want %v", width, got, want)
		}
	}
}

// within is the place in a view at a share of its width and half its height.
func within(t *testing.T, ctx context.Context, selector string, share float64) (x, y float64) {
	t.Helper()
	box, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](fmt.Sprintf(
		"(r => [r.x + r.width * %g, r.y + r.height / 2])(document.querySelector(%q).getBoundingClientRect())", share, selector)))
	if err != nil {
		t.Fatal(err)
	}
	return box[0], box[1]
}

func TestBrowserZoomsAllPicturesTogether(t *testing.T) {
	ctx, evaluate := visit(t, 1400, 900)
	if got := evaluate(gridScales); !slices.Equal(got.([]any), []any{"1.000"}) {
		t.Fatalf("before zooming the pictures take %v of their views", got)
	}
	fit := evaluate(fitPercent).(float64)
	if got, want := evaluate(zoomText), fmt.Sprintf("fit, %g %%", fit); got != want {
		t.Errorf("at first the zoom is %q, want %q", got, want)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-zoom=in]")), chromedp.Click(chromedp.CSS("[data-zoom=in]")))
	exact := evaluate(`document.querySelector(".view").clientWidth / 96`).(float64) * 2.25
	if got, want := evaluate(zoomText), fmt.Sprintf("%.0f %%", 100*exact); got != want {
		t.Errorf("after + twice the zoom is %q, want %q", got, want)
	}
	if got := evaluate(scales).([]any); len(got) != 1 || got[0] != fmt.Sprintf("%.3f", exact) {
		t.Errorf("scales are %v, want %.3f", got, exact)
	}
	before := evaluate(leftEdge)
	x, y := within(t, ctx, ".view", 0.5)
	do(t, ctx,
		chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, x, y, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x-60, y, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, x-60, y, chromedp.ButtonLeft))
	if after := evaluate(leftEdge); after == before {
		t.Error("dragging a picture moved nothing")
	}
	if got := evaluate(`[...new Set([...document.querySelectorAll("#pictures .view:not(.missing)")].map(v => v.style.getPropertyValue("--x")))].length`); got != 1. {
		t.Errorf("after dragging, pictures stand at %v places, want one", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-zoom=fit]")))
	if got, want := evaluate(zoomText), fmt.Sprintf("fit, %g %%", fit); got != want {
		t.Errorf("after Fit the zoom is %v, want %v", got, want)
	}
}

// The sample's pictures are smaller than their views, which must not keep one pixel
// from being one.
func TestBrowserShowsPixelForPixelAtHundredPercent(t *testing.T) {
	ctx, evaluate := visit(t, 1400, 900)
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-zoom=actual]")))
	if got := evaluate(zoomText); got != "100 %" {
		t.Errorf("the zoom is %v", got)
	}
	if got := evaluate(scales); !slices.Equal(got.([]any), []any{"1.000"}) {
		t.Errorf("at 100 %% a pixel takes %v, want 1, under the slider too", got)
	}
	if got := evaluate(`[...document.querySelectorAll("[data-zoom][aria-pressed=true]")].map(b => b.dataset.zoom).join()`); got != "actual" {
		t.Errorf("%v shows as pressed", got)
	}
	off := evaluate(`(v => (r => (i => Math.abs(i.x + i.width / 2 - r.x - r.width / 2))(v.querySelector("img").getBoundingClientRect()))(v.getBoundingClientRect()))(document.querySelector(".view"))`)
	if off.(float64) > 1 {
		t.Errorf("a picture smaller than its view is %v pixels off its middle", off)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.documentElement.style.setProperty("--column", "600px")`))
	got := evaluate(scales)
	for deadline := time.Now().Add(10 * time.Second); !slices.Equal(got.([]any), []any{"1.000"}); got = evaluate(scales) {
		// The page hears of it before it next paints.
		if time.Now().After(deadline) {
			t.Fatalf("in wider views a pixel takes %v", got)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// hostile is a comparison whose names would run, were they not escaped.
func hostile() Comparison {
	c := sampleGrid()
	const script, handler = `<script>window.ran = true</script>`, `"><img src=x onerror="window.ran = true">`
	c.Title, c.Command = script, "</pre>"+script+"</title></style></script>"+script
	for i, name := range []string{script, handler, "</script>" + script, "bad\xff\x1b" + handler, "javascript:window.ran=true", "{{.Title}} ${window.ran=true}"} {
		c.Pictures[i].Name, c.Pictures[i].Note, c.Pictures[i].Error = name, name, name
		c.Pictures[i].Settings[1].Value = name
	}
	c.References[0].Name, c.References[0].Note = handler, script
	c.Common = []Setting{{handler, script}}
	return c
}

func TestBrowserRunsNothingThatANameBrings(t *testing.T) {
	_, evaluate, complaints := visitPage(t, pageOf(t, hostile()), 1400, 900)
	if got := evaluate(`[typeof window.ran, document.scripts.length, document.querySelectorAll("[onerror], [style*=url]").length].join()`); got != "undefined,1,0" {
		t.Errorf("ran, scripts, handlers: %v", got)
	}
	if got := evaluate(zoomText); !strings.HasPrefix(got.(string), "fit, ") {
		t.Errorf("the page's own script didn't run: the zoom is %q", got)
	}
	for _, what := range complaints() {
		t.Error(what)
	}
}

// Were escaping to fail, the policy would still keep a script from running, and the
// browser say so.
func TestBrowserHoldsThePageToItsPolicy(t *testing.T) {
	text := strings.Replace(pageOf(t, sample()), "<main>", `<main><script>window.ran = true</script><img src="data:," onerror="window.ran = true"><p style="color: red" id="red">`, 1)
	_, evaluate, complaints := visitPage(t, text, 1400, 900)
	if got := evaluate(`[typeof window.ran, getComputedStyle(document.getElementById("red")).color === "rgb(255, 0, 0)"].join()`); got != "undefined,false" {
		t.Errorf("what was slipped in ran: %v", got)
	}
	if got := strings.Join(complaints(), "\n"); strings.Count(got, "Content Security Policy") < 2 {
		t.Errorf("the browser says of it only %q", got)
	}
}

func TestBrowserShowsMatricesAtAnyWidth(t *testing.T) {
	for _, width := range []int64{1400, 800, 400, 320} {
		_, evaluate, complaints := visitPage(t, pageOf(t, sampleGrid()), width, 900)
		if got := evaluate(`document.documentElement.scrollWidth - innerWidth`); got.(float64) > 0 {
			t.Errorf("at %d pixels the page is %v pixels too wide", width, got)
		}
		if got := evaluate(`Math.min(...[...document.querySelectorAll(".matrix img")].map(i => i.getBoundingClientRect().width)) >= 139`); got != true {
			t.Errorf("at %d pixels a picture of the matrix is too small", width)
		}
		// No word of a heading is broken where it needn't be.
		if got := evaluate(`Math.min(...[...document.querySelectorAll(".matrix tbody th")].map(h => h.clientWidth)) >= 80`); got != true {
			t.Errorf("at %d pixels the rows' headings are squeezed", width)
		}
		for _, what := range complaints() {
			t.Error(what)
		}
	}
}

func TestBrowserWorksByKeyboardAlone(t *testing.T) {
	ctx, evaluate := visit(t, 1400, 900)
	// Tab reaches every control, in the order in which they stand.
	controls := evaluate(`document.querySelectorAll("a, button, input, select, summary, [tabindex]").length`).(float64)
	var reached float64
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
	focus := func(selector string) { do(t, ctx, chromedp.Focus(chromedp.CSS(selector))) }
	focus(".view")
	do(t, ctx, chromedp.KeyEvent("+"), chromedp.KeyEvent("+"))
	if got, want := evaluate(zoomText), evaluate(`Math.round(225 * document.querySelector(".view").clientWidth / 96) + " %"`); got != want {
		t.Errorf("after the key + twice the zoom is %v", got)
	}
	before := evaluate(leftEdge)
	do(t, ctx, chromedp.KeyEvent(kb.ArrowRight))
	if evaluate(leftEdge) == before {
		t.Error("the arrow key moved nothing")
	}
	do(t, ctx, chromedp.KeyEvent("1"))
	if got := evaluate(zoomText); got != "100 %" {
		t.Errorf("after the key 1 the zoom is %v", got)
	}
	do(t, ctx, chromedp.KeyEvent("0"))
	if got := evaluate(zoomText); !strings.HasPrefix(got.(string), "fit, ") {
		t.Errorf("after the key 0 the zoom is %v", got)
	}
	focus("#cut")
	do(t, ctx, chromedp.KeyEvent(kb.End))
	if got := evaluate(cutValue); got != "100" {
		t.Errorf("after the key End the slider is at %v", got)
	}
	if got := evaluate(`getComputedStyle(document.querySelector(".cut")).clipPath`); got != "inset(0px 0% 0px 0px)" {
		t.Errorf("with the slider at its end the upper picture is clipped by %v", got)
	}
}

func TestBrowserPutsAnyTwoUnderTheSlider(t *testing.T) {
	ctx, evaluate := visit(t, 400, 800)
	names := `[document.querySelector(".over-a").alt, document.querySelector(".over-b").alt].join()`
	if got := evaluate(names); got != "gaussian,gram" {
		t.Errorf("at first the slider has %v, want the first two that were made", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-side=a][data-index="0"]`)))
	if got := evaluate(names); got != "content,gram" {
		t.Errorf("after the content's A the slider has %v", got)
	}
	do(t, ctx, chromedp.SetValue(chromedp.CSS("#b"), "5"), chromedp.Evaluate[chromedp.Void](`document.getElementById("b").dispatchEvent(new Event("change"))`))
	if got := evaluate(names); got != "content,elsewhere" {
		t.Errorf("after choosing from the list the slider has %v", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("#swap")))
	if got := evaluate(names); got != "elsewhere,content" {
		t.Errorf("after the swap the slider has %v", got)
	}
	do(t, ctx, chromedp.ScrollIntoView(chromedp.CSS(".stage")))
	x, y := within(t, ctx, ".stage", 0.25)
	do(t, ctx, chromedp.MouseClickXY(x, y))
	if got := evaluate(`Math.round(document.getElementById("cut").value)`); got != 25. {
		t.Errorf("after a click at a quarter the slider is at %v", got)
	}
}

func TestBrowserShowsAnotherSeed(t *testing.T) {
	ctx, evaluate, complaints := visitPage(t, pageOf(t, sampleSeeds()), 1400, 900)
	seen := `[...document.querySelectorAll("#pictures img")].filter(i => i.getClientRects().length).map(i => i.dataset.name).join()`
	if got := evaluate(seen); got != "content,style,gaussian,gram, seed 0" {
		t.Errorf("at first %v are seen", got)
	}
	names := `[document.querySelector(".over-a").alt, document.querySelector(".over-b").alt].join()`
	if got := evaluate(names); got != "gaussian,gram, seed 0" {
		t.Errorf("at first the slider has %v", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-seed="1"]`)))
	if got := evaluate(seen); got != "content,style,gaussian,gram, seed 1" {
		t.Errorf("after a click on seed 1 %v are seen", got)
	}
	if got := evaluate(`[...document.querySelectorAll("[data-seed][aria-pressed=true]")].map(b => b.dataset.seed).join()`); got != "1" {
		t.Errorf("seeds %v show as pressed", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`figure:has([data-seed]) [data-side=a]`)))
	if got := evaluate(names); got != "gram, seed 1,gram, seed 0" {
		t.Errorf("after the A of seed 1 the slider has %v", got)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`(s => { s.value = "0"; s.dispatchEvent(new Event("change")); })(document.getElementById("seed"))`))
	if got := evaluate(seen); got != "content,style,gaussian,gram, seed 0" {
		t.Errorf("after choosing seed 0 for all %v are seen", got)
	}
	if got := evaluate(`[...document.querySelectorAll("figure:has([data-seed]) [data-side][aria-pressed=true]")].map(b => b.dataset.side).join()`); got != "b" {
		t.Errorf("of the picture under seed 0, buttons %v show as pressed, want b", got)
	}
	for _, width := range []int64{320, 800} {
		_, evaluate, _ := visitPage(t, pageOf(t, sampleSeeds()), width, 900)
		if got := evaluate(`document.documentElement.scrollWidth - innerWidth`); got.(float64) > 0 {
			t.Errorf("at %d pixels the page is %v pixels too wide", width, got)
		}
	}
	for _, what := range complaints() {
		t.Error(what)
	}
}

func TestBrowserBlinksTwoPicturesUnderTheSlider(t *testing.T) {
	ctx, evaluate := visit(t, 1400, 900)
	seen := `[...document.querySelectorAll(".over-a, .over-b")].filter(i => getComputedStyle(i).visibility === "visible").map(i => i.alt).join()`
	do(t, ctx, chromedp.Click(chromedp.CSS("#blink")))
	if got := evaluate(`getComputedStyle(document.querySelector(".cut")).clipPath + document.getElementById("blink").ariaPressed`); got != "nonetrue" {
		t.Errorf("while it blinks the upper picture is clipped, and the button pressed: %v", got)
	}
	found := map[any]bool{}
	for deadline := time.Now().Add(10 * time.Second); len(found) < 2; found[evaluate(seen)] = true {
		if time.Now().After(deadline) {
			t.Fatalf("in ten seconds only %v is seen", found)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !found["gram"] || !found["gaussian,gram"] && !found["gram,gaussian"] {
		t.Errorf("seen are %v", found)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("#blink")))
	if got := evaluate(`document.querySelector(".stage").className`); strings.Contains(got.(string), "blinking") {
		t.Errorf("after a second press the stage is %v", got)
	}
}
