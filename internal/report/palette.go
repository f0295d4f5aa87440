package report

import (
	"slices"
	"strings"

	"impasto/internal/web"
)

// look is how a line is drawn.
type look web.Look

// looksOf gives each name its look: a loss its own, and any other name, in the
// order given, one that is left. What follows a comma doesn't count: "sliced, one
// pass" is sliced.
func looksOf(names []string) map[string]look {
	looks, taken := map[string]look{}, map[look]bool{}
	for _, name := range names {
		base, _, _ := strings.Cut(name, ",")
		if l, known := web.LossLooks[base]; known {
			looks[name], taken[look(l)] = look(l), true
		}
	}
	next := 0
	for _, name := range names {
		if _, done := looks[name]; done {
			continue
		}
		l := lookAt(next)
		for next++; taken[l] && next < len(web.Hues)*len(web.Dashes); next++ {
			l = lookAt(next)
		}
		looks[name], taken[l] = l, true
	}
	return looks
}

// setApart gives each name another look, in their order, where two have the same.
func setApart(looks map[string]look, names []string) {
	taken := map[look]bool{}
	for _, name := range names {
		taken[looks[name]] = true
	}
	if len(taken) == len(names) {
		return
	}
	for i, name := range names {
		looks[name] = lookAt(i)
	}
}

// lookAt counts through all looks, hues first.
func lookAt(index int) look {
	return look{index % len(web.Hues), index / len(web.Hues) % len(web.Dashes)}
}

// sortedNames are the names of all series, each once.
func sortedNames(panels [][]Panel) []string {
	var names []string
	for _, panel := range slices.Concat(panels...) {
		for _, series := range panel.Series {
			if !slices.Contains(names, series.Name) {
				names = append(names, series.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}
