package studio

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestName is how many bytes a name has at most.
const longestName = 200

// cleanName makes a text from a client one that can be shown as a name: in one line, without
// characters that can't be seen or that turn the direction of writing, and not too long. What
// remains of it is text all the same: it may have markup in it.
func cleanName(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	for len(text) > longestName {
		_, size := utf8.DecodeLastRuneInString(text)
		text = strings.TrimRight(text[:len(text)-size], " ")
	}
	return text
}

// cleanFileName is cleanName for the name of a file, of which only the last part of its path
// counts.
func cleanFileName(text string) string {
	text = text[strings.LastIndexAny(text, `/\`)+1:]
	return cleanName(text)
}
