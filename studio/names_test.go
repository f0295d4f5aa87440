package studio

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNamesAreOneLineThatCanBeSeen(t *testing.T) {
	for text, want := range map[string]string{
		"plain.png": "plain.png", " a \t b\n": "a b", "a\x00b\x1b[31mc": "ab[31mc", "\u202egnp.exe": "gnp.exe", "a\u200bb": "ab",
		"<script>alert(1)</script>": "<script>alert(1)</script>", "caf\xe9": "caf", "Käse 🧀.png": "Käse 🧀.png", "": "",
	} {
		if got := cleanName(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if long := cleanName(strings.Repeat("ä", 500)); len(long) > longestName || !utf8.ValidString(long) {
		t.Errorf("a long name has %d bytes", len(long))
	}
}

func TestOnlyTheLastPartOfAPathIsAName(t *testing.T) {
	for text, want := range map[string]string{"../../etc/passwd": "passwd", `C:\pictures\a.png`: "a.png", "a/": "", "..": ".."} {
		if got := cleanFileName(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
