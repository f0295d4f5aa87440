package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"impasto/internal/web/webtest"
)

// boxOf is where an element is on the page once it has come to rest: x, y, width and height.
func boxOf(tab *webtest.Tab, selector string) (x, y, width, height float64) {
	tab.Wait(fmt.Sprintf("document.querySelector(%q)?.clientWidth > 0", selector))
	box := tab.Evaluate(fmt.Sprintf(`((e) => { e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })(document.querySelector(%q))`, selector)).([]any)
	return box[0].(float64), box[1].(float64), box[2].(float64), box[3].(float64)
}

// tooSmall are controls that are seen and smaller than a finger needs, 40 pixels in either
// direction, by their names; a row of text that is a label counts with its control.
const tooSmall = `[...document.querySelectorAll("button, select, a, input, summary")].filter((e) => {
	if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true}) || e.matches(".skip, .brand")) return false;
	const box = (e.matches("input[type=checkbox], input[type=radio]") ? e.closest("label, .head") : e).getBoundingClientRect();
	return box.width > 0 && (box.height < 40 || box.width < 40);
}).map((e) => (e.ariaLabel || e.innerText || e.outerHTML) + " " + e.getBoundingClientRect().width + "×" + e.getBoundingClientRect().height).join("\n")`

func TestStudioBrowserWorksByTouch(t *testing.T) {
	s := startStudio(t)
	tab := s.visit(390, 844)
	tab.Touch()
	roomy := func(where string) {
		t.Helper()
		if got := tab.Evaluate(tooSmall); got != "" {
			t.Errorf("%s, too small for fingers:\n%v", where, got)
		}
	}
	choosePair(tab)
	roomy("setting up")
	x, y, width, height := boxOf(tab, "[data-setting=strength]")
	tab.Swipe(x+width/2, y+height/2, x+width*0.8, y+height/2)
	if got := tab.Evaluate(`Number(document.querySelector("[data-setting=strength]").value) > 70`); got != true {
		t.Errorf("a slider that is dragged to four fifths is at %v", tab.Evaluate(`document.querySelector("[data-setting=strength]").value`))
	}
	setAll(tab, small...)
	roomy("all settings")

	tab.Click("[data-focus=masks]")
	x, y, width, height = boxOf(tab, ".board canvas")
	roomy("painting a mask")
	tab.Swipe(x+width*0.2, y+height*0.3, x+width*0.8, y+height*0.7)
	tab.Wait(`/[1-9]\d* %/.test(document.querySelector("dialog [role=status]").textContent)`)
	tab.ClickText("dialog", "Use")
	tab.Wait(`!document.querySelector("dialog") && document.querySelector("#paint").ariaDisabled === "false"`)

	tab.Click("#paint")
	tab.Wait(shownState + ` === "finished"`)
	tab.Wait(shownPicture)
	roomy("a picture")
	x, y, width, height = boxOf(tab, ".of-run .view")
	tab.Pinch(x+width/2, y+height/2, 20, 60)
	tab.Wait(`Number(document.querySelector(".of-run .view").style.getPropertyValue("--zoom")) > 1.5`)
	before := tab.Evaluate(`document.querySelector(".of-run .view").style.getPropertyValue("--x")`)
	tab.Swipe(x+width/2, y+height/2, x+width/4, y+height/2)
	if got := tab.Evaluate(`document.querySelector(".of-run .view").style.getPropertyValue("--x")`); got == before {
		t.Errorf("a picture that is zoomed doesn't move by a finger")
	}

	tab.ClickText(".actions", "Compare")
	tab.Wait(`document.querySelectorAll(".compare .stage img.live").length === 2`)
	roomy("comparing")
	x, y, width, height = boxOf(tab, ".compare .stage")
	tab.Swipe(x+width/2, y+height/2, x+width*0.9, y+height/2)
	if got := tab.Evaluate(`parseFloat(document.querySelector(".compare .stage").style.getPropertyValue("--cut")) > 80`); got != true {
		t.Error("a finger doesn't move what divides two pictures")
	}
	tab.ClickText(".tabs", "History")
	roomy("the history")
	tab.Quiet()
}

