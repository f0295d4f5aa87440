package main

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest returns the candidate that name was most likely meant to be, or ""
// where none is within a third of the name's letters, and two at least.
func nearest(name string, candidates []string) string {
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, candidate := range candidates {
		distance := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(candidate))
		if distance < bestDistance && distance < len(candidate) {
			best, bestDistance = candidate, distance
		}
	}
	return best
}

// didYouMean is the part of an error that offers the nearest right name, with
// the prefix it is typed with, or "" where nothing is near.
func didYouMean(name string, candidates []string, prefix string) string {
	if right := nearest(name, candidates); right != "" {
		return fmt.Sprintf("; did you mean %s%s?", prefix, right)
	}
	return ""
}

// checkName reports a name that is none of the candidates. What says what is
// named, as in "loss".
func checkName(what, name string, candidates []string) error {
	for _, candidate := range candidates {
		if name == candidate {
			return nil
		}
	}
	if hint := didYouMean(name, candidates, ""); hint != "" {
		return fmt.Errorf("no such %s%s", what, hint)
	}
	return fmt.Errorf("no such %s; want one of %s", what, strings.Join(candidates, ", "))
}
