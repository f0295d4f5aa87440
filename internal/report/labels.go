package report

import (
	"fmt"
	"html"
	"html/template"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible makes a name one that can be shown anywhere: what isn't UTF-8 and what
// doesn't print, such as a change of the writing's direction, becomes an escape of
// Go, as in \xff.
func visible(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, name[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// distinct shortens texts of more letters than most, so that those which differ
// still do: what they have in common goes first.
func distinct(texts []string, most int) []string {
	short := slices.Clone(texts)
	var long []int
	for i, text := range texts {
		if utf8.RuneCountInString(text) > most {
			long = append(long, i)
		}
	}
	elide(short, long)
	original := map[string]string{} // by what it became
	for i, text := range texts {
		name := cutMiddle(short[i], most)
		for n := 2; ; n++ {
			if other, taken := original[name]; !taken || other == text {
				break
			}
			mark := fmt.Sprintf(" #%d", n)
			name = cutMiddle(short[i], most-len(mark)) + mark
		}
		short[i], original[name] = name, text
	}
	return short
}

// elide replaces what the texts of the indices have in common by an ellipsis: the
// parts between spaces and commas that are the same in all, at the same place.
func elide(texts []string, indices []int) {
	if len(indices) < 2 {
		return
	}
	parts := make([][]string, len(indices))
	for k, i := range indices {
		parts[k] = strings.Split(parted.Replace(texts[i]), "\x00")
		if len(parts[k]) != len(parts[0]) {
			return
		}
	}
	common := make([]bool, len(parts[0]))
	for at := range common {
		common[at] = !slices.ContainsFunc(parts, func(p []string) bool { return p[at] != parts[0][at] })
	}
	if !slices.Contains(common, false) {
		return
	}
	for k, i := range indices {
		var b strings.Builder
		for at, part := range parts[k] {
			switch {
			case !common[at]:
				b.WriteString(part)
			case at == 0 || !common[at-1]:
				b.WriteString("…")
			}
		}
		texts[i] = strings.TrimRight(b.String(), " ,;/")
	}
}

// breakable is a text in HTML that may be broken behind punctuation too.
func breakable(text string) template.HTML {
	return template.HTML(broken.Replace(html.EscapeString(text)))
}

// broken lets a line break; semicolons are left alone, which end escapes.
var broken = strings.NewReplacer(",", ",<wbr>", "/", "/<wbr>")

// parted puts a mark behind everything that parts a name.
var parted = strings.NewReplacer(" ", " \x00", ",", ",\x00", ";", ";\x00", "/", "/\x00")

// cutMiddle keeps the beginning and the end of a text of more letters than most.
func cutMiddle(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most || most < 3 {
		return text
	}
	head := (most - 1) / 2
	tail := most - 1 - head
	return string(letters[:head]) + "…" + string(letters[len(letters)-tail:])
}
