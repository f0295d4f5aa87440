package opstest

import (
	"slices"
)

// Cases is the whole table.
func Cases() []*Case {
	return slices.Concat(
		convolutions(), rectifications(), pools(), selections(),
		momentCases(), weightedCases(), powerCases(), differences(), variations(), comparisons(),
		slicedCases(), sinkhornCases(), relaxedCases(), mmdCases(), customCases(), softmins(),
		sums(), networks(),
	)
}

// For are those of some cases that serve for a use.
func For(use Use, cases []*Case) []*Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return c.Uses&use == 0 })
}
