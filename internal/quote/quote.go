// Package quote shows text that comes from outside the program, such as the names
// of files and of tensors, so that it does no harm: on a terminal, where control
// characters move the cursor, rename the window or forge lines, and in JSON, which
// has no place for bytes that aren't UTF-8.
package quote

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name returns a name as it is shown to people: as it is where every character of it
// can be seen, and else as a string of Go, in quotation marks and with escapes. Those
// are control characters, line ends, Unicode's invisible and formatting characters
// such as the ones that turn the direction of writing, spaces other than U+0020, and
// bytes that aren't UTF-8. A name that begins with a quotation mark or with or ends in
// a space is quoted too, so that what is shown is never ambiguous.
func Name(name string) string {
	if Visible(name) && name == strings.Trim(name, ` "`) {
		return name
	}
	return strconv.Quote(name)
}

// Names is Name for each of several.
func Names(names []string) []string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = Name(name)
	}
	return shown
}

// Visible tells whether all of a text can be seen: it is UTF-8, and every character of
// it one that is printed.
func Visible(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, hidden) < 0
}

func hidden(r rune) bool { return !strconv.IsPrint(r) }

// Line makes one line of a message: runs of white space become a space, and what
// can't be seen is escaped where it stands. It is the last thing that happens to a
// message before it is shown.
func Line(message string) string {
	return escape(strings.Join(strings.FieldsFunc(message, unicode.IsSpace), " "))
}

// Lines is Line for a text whose lines stay apart, and their indentation with them.
func Lines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = escape(line)
	}
	return strings.Join(lines, "\n")
}

// escape replaces what can't be seen by the escapes of a Go string.
func escape(text string) string {
	if Visible(text) {
		return text
	}
	var shown strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if c := text[:size]; r == utf8.RuneError && size == 1 || hidden(r) {
			quoted := strconv.Quote(c)
			shown.WriteString(quoted[1 : len(quoted)-1])
		} else {
			shown.WriteString(c)
		}
		text = text[size:]
	}
	return shown.String()
}

// Error is an error's message as one line, in which the paths that the operating
// system's errors name, and names that a user gave, are shown as Name shows them.
func Error(err error, given ...string) string {
	message := err.Error()
	names := slices.Concat(paths(err), given)
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) }) // a path before its parts
	for _, name := range names {
		if !Visible(name) {
			message = strings.ReplaceAll(message, name, Name(name))
		}
	}
	return Line(message)
}

// paths are those in the operating system's errors that an error wraps.
func paths(err error) []string {
	var found []string
	switch e := err.(type) {
	case *fs.PathError:
		return append(found, e.Path)
	case *os.LinkError:
		return append(found, e.Old, e.New)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = append(found, paths(inner)...)
		}
		return found
	}
	if inner := errors.Unwrap(err); inner != nil {
		return paths(inner)
	}
	return nil
}
