package main

import (
	"strings"

	"impasto/losses"
)

// describeLosses lists the losses with a text about each, wrapped to 80 columns.
func describeLosses(text func(losses.Description) string) string {
	var list strings.Builder
	for _, loss := range losses.All() {
		d := loss.Description()
		list.WriteString(beside("  "+d.Name, text(d), 21, 80))
	}
	return list.String()
}
