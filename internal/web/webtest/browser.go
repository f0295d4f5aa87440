// Package webtest has tests look at pages in a real browser.
package webtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Variable is that of the environment which names the browser, a Chromium: a path, or a
// name to look for. The make target browser sets it.
const Variable = "IMPASTO_BROWSER"

// patience is how long a test with a browser may take in all.
const patience = 20 * time.Minute

// waiting is how long something may take to become so.
const waiting = 2 * time.Minute

// Tab is a tab of a browser. What fails in its methods ends the test.
type Tab struct {
	t       testing.TB
	ctx     context.Context
	allowed []string

	mutex      sync.Mutex
	complaints []string
}

// Open starts a headless browser with one tab of a size. Requests may begin with what is
// allowed; others are complained of. Without a browser the test is skipped.
func Open(t testing.TB, width, height int64, allowed ...string) *Tab {
	t.Helper()
	name := os.Getenv(Variable)
	if name == "" {
		t.Skipf("the page is NOT tested in a browser: set %s to a Chromium, or run `make browser`", Variable)
	}
	browser, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s=%s: %v; install Chromium (Debian: apt-get install chromium)", Variable, name, err)
	}
	temporary, err := os.MkdirTemp("", "browser") // a short path, since the browser makes a socket there
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()), chromedp.Env("TMPDIR="+temporary))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	limited, timeout := context.WithTimeout(allocator, patience)
	ctx, leave := chromedp.NewContext(limited)
	t.Cleanup(func() {
		leave()
		timeout()
		stop()
		os.RemoveAll(temporary)
	})
	return open(t, ctx, width, height, allowed)
}

// Another is another tab of the same browser.
func (b *Tab) Another(width, height int64) *Tab {
	b.t.Helper()
	ctx, leave := chromedp.NewContext(b.ctx)
	b.t.Cleanup(leave)
	return open(b.t, ctx, width, height, b.allowed)
}

func open(t testing.TB, ctx context.Context, width, height int64, allowed []string) *Tab {
	t.Helper()
	b := &Tab{t: t, ctx: ctx, allowed: allowed}
	b.Do(chromedp.EmulateViewport(width, height))
	b.listen()
	return b
}

// listen collects every error or warning that the page logs, breaches of its policy among
// them, exception that it throws, dialog that it opens and request that isn't allowed.
func (b *Tab) listen() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	complain := func(format string, values ...any) {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		b.complaints = append(b.complaints, fmt.Sprintf(format, values...))
	}
	err := chromedp.Listen(b.ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			text := event.ExceptionDetails.Text
			if e := event.ExceptionDetails.Exception; e != nil {
				text += " " + e.Description
			}
			complain("exception: %s", text)
		case *runtime.EventConsoleAPICalled:
			complain("the console has a message of type %v", event.Type)
		case *log.EventEntryAdded:
			complain("the browser's log: %s %s", event.Entry.Text, event.Entry.URL)
		case *page.EventJavascriptDialogOpening:
			complain("a dialog: %s", event.Message)
		case *network.EventRequestWillBeSent:
			url := event.Request.URL
			if !strings.HasPrefix(url, "data:") && !slices.ContainsFunc(b.allowed, func(prefix string) bool { return strings.HasPrefix(url, prefix) }) {
				complain("request for %s", url)
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// Complaints are what the browser has had to say by now, and takes them off.
func (b *Tab) Complaints() []string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	complaints := b.complaints
	b.complaints = nil
	return complaints
}

// Quiet fails the test for each complaint.
func (b *Tab) Quiet() {
	b.t.Helper()
	for _, what := range b.Complaints() {
		b.t.Error(what)
	}
}

// Context is the tab's, for actions of package chromedp.
func (b *Tab) Context() context.Context { return b.ctx }

// Do does things in turn.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// Go opens an address.
func (b *Tab) Go(address string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("body")))
}

// Evaluate is the value of an expression of JavaScript, as JSON has it.
func (b *Tab) Evaluate(expression string) any {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+") ?? 'null'"))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		b.t.Fatal(err)
	}
	return value
}

// Wait waits until an expression is true.
func (b *Tab) Wait(expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(waiting); b.Evaluate("Boolean("+expression+")") != true; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("it never was so that %s; the page says: %v; complaints: %q", expression, b.Evaluate("document.body.innerText"), b.Complaints())
		}
	}
}

// Click clicks in the middle of what a selector names, by the mouse.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.clickOn(fmt.Sprintf("document.querySelector(%q)", selector))
}

