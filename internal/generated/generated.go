// Package generated puts what a program makes of a document in its place in it.
package generated

import (
	"fmt"
	"os"
	"strings"
)

// End ends what is generated of a document.
const End = "<!-- end of what is generated -->\n"

// In reads a document in which text is generated between the line begin and End. It returns
// what stands there, and the document with text in its place. The error says where that
// place is missing.
func In(path, begin, text string) (old string, with []byte, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	before, rest, found := strings.Cut(string(raw), begin)
	old, after, ended := strings.Cut(rest, End)
	if !found || !ended {
		return "", nil, fmt.Errorf("%s has no place for what is generated, between %q and %q", path, begin, End)
	}
	return old, []byte(before + begin + text + End + after), nil
}
