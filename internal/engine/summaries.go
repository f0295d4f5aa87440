package engine

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/plan"
	"impasto/losses"
)

// Kept is what a loss keeps of features, with its values: summaries of one graph that
// another one compares. A summary that isn't there has none.
type Kept struct {
	Summaries []losses.Summarised
	Values    []plan.Values
}

// Nodes are the nodes of summaries that are there, in order.
func Nodes(summaries []losses.Summarised) []*gorgonia.Node {
	var nodes []*gorgonia.Node
	for _, s := range summaries {
		if s.Node != nil {
			nodes = append(nodes, s.Node)
		}
	}
	return nodes
}

// Keep gives summaries the first of values, which are those of Nodes, and returns the
// rest.
func Keep(summaries []losses.Summarised, values []plan.Values) (Kept, []plan.Values) {
	k := Kept{Summaries: summaries, Values: make([]plan.Values, len(summaries))}
	for i, s := range summaries {
		if s.Node != nil {
			k.Values[i], values = values[0], values[1:]
		}
	}
	return k, values
}

// KeepAll does that for several losses, one after the other.
func KeepAll(summaries [][]losses.Summarised, values []plan.Values) ([]Kept, []plan.Values) {
	kept := make([]Kept, len(summaries))
	for i, of := range summaries {
		kept[i], values = Keep(of, values)
	}
	return kept, values
}

// Inputs adds inputs for the summaries to another graph. Their names begin with the one
// given.
func (k Kept) Inputs(g *gorgonia.ExprGraph, name string) ([]losses.Summarised, []Input) {
	summaries := append([]losses.Summarised(nil), k.Summaries...)
	var inputs []Input
	for i, values := range k.Values {
		if summaries[i].Node == nil {
			continue
		}
		summaries[i].Node = values.Input(g, fmt.Sprintf("%s, summary %d", name, i+1))
		inputs = append(inputs, Input{summaries[i].Node, values})
	}
	return summaries, inputs
}

// Add adds the summaries of another part, each by its weight.
func (k *Kept) Add(part Kept) {
	if k.Summaries == nil {
		k.Summaries, k.Values = make([]losses.Summarised, len(part.Summaries)), make([]plan.Values, len(part.Values))
	}
	for i, s := range part.Summaries {
		if s.Node != nil {
			k.Values[i].Add(s.Weight, part.Values[i])
			s.Weight = 1
			k.Summaries[i] = s
		}
	}
}
