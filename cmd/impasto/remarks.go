package main

import (
	"fmt"
	"io"

	"impasto/internal/picture"
	"impasto/internal/quote"
)

// printRemarks tells people what they should know of how a file that they named
// was read.
func printRemarks(stderr io.Writer, quiet bool, path string, p *picture.Picture) {
	if quiet {
		return
	}
	for _, remark := range p.Remarks {
		fmt.Fprintf(stderr, "%s: %s\n", quote.Name(path), quote.Line(remark))
	}
}
