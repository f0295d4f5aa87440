package video

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"impasto/internal/picture"
	"impasto/internal/quote"
)

// FolderFrames are the pictures right in a folder, in the order of their names, in which
// numbers count as such: frame 9 comes before frame 10.
func FolderFrames(folder string) ([]string, error) {
	files, err := picture.FilesIn(folder)
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("video: there are no pictures in %s", quote.Name(folder))
	}
	slices.SortFunc(files, natural)
	return files, nil
}

// natural compares texts in which digits stand for numbers.
func natural(a, b string) int {
	for x, y := a, b; ; {
		switch {
		case x == "" || y == "":
			return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
		case isDigit(x[0]) && isDigit(y[0]):
			m, n := digits(x), digits(y)
			one, other := strings.TrimLeft(x[:m], "0"), strings.TrimLeft(y[:n], "0")
			if order := cmp.Or(cmp.Compare(len(one), len(other)), cmp.Compare(one, other)); order != 0 {
				return order
			}
			x, y = x[m:], y[n:]
		case x[0] != y[0]:
			return cmp.Compare(x[0], y[0])
		default:
			x, y = x[1:], y[1:]
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// digits is how many a text begins with.
func digits(text string) int {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}
