package web

import (
	"embed"
	"regexp"
	"strings"
)

// Files are the parts: theme.css, which has colours, text and controls; views.css and the
// module views.js, for pictures with one zoom; and chart.css, the look of curves.
//
//go:embed *.css *.js
var Files embed.FS

// Text is one of Files. A name that isn't there is a mistake in the program, and panics.
func Text(name string) string {
	data, err := Files.ReadFile(name)
	if err != nil {
		panic("web: " + err.Error())
	}
	return Inline(string(data))
}

// exported is the word before what a module exports, at the beginning of a line.
var exported = regexp.MustCompile(`(?m)^export `)

// Script is the text of a module of Files for a page that has all its scripts in one:
// what the module exports is declared there, and not exported.
func Script(name string) string { return exported.ReplaceAllString(Text(name), "") }

// Inline is a text as a browser reads it from a page, where lines end in a line feed
// alone, so that digests of the text are the browser's.
func Inline(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }
