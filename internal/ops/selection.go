package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Selection selects positions of a map: map (C×h×w) and, where they are drawn by
// one, key → map (C×1×K), column by column in the order of pure.Selection.
// Positions that the map doesn't have, being a part of a larger one, give zeros, so
// that the selections of all parts add up to that of the whole.
type Selection struct {
	operation
	Of pure.Selection
}

// Select adds the selection of a map to the graph. key is a float64 scalar that a
// sample depends on; nil stands for zero, and is right where nothing is drawn.
func Select(of pure.Selection, x, key *gorgonia.Node) (*gorgonia.Node, error) {
	op := &Selection{
		operation: operation{
			name: "selection", parameters: of, inputs: []operand{featureMap}, result: featureMap, differentiable: []bool{true},
		},
		Of: of,
	}
	if key == nil {
		return apply(op, x)
	}
	op.inputs, op.differentiable = append(op.inputs, scalar), append(op.differentiable, false)
	return apply(op, x, key)
}

// InferShape implements gorgonia.Op.
func (s *Selection) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := shapesOf(s, inputs, 3)
	if err != nil {
		return nil, err
	}
	if shown := s.Of.Shown(); shapes[0][1] != shown.Dy() || shapes[0][2] != shown.Dx() {
		return nil, fmt.Errorf("%s: map of %v, want %d×%d positions", s, shapes[0], shown.Dy(), shown.Dx())
	}
	return tensor.Shape{shapes[0][0], 1, s.Of.Count()}, nil
}

// keyOf is the key among an operation's inputs, from input i on, or zero.
func keyOf(in []*tensor.Dense, i int) float64 {
	if len(in) > i {
		return in[i].Float64s()[0]
	}
	return 0
}

// Define implements Operation.
func (s *Selection) Define(y *tensor.Dense, in ...*tensor.Dense) error {
	places := s.Of.Places(keyOf(in, 1))
	return each(y,
		func() { pure.Select(y.Float32s(), in[0].Float32s(), places, y.Shape()[0]) },
		func() { pure.Select(y.Float64s(), in[0].Float64s(), places, y.Shape()[0]) })
}

// SymDiff implements gorgonia.SDOp.
func (s *Selection) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &SelectionGradient{
		operation: operation{
			name: "gradient of selection", parameters: s.Of,
			inputs: append([]operand{featureMap}, s.inputs[1:]...), result: featureMap,
		},
		Of: s.Of,
	}
	dx, err := apply(op, append(gorgonia.Nodes{grad}, inputs[1:]...)...)
	return append(gorgonia.Nodes{dx}, make(gorgonia.Nodes, len(inputs)-1)...), err
}

// SelectionGradient is the gradient of a Selection: dy (C×1×K) and, where there is
// one, key → dx (C×h×w), zero where nothing was selected.
type SelectionGradient struct {
	operation
	final
	Of pure.Selection
}

// InferShape implements gorgonia.Op.
func (s *SelectionGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := shapesOf(s, inputs, 3)
	if err != nil {
		return nil, err
	}
	shown := s.Of.Shown()
	return tensor.Shape{shapes[0][0], shown.Dy(), shown.Dx()}, nil
}

// Define implements Operation.
func (s *SelectionGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	places := s.Of.Places(keyOf(in, 1))
	return each(dx,
		func() { pure.SelectGradient(dx.Float32s(), in[0].Float32s(), places, dx.Shape()[0]) },
		func() { pure.SelectGradient(dx.Float64s(), in[0].Float64s(), places, dx.Shape()[0]) })
}
