package settings

import (
	"slices"
	"strings"
)

// Assignment gives a setting a value as text.
type Assignment struct{ Name, Text string }

// decided are the settings that follow from others, or make no sense without them: what
// a place says of them doesn't count where a later one sets the other. So --quality
// draft makes a draft of a preset that has iterations of its own.
var decided = map[string][]string{
	"quality":      {"optimizer", "first-iterations", "middle-iterations", "iterations", "least-iterations", "step-size", "average-decay"},
	"optimizer":    {"least-iterations", "step-size", "average-decay"},
	"iterations":   {"middle-iterations", "least-iterations"},
	"style-layers": {"layer-loss"},
	"style-scale":  {"style-size"},
	"style-size":   {"style-scale"},
	// One of the two chooses the content weight.
	"strength":       {"content-weight"},
	"content-weight": {"strength"},
}

// fitting is the setting that fits itself to others unless the command line has it.
const fitting = "min-size"

// Counting are those settings of a place, such as a file or a preset, that count beneath
// what was given in later places, such as the command line.
func Counting(list []Assignment, given func(name string) bool) []Assignment {
	return slices.DeleteFunc(slices.Clone(list), func(a Assignment) bool {
		if given(a.Name) {
			return true
		}
		for by, names := range decided {
			if given(by) && slices.Contains(names, a.Name) {
				return true
			}
		}
		return false
	})
}

// Chosen tells whether a setting that a place has counts as given, for Settle. All do but
// the size of the first scale, which may be any: larger than the last one, it makes that
// the only one.
func (a Assignment) Chosen() bool { return a.Name != fitting }

// SetBeneath makes those settings of a place that count beneath what was given, and
// returns what is given from then on.
func (s *Stylization) SetBeneath(list []Assignment, given func(name string) bool) (func(name string) bool, error) {
	counting := Counting(list, given)
	for _, a := range counting {
		if err := s.Set(a.Name, a.Text); err != nil {
			return nil, err
		}
	}
	return func(name string) bool {
		return given(name) || slices.ContainsFunc(counting, func(a Assignment) bool { return a.Name == name && a.Chosen() })
	}, nil
}

// parts splits the text of a list at its commas; an empty one has none.
func parts(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
