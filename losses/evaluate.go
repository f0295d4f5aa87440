package losses

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
)

// Features are a cloud of points, one for each position of a map: Values has those of
// the first channel, one position after the other, then those of the second and so on.
type Features struct {
	Channels int
	Values   []float64
}

// Positions is how many points there are.
func (f Features) Positions() int { return len(f.Values) / f.Channels }

// Channel are one channel's values.
func (f Features) Channel(c int) []float64 {
	n := f.Positions()
	return f.Values[c*n : (c+1)*n]
}

// MeanSquare is the mean square activation, summed over channels: what a loss of
// second degree is divided by to be normalised.
func (f Features) MeanSquare() float64 {
	var sum float64
	for _, v := range f.Values {
		sum += v * v
	}
	return sum / float64(f.Positions())
}

// input makes an input of a graph that has these features.
func (f Features) input(g *gorgonia.ExprGraph, name string) (*gorgonia.Node, error) {
	if f.Channels < 1 || len(f.Values) == 0 || len(f.Values)%f.Channels != 0 {
		return nil, fmt.Errorf("losses: %d values in %d channels, want as many in each", len(f.Values), f.Channels)
	}
	shape := tensor.Shape{f.Channels, 1, f.Positions()}
	return gorgonia.NewTensor(g, tensor.Float64, 3, gorgonia.WithName(name), gorgonia.WithShape(shape...),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(f.Values))))), nil
}

// Evaluate returns the loss between two clouds under a graph's key, and its gradient
// by x. It goes by the definitions of all operations, in float64 and on one thread:
// for tests and for a few thousand points, not for a descent.
func Evaluate(f Form, x, target Features, key float64) (value float64, gradient []float64, err error) {
	defer ops.Catch(&err, "losses: evaluate")
	g := gorgonia.NewGraph()
	var sides [2]*gorgonia.Node
	for i, each := range []Features{x, target} {
		if sides[i], err = each.input(g, [...]string{"x", "target"}[i]); err != nil {
			return 0, nil, err
		}
	}
	node, err := f.Between(sides[0], sides[1])
	if err != nil {
		return 0, nil, err
	}
	gradients, err := gorgonia.Grad(node, sides[0])
	if err != nil {
		return 0, nil, fmt.Errorf("losses: evaluate: %w", err)
	}
	for _, input := range g.ByName(KeyName) {
		if err := gorgonia.Let(input, key); err != nil {
			return 0, nil, fmt.Errorf("losses: evaluate: %w", err)
		}
	}
	machine := gorgonia.NewTapeMachine(g)
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		return 0, nil, fmt.Errorf("losses: evaluate: %w", err)
	}
	return node.Value().Data().(float64), gradients[0].Value().Data().([]float64), nil
}
