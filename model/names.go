package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// checkName reports a name that isn't among those there are, with the nearest
// that is.
func checkName(option, what, name string, names []string) error {
	if slices.Contains(names, name) {
		return nil
	}
	problem := fmt.Sprintf("unknown %s %q, want one of %s", what, name, strings.Join(names, ", "))
	if near := nearest(name, names); near != "" {
		problem = fmt.Sprintf("unknown %s %q, did you mean %s? There are %s", what, name, near, strings.Join(names, ", "))
	}
	return &OptionError{option, problem}
}

// nearest returns the name with the fewest edits from the given one, or nothing
// where more than half of it would have to change.
func nearest(name string, names []string) string {
	best, least := "", len(name)/2+1
	for _, candidate := range names {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}