// clickOn clicks what an expression is once it takes room on the page.
func (b *Tab) clickOn(expression string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf("(%s)?.getClientRects().length", expression))
	at := b.Evaluate(fmt.Sprintf(`((e) => { e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(%s)`, expression)).([]any)
	b.Do(chromedp.MouseClickXY(at[0].(float64), at[1].(float64)))
}

// ClickText clicks the button, link or label within what a selector names that has a text,
// or that is named so.
func (b *Tab) ClickText(within, text string) {
	b.t.Helper()
	b.clickOn(fmt.Sprintf(`[...document.querySelectorAll(%q)].flatMap((e) => [...e.querySelectorAll("button, a, label, summary")]).find((e) => e.getClientRects().length && (e.innerText.trim() === %q || e.ariaLabel === %[2]q || e.querySelector("span")?.innerText === %[2]q))`, within, text))
}

// Drag moves the mouse with its button held, from one point of the page to another.
func (b *Tab) Drag(fromX, fromY, toX, toY float64) {
	b.t.Helper()
	actions := []chromedp.Action[chromedp.Void]{chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, fromX, fromY, chromedp.ButtonLeft)}
	const steps = 8
	for i := 1.0; i <= steps; i++ {
		actions = append(actions, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, fromX+(toX-fromX)*i/steps, fromY+(toY-fromY)*i/steps, chromedp.ButtonLeft))
	}
	b.Do(append(actions, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, toX, toY, chromedp.ButtonLeft))...)
}

// Touch has the tab be one of a device that is touched.
func (b *Tab) Touch() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 2})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Wait(`matchMedia("(pointer: coarse)").matches`)
}

// Swipe moves a finger from one point of the page to another.
func (b *Tab) Swipe(fromX, fromY, toX, toY float64) {
	b.t.Helper()
	b.fingers(func(share float64) []*input.TouchPoint {
		return []*input.TouchPoint{finger(0, fromX+(toX-fromX)*share, fromY+(toY-fromY)*share)}
	})
}

// Pinch moves two fingers apart, or towards each other, beside a point: from and to are their
// distances from it.
func (b *Tab) Pinch(x, y, from, to float64) {
	b.t.Helper()
	b.fingers(func(share float64) []*input.TouchPoint {
		at := from + (to-from)*share
		return []*input.TouchPoint{finger(0, x-at, y), finger(1, x+at, y)}
	})
}

func finger(id, x, y float64) *input.TouchPoint { return &input.TouchPoint{ID: &id, X: x, Y: y} }

// fingers puts fingers on the page, moves them, and takes them off. Where they are is told by
// the share of the way, 0 to 1.
func (b *Tab) fingers(at func(share float64) []*input.TouchPoint) {
	b.t.Helper()
	touch := func(kind input.DispatchTouchEventType, points []*input.TouchPoint) {
		if _, err := chromedp.Call(b.ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points}); err != nil {
			b.t.Fatal(err)
		}
	}
	touch(input.DispatchTouchEventTypeTouchStart, at(0))
	const steps = 8
	for i := 1.0; i <= steps; i++ {
		touch(input.DispatchTouchEventTypeTouchMove, at(i/steps))
	}
	touch(input.DispatchTouchEventTypeTouchEnd, []*input.TouchPoint{})
}

// Node is one of what the browser tells assistive technology of.
type Node struct{ Role, Name, HTML string }

// Accessibility is what the browser tells assistive technology of the page.
func (b *Tab) Accessibility() []Node {
	b.t.Helper()
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	var nodes []Node
	for _, n := range tree.Nodes {
		if n.Ignored {
			continue
		}
		one := Node{Role: textOf(n.Role), Name: textOf(n.Name)}
		if one.Name == "" && n.BackendDOMNodeID != 0 {
			if of, err := chromedp.Call(b.ctx, dom.GetOuterHTML, dom.GetOuterHTMLParams{BackendNodeID: n.BackendDOMNodeID}); err == nil {
				one.HTML = of.OuterHTML[:min(len(of.OuterHTML), 200)]
			}
		}
		nodes = append(nodes, one)
	}
	return nodes
}

func textOf(v *accessibility.Value) string {
	var text string
	if v != nil {
		_ = json.Unmarshal(v.Value, &text) // what is no text has none
	}
	return text
}

// Dark has the page see a dark scheme, or a light one.
func (b *Tab) Dark(dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.Prefer("prefers-color-scheme", scheme)
}

// Prefer sets what people want of pages, such as prefers-reduced-motion.
func (b *Tab) Prefer(feature, value string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
	if err != nil {
		b.t.Fatal(err)
	}
}

// Screenshot is what the tab shows, as PNG.
func (b *Tab) Screenshot() []byte {
	b.t.Helper()
	data, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}