// TestStudioBrowserTellsAssistiveTechnology looks at the page as screen readers are given it.
func TestStudioBrowserTellsAssistiveTechnology(t *testing.T) {
	s := startStudio(t)
	tab := s.visit(1400, 900)
	controls := []string{"button", "link", "textbox", "searchbox", "slider", "spinbutton", "combobox", "checkbox", "radio", "switch", "progressbar", "img", "image", "dialog", "application", "radiogroup", "toolbar"}
	check := func(where string) {
		t.Helper()
		for _, node := range tab.Accessibility() {
			for _, role := range controls {
				if node.Role == role && strings.TrimSpace(node.Name) == "" {
					t.Errorf("%s: a %s has no name: %s", where, role, node.HTML)
				}
			}
		}
		level := 0
		for _, h := range tab.Evaluate(`[...document.querySelectorAll("h1, h2, h3, h4")].filter((e) => e.checkVisibility()).map((e) => [Number(e.tagName[1]), e.textContent])`).([]any) {
			one := h.([]any)
			if next := int(one[0].(float64)); next > level+1 {
				t.Errorf("%s: the heading %q is of level %d after one of %d", where, one[1], next, level)
			} else {
				level = next
			}
		}
		if got := tab.Evaluate(`document.querySelectorAll("main, [role=main]").length`); got != 1. {
			t.Errorf("%s: there are %v main parts", where, got)
		}
	}
	focused := func(where, want string) {
		t.Helper()
		tab.Wait(fmt.Sprintf(`document.activeElement !== document.body && document.activeElement.checkVisibility() && document.activeElement.matches(%q)`, want))
		if got := tab.Evaluate(`getComputedStyle(document.activeElement).outlineStyle`); got == "none" {
			t.Errorf("%s: where the focus is isn't seen", where)
		}
	}
	press := func(keys ...string) {
		for _, key := range keys {
			tab.Do(chromedp.KeyEvent(key))
		}
	}
	check("at first")
	tabTo(t, tab, ".slot[data-role=photo]")
	press("\r")
	tabTo(t, tab, `dialog .tile[data-name="harbour.png"]`)
	check("choosing a photo")
	press("\r")
	focused("the photo is chosen", "[data-focus=photo]")
	tabTo(t, tab, ".add-painting")
	press("\r")
	tabTo(t, tab, `dialog .tile[data-name="whirl.jpg"]`)
	press("\r")
	focused("the painting is chosen", ".add-painting")
	setAll(tab, long...)
	check("all settings")
	tab.Wait(`document.querySelector("#paint").ariaDisabled === "false"`)
	tabTo(t, tab, "#paint")

	// What is said is counted while it is painted: by every change of a region that is live.
	tab.Evaluate(`(window.said = [], new MutationObserver((all) => all.forEach((m) => { const region = (m.target.closest ? m.target : m.target.parentElement)?.closest("[aria-live], [role=status], [role=alert]"); if (region?.textContent) window.said.push(region.textContent); })).observe(document.body, {subtree: true, childList: true, characterData: true}), 1)`)
	press("\r")
	tab.Wait(shownPicture)
	check("painting")
	tab.Wait(`state = document.querySelector(".of-run .status").textContent.match(/iteration (\d+)/), state && Number(state[1]) > 20`)
	if got := tab.Evaluate(`window.said.length`).(float64); got < 1 || got > 6 {
		t.Errorf("of twenty iterations is said: %v", tab.Evaluate(`window.said`))
	}
	tabTo(t, tab, "[data-does=pause]")
	press("\r")
	tab.Wait(shownState + ` === "paused"`)
	focused("it is paused", "[data-does=continue]")
	press("\r")
	tab.Wait(shownState + ` === "running"`)
	focused("it goes on", ".actions button")
	tabTo(t, tab, "[data-does=stop]")
	press("\r")
	tab.Wait(shownState + ` === "stopped"`)
	focused("it is stopped", ".actions button")
	tabTo(t, tab, "[data-does=compare]")
	press("\r")
	tab.Wait(`document.querySelectorAll(".compare .stage img.live").length === 2`)
	check("comparing")
	tab.Quiet()
}
