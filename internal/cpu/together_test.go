package cpu

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// comparisonSteps are a chain of steps named by their results: of each letter in
// order a summary in lower case, its comparison in upper case and, from that, a
// digit.
func comparisonSteps(ridge float64) ([]plan.Step, map[*plan.Buffer]rune) {
	names := map[*plan.Buffer]rune{}
	named := func(name rune) *plan.Buffer {
		b := &plan.Buffer{}
		names[b] = name
		return b
	}
	var steps []plan.Step
	picture, target := &plan.Buffer{}, &plan.Buffer{}
	for i, letter := range "abc" {
		summary, result := named(letter), named(letter-'a'+'A')
		steps = append(steps,
			plan.Step{Op: &ops.Moments{}, Inputs: []*plan.Buffer{picture}, Result: summary},
			plan.Step{Op: &ops.Comparison{Loss: pure.Gaussian{Channels: 4, Ridge: ridge}}, Inputs: []*plan.Buffer{summary, target}, Result: result},
			plan.Step{Op: gorgonia.Op(&ops.Sum{}), Inputs: []*plan.Buffer{result}, Result: named('1' + rune(i))})
	}
	return steps, names
}

func TestComparisonsOfNormalDistributionsRunTogether(t *testing.T) {
	for _, c := range []struct {
		ridge float64
		want  string
	}{{0.1, "abcA123"}, {0, "aA1bB2cC3"}} {
		steps, names := comparisonSteps(c.ridge)
		got := ""
		var group plan.Step
		for _, step := range compareTogether(steps) {
			got += string(names[step.Result])
			if _, ok := step.Op.(together); ok {
				group = step
			}
		}
		if got != c.want {
			t.Errorf("ridge %v: order %s, want %s", c.ridge, got, c.want)
		}
		if c.ridge > 0 && (len(group.Inputs) != 6 || !slices.Equal(group.Scratch, []*plan.Buffer{steps[4].Result, steps[7].Result})) {
			t.Errorf("the comparisons' step reads %d values and makes %d beside its result, want 6 and 2", len(group.Inputs), len(group.Scratch))
		}
	}
}
