package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"impasto/internal/web/webtest"
)

// picturesVariable names the folder for the pictures of docs/studio.md. The make target
// studio-pictures sets it.
const picturesVariable = "IMPASTO_STUDIO_PICTURES"

// mostOfPicture is how large a picture in a document may be, in bytes.
const mostOfPicture = 150 << 10

// It makes the pictures of docs/studio.md: the page, as people see it, with the bundled
// pictures. What is painted is the same each time; how long it took isn't.
func TestStudioPictures(t *testing.T) {
	folder := os.Getenv(picturesVariable)
	if folder == "" {
		t.Skipf("no pictures are made: run `make studio-pictures`, or set %s to a folder", picturesVariable)
	}
	s := startStudio(t)
	tab := s.visit(1280, 800)
	save := func(name string) {
		t.Helper()
		tab.Evaluate(`(document.activeElement.blur(), 1)`)
		tab.Do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 2, 2)) // away from what it would light up
		time.Sleep(500 * time.Millisecond)                                        // in which what moves comes to rest
		savePicture(t, tab, filepath.Join(folder, name+".webp"))
	}
	paint := func() {
		tab.Wait(`document.querySelector("#paint").ariaDisabled === "false"`)
		tab.Click("#paint")
	}
	close := func() {
		tab.Evaluate(`(document.querySelector("details.more").open = false, document.querySelector(".panel").scrollTo(0, 0), 1)`)
	}

	save("welcome")
	choosePair(tab)
	setAll(tab, "size=256")
	close()
	paint()
	tab.Wait(`document.querySelector(".of-run .status").textContent.includes("scale 2")`)
	tab.Wait(`!document.querySelector(".of-run .status").textContent.includes("iteration 1 ")`)
	save("painting")
	tab.Wait(shownState + ` === "finished"`)
	tab.Dark(true)
	save("finished-dark")
	tab.Dark(false)
	tab.Evaluate(`(document.querySelector(".details").scrollIntoView(), 1)`)
	save("loss")

	tab.ClickText(".actions", "Compare")
	tab.Wait(`document.querySelectorAll(".compare .stage img.live").length === 2`)
	save("compare")
	tab.ClickText(".compare", "Done")

	tab.Click("[data-focus=masks]")
	tab.Wait(`document.querySelector(".board canvas")?.clientWidth > 100`)
	tab.ClickText(".layers", "Here goes whirl.jpg")
	sweep(tab, [][2]float64{{0, 0.05}, {1, 0.12}, {0, 0.2}, {1, 0.28}, {0, 0.36}, {1, 0.42}})
	tab.ClickText(".layers", "Here the photo stays as it is")
	sweep(tab, [][2]float64{{0.72, 0.6}, {0.74, 0.78}, {0.86, 0.7}})
	save("mask")
	tab.ClickText("dialog", "Cancel")

	setAll(tab, "first-iterations=40")
	close()
	tab.ClickText(".begin", "Try six")
	tab.Evaluate(`(document.querySelector("dialog select").value = "128", 1)`)
	tab.ClickText("dialog", "Try six")
	tab.Wait(`document.querySelectorAll(".sheet img.live").length > 0`)
	for range 10 { // losses take from seconds to minutes
		if tab.Evaluate(`document.querySelector(".of-sheet .status").textContent`) == "All done." {
			break
		}
		time.Sleep(20 * time.Second)
	}
	tab.Wait(`document.querySelector(".of-sheet .status").textContent === "All done."`)
	save("six")

	tab.Do(chromedp.EmulateViewport(390, 844))
	tab.ClickText(".tabs", "Set up")
	save("narrow-setup")
	tab.ClickText(".tabs", "History")
	tab.Click(".runs li:last-child .run")
	tab.Wait(shownPicture)
	save("narrow-picture")
	tab.Quiet()
}

// sweep paints through points of the mask, each 0 to 1.
func sweep(tab *webtest.Tab, points [][2]float64) {
	box := tab.Evaluate(`((r) => [r.x, r.y, r.width, r.height])(document.querySelector(".board canvas").getBoundingClientRect())`).([]any)
	at := func(p [2]float64) (float64, float64) {
		return box[0].(float64) + p[0]*(box[2].(float64)-1), box[1].(float64) + p[1]*box[3].(float64)
	}
	for i := 1; i < len(points); i++ {
		fromX, fromY := at(points[i-1])
		toX, toY := at(points[i])
		tab.Drag(fromX, fromY, toX, toY)
	}
}

// savePicture saves what the tab shows as WebP, small enough for a document.
func savePicture(t *testing.T, tab *webtest.Tab, path string) {
	t.Helper()
	for quality := int64(88); ; quality -= 8 {
		shot, err := chromedp.Call(tab.Context(), page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality})
		if err != nil {
			t.Fatal(err)
		}
		if len(shot.Data) > mostOfPicture && quality > 40 {
			continue
		}
		if err := os.WriteFile(path, shot.Data, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
}
