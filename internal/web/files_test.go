package web

import (
	"strings"
	"testing"
)

func TestScriptExportsNothing(t *testing.T) {
	module, script := Text("views.js"), Script("views.js")
	if !strings.Contains(module, "\nexport class Views {") {
		t.Error("the module doesn't export Views")
	}
	if strings.Contains(script, "\nexport ") || !strings.Contains(script, "\nclass Views {") {
		t.Error("the script exports what it should declare")
	}
}

// Digests are of the text as browsers read it.
func TestTextEndsItsLinesInALineFeedAlone(t *testing.T) {
	if got := Inline("a\r\nb\n"); got != "a\nb\n" {
		t.Errorf("%q", got)
	}
}
