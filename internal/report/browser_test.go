package report

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browserVariable names the browser to test the page in, a Chromium: a path, or a
// name to look for. The make target browser sets it.
const browserVariable = "IMPASTO_BROWSER"

// visit opens the page in a headless browser of a width and returns a function
// that evaluates JavaScript there. Whatever the page logs as an error, throws or
// asks of the network fails the test.
func visit(t *testing.T, width, height int64) (ctx context.Context, evaluate func(expression string) any) {
	t.Helper()
	name := os.Getenv(browserVariable)
	if name == "" {
		t.Skipf("the page is NOT tested in a browser: set %s to a Chromium, or run `make browser`", browserVariable)
	}
	browser, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s=%s: %v; install Chromium (Debian: apt-get install chromium)", browserVariable, name, err)
	}
	path := filepath.Join(t.TempDir(), "index.html")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := sample().Page(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(allocator)
	ctx, timeout := context.WithTimeout(ctx, 2*time.Minute) // of the whole test
	t.Cleanup(func() { timeout(); leave(); stop() })

	do(t, ctx, chromedp.EmulateViewport(width, height))
	noComplaints(t, ctx)
	do(t, ctx, chromedp.Navigate("file://"+path), chromedp.WaitReady(chromedp.CSS("body")))
	return ctx, func(expression string) any {
		t.Helper()
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+") ?? 'null'"))
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// noComplaints fails the test at its end for every error or warning that the page
// logs, exception that it throws and request that leaves it.
func noComplaints(t *testing.T, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	var mutex sync.Mutex
	var complaints []string
	err := chromedp.Listen(ctx, func(event any) {
		mutex.Lock()
		defer mutex.Unlock()
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, "exception: "+event.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			complaints = append(complaints, fmt.Sprintf("the console has a message of type %v", event.Type))
		case *log.EventEntryAdded:
			complaints = append(complaints, "the browser's log: "+event.Entry.Text)
		case *network.EventRequestWillBeSent:
			url := event.Request.URL
			if scheme, _, _ := strings.Cut(url, ":"); scheme != "data" && scheme != "file" {
				complaints = append(complaints, "request for "+url)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mutex.Lock()
		defer mutex.Unlock()
		for _, what := range complaints {
			t.Error(what)
		}
	})
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

const (
	transforms = `[...new Set([...document.querySelectorAll(".view img")].map(i => getComputedStyle(i).transform.split(",").slice(0, 4).join()))]`
	zoomText   = `document.getElementById("zoom").value`
	leftEdge   = `getComputedStyle(document.documentElement).getPropertyValue("--x")`
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
		if got := evaluate(`getComputedStyle(document.getElementById("pictures")).gridTemplateColumns.split(" ").length`); got != want {
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
	if got := evaluate(transforms); len(got.([]any)) != 1 {
		t.Fatalf("transforms before zooming are %v, want one", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-zoom=in]")), chromedp.Click(chromedp.CSS("[data-zoom=in]")))
	if got := evaluate(zoomText); got != "225 %" {
		t.Errorf("after + twice the zoom is %v", got)
	}
	if got := evaluate(transforms).([]any); len(got) != 1 || !strings.HasPrefix(got[0].(string), "matrix(2.25, 0, 0, 2.25") {
		t.Errorf("transforms are %v, want one, of 2.25", got)
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
	if got := evaluate(transforms).([]any); len(got) != 1 {
		t.Errorf("after dragging, transforms are %v, want one", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-zoom=reset]")))
	if got := evaluate(zoomText); got != "100 %" {
		t.Errorf("after the reset the zoom is %v", got)
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
	if got := evaluate(zoomText); got != "225 %" {
		t.Errorf("after the key + twice the zoom is %v", got)
	}
	before := evaluate(leftEdge)
	do(t, ctx, chromedp.KeyEvent(kb.ArrowRight))
	if evaluate(leftEdge) == before {
		t.Error("the arrow key moved nothing")
	}
	do(t, ctx, chromedp.KeyEvent("0"))
	if got := evaluate(zoomText); got != "100 %" {
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
