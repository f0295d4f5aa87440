package plan

import (
	"slices"
	"strings"
	"testing"
)

// signing is a device that masks inputs and keeps signs, but masks no results.
func signing() device {
	d := without(capable(), func(s Step) bool { return s.Mask != nil || s.hasSigns() })
	withoutSigns := d.supports
	d.supports = func(s Step) Support {
		if s.hasSigns() && s.Mask == nil {
			return Ability{MasksInput: true, Signs: true, Adds: AddsInPlace, Float16Results: true, Float16Inputs: []int{0}}.Support(s)
		}
		return withoutSigns(s)
	}
	return d
}

// TestSignsAreKeptWhereOnlyAMaskIsReadLate: not of maps that a loss reads on the way
// back, as it does that of the last convolution of the chain.
func TestSignsAreKeptWhereOnlyAMaskIsReadLate(t *testing.T) {
	const depth = 6
	unable := without(signing(), Step.hasSigns)
	unmasked := without(signing(), func(s Step) bool { return s.InputMask != nil && s.InputMask.Keeps == Signs })
	for _, c := range []struct {
		name   string
		device device
		losses []int // the convolutions that have one, beside the last
		want   int
	}{
		{"one loss", signing(), nil, depth - 1},
		{"three losses", signing(), []int{0, 3}, depth - 3},
		{"no signs", unable, nil, 0},
		{"no gradients by signs", unmasked, nil, 0},
	} {
		_, cost, grad := chainWith(t, depth, func(i int) bool { return i == depth-1 || slices.Contains(c.losses, i) })
		p := programOf(t, c.device, cost, grad)
		noStepOverwritesWhatIsStillNeeded(t, c.name, depth, p)
		made, read := map[*Buffer]bool{}, 0
		for _, step := range p.Steps {
			for _, b := range step.Results {
				if b.Keeps != Signs {
					continue
				}
				made[b] = true
				if b.Bytes() != 4*8*8/8 || b.Float16 {
					t.Errorf("%s: signs of 4×8×8 take %d bytes, in float16: %t", c.name, b.Bytes(), b.Float16)
				}
			}
			if made[step.InputMask] {
				read++
			}
		}
		if len(made) != c.want || read != c.want {
			t.Errorf("%s: signs of %d maps are made and of %d read, want %d", c.name, len(made), read, c.want)
		}
		if listed := strings.Count(p.String(), " 4×8×8 signs @"); listed != c.want {
			t.Errorf("%s: signs are listed %d times, want %d", c.name, listed, c.want)
		}
	}
}
