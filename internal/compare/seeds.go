package compare

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
	"impasto/model"
)

// UnderSeeds makes of each cell one for every seed, which are a variant together. A cell
// in which nothing is random stays as it is, with its own seed, since it would be the same
// picture under each.
func UnderSeeds(cells []Cell, seeds []uint64) ([]Cell, error) {
	if len(seeds) == 0 {
		return nil, fmt.Errorf("compare: got no seeds, want one at least")
	}
	var all []Cell
	for _, c := range cells {
		if slices.ContainsFunc(c.Varied, func(s report.Setting) bool { return s.Name == "seed" }) {
			return nil, fmt.Errorf("compare: the seed varies in %s already", c.Name())
		}
		random, err := isRandom(c.Settings)
		if err != nil {
			return nil, fmt.Errorf("compare: %s: %w", c.Name(), err)
		}
		if !random {
			all = append(all, c)
			continue
		}
		for _, seed := range seeds {
			next := c
			next.Seeded, next.Settings.Options.Seed = true, seed
			all = append(all, next)
		}
	}
	return all, checkNames(all)
}

// SeedsText writes seeds with commas between them.
func SeedsText(seeds []uint64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(seeds), " ", ","), "[]")
}

// isRandom tells whether a picture depends on the seed: whether it starts from noise, scales
// begin with some, or one of its losses draws positions or directions.
func isRandom(s settings.Stylization) (bool, error) {
	if s.Options.Noise > 0 {
		return true, nil
	}
	switch model.Start(s.Start) {
	case model.StartFromStyle, model.StartFromGrey, model.StartFromNoise:
		return true, nil
	}
	for _, term := range s.StyleTerms() {
		if draws, err := draws(term.Loss, s.Options.Size); draws || err != nil {
			return draws, err
		}
	}
	return false, nil
}

// draws tells whether a loss draws anything in a map as wide and high as a picture, by
// looking for the key in its graph. Deeper layers have smaller maps, of which a loss may
// take all positions where it draws some of this one.
func draws(loss losses.Loss, side int) (bool, error) {
	g := gorgonia.NewGraph()
	features := func(name string) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, 3, gorgonia.WithName(name), gorgonia.WithShape(4, side, side))
	}
	if _, err := loss.Normalised().Between(features("picture"), features("style")); err != nil {
		return false, err
	}
	return len(g.ByName(losses.KeyName)) > 0, nil
}
