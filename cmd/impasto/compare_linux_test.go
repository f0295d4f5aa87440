package main

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Names of files are shown as they are, whatever bytes they have, and run nothing.
func TestCompareShowsAnyNameAsText(t *testing.T) {
	folder := workshop(t)
	const name = "a\xff\x1b\u202e</title><script>alert(1)<\\script>\"><img src=x onerror=alert(1)>.png"
	file := strings.ReplaceAll(name, "/", "") // which no name has
	writePicture(t, filepath.Join(folder, file), 40, 30, 0.15)
	impasto(t, folder, append([]string{"compare", file, "style.png", "-o", "out", "--first-iterations=1", "--vary=tv-weight=0,8", "--vary=seed=1,2"}, shallow...)...).done(t)
	page := string(readFile(t, filepath.Join(folder, "out", "index.html")))
	if !utf8.ValidString(page) || strings.ContainsAny(page, "\x1b\u202e") {
		t.Error("the page has bytes of the name that don't print")
	}
	if n := strings.Count(page, "<script"); n != 1 || strings.Contains(page, "<img src=x") {
		t.Errorf("the page has %d scripts, want its own", n)
	}
	if !strings.Contains(page, `a\xff\x1b\u202e&lt;title&gt;`) {
		t.Error("the page doesn't show the name")
	}
	readPicture(t, filepath.Join(folder, "out", "sheet.png"))
}
