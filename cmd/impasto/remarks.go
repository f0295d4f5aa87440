package main

import (
	"fmt"
	"io"

	"impasto/internal/picture"
	"impasto/internal/quote"
)

// printRemarks tells people what they should know of how a file that they named
// is read, now and when its pixels are.
func printRemarks(stderr io.Writer, quiet bool, path string, source *picture.Source) {
	if quiet {
		return
	}
	source.Tell(func(remark string) {
		fmt.Fprintf(stderr, "%s: %s\n", quote.Name(path), quote.Line(remark))
	})
}
