// Package names checks names that people type against those that there are, and
// offers the nearest one where a name is wrong.
package names

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Limit is the most edits (letters put in, left out or replaced) that may lie
// between a name and the candidate that it is taken for.
type Limit func(name, candidate string) int

// Third allows a third of the name's letters, and two at least, but not as many as
// the candidate has: then nothing of it would be left.
func Third(name, candidate string) int { return min(max(2, len(name)/3), len(candidate)-1) }

// Half allows half of the name's letters.
func Half(name, _ string) int { return len(name) / 2 }

// Nearest returns the candidate with the fewest edits from name, whatever the
// case of either, the first one of several; or "" where none is within the limit.
func Nearest(name string, candidates []string, limit Limit) string {
	best, least := "", 0
	for _, candidate := range candidates {
		distance := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(candidate))
		if distance <= limit(name, candidate) && (best == "" || distance < least) {
			best, least = candidate, distance
		}
	}
	return best
}

// DidYouMean is the end of an error about a name that was typed: it offers the
// nearest candidate within a Third, with the prefix it is typed with, or is ""
// where there is none.
func DidYouMean(name string, candidates []string, prefix string) string {
	if right := Nearest(name, candidates, Third); right != "" {
		return fmt.Sprintf("; did you mean %s%s?", prefix, right)
	}
	return ""
}

// Check reports a name that is none of the candidates. What says what is named,
// as in "loss". The error doesn't repeat the name, which stands beside it where
// it was typed.
func Check(what, name string, candidates []string) error {
	if slices.Contains(candidates, name) {
		return nil
	}
	if hint := DidYouMean(name, candidates, ""); hint != "" {
		return fmt.Errorf("no such %s%s", what, hint)
	}
	return fmt.Errorf("no such %s; want one of %s", what, strings.Join(candidates, ", "))
}

// Problem says what is wrong with a name that is none of the candidates, in an
// error that stands by itself: it has the name, the nearest candidate within a
// Half and all that there are. It is "" where nothing is wrong.
func Problem(what, name string, candidates []string) string {
	if slices.Contains(candidates, name) {
		return ""
	}
	all := strings.Join(candidates, ", ")
	if near := Nearest(name, candidates, Half); near != "" {
		return fmt.Sprintf("unknown %s %q, did you mean %s? There are %s", what, name, near, all)
	}
	return fmt.Sprintf("unknown %s %q, want one of %s", what, name, all)
}
