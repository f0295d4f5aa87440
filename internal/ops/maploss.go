package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// flatMap is a vector of the graph's float type.
var flatMap = operand{1, element}

// A loss that compares maps evaluates to a vector of C·H·W+2 of the graph's float
// type: the gradient by the map, then the loss as the sum of two values, so that
// it isn't rounded to that type. Loss and gradient come from one evaluation where
// they share nearly all of its work.

// SplitLoss writes a loss as the sum of two values of another type.
func SplitLoss[T pure.Float](parts []T, loss float64) {
	parts[0], parts[1] = T(loss), 0
	if rest := T(loss - float64(parts[0])); rest == rest { // not where the loss isn't finite
		parts[1] = rest
	}
}

// mapLossSignature is that of a loss between a map and a target map, and its
// inputs. draw is a float64 scalar that chance in the loss depends on, or nil.
func mapLossSignature(name string, x, target, draw *gorgonia.Node) (signature, []*gorgonia.Node) {
	s := signature{
		name:           name,
		inputs:         []operand{featureMap, featureMap},
		result:         flatMap,
		differentiable: []bool{true, false},
	}
	if draw == nil {
		return s, []*gorgonia.Node{x, target}
	}
	s.inputs, s.differentiable = append(s.inputs, scalar), append(s.differentiable, false)
	return s, []*gorgonia.Node{x, target, draw}
}

// mapLossShape is the shape of an evaluation of maps that have so many channels.
func mapLossShape(name string, channels int, inputs []gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := shapesOf(name, inputs, 3, 3)
	if err != nil {
		return nil, err
	}
	if shapes[0][0] != channels || shapes[1][0] != channels {
		return nil, fmt.Errorf("%s: map of %v, target of %v, want %d channels", name, shapes[0], shapes[1], channels)
	}
	return tensor.Shape{shapes[0].TotalSize() + 2}, nil
}

// drawOf is the draw among an evaluation's inputs, or zero.
func drawOf(in []*tensor.Dense) float64 {
	if len(in) > 2 {
		return in[2].Float64s()[0]
	}
	return 0
}

// takeValue adds the loss of an evaluation to the graph.
func takeValue(name string, evaluation *gorgonia.Node) (*gorgonia.Node, error) {
	value := &MapLossValue{signature{
		name: name + ".value", inputs: []operand{flatMap}, result: scalar, differentiable: []bool{true},
	}}
	return gorgonia.ApplyOp(value, evaluation)
}

// takeGradient is the SymDiff of an evaluation, of which the gradient goes to the
// first input only.
func takeGradient(name string, inputs gorgonia.Nodes, evaluation, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	shape := inputs[0].Shape().Clone()
	op := &MapLossGradient{
		signature: signature{
			name: fmt.Sprintf("%s.gradient%v", name, shape), inputs: []operand{flatMap, scalar}, result: featureMap,
		},
		shape: shape,
	}
	dx, err := gorgonia.ApplyOp(op, evaluation, grad)
	return append(gorgonia.Nodes{dx}, make(gorgonia.Nodes, len(inputs)-1)...), err
}

// MapLossValue takes the loss out of an evaluation.
type MapLossValue struct{ signature }

// InferShape implements gorgonia.Op.
func (v *MapLossValue) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

// Define implements Operation.
func (v *MapLossValue) Define(value *tensor.Dense, in ...*tensor.Dense) error {
	n := in[0].Shape().TotalSize()
	return each(in[0],
		func() { value.Float64s()[0] = joinLoss(in[0].Float32s()[n-2:]) },
		func() { value.Float64s()[0] = joinLoss(in[0].Float64s()[n-2:]) })
}

func joinLoss[T pure.Float](parts []T) float64 { return float64(parts[0]) + float64(parts[1]) }

// Do implements gorgonia.Op.
func (v *MapLossValue) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(v, values) }

// SymDiff implements gorgonia.SDOp.
func (v *MapLossValue) SymDiff(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{grad}, nil
}

// MapLossGradient takes the gradient out of an evaluation: result, grad →
// dx (C×H×W), multiplied by grad.
type MapLossGradient struct {
	signature
	final
	shape tensor.Shape
}

// InferShape implements gorgonia.Op.
func (g *MapLossGradient) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return g.shape.Clone(), nil
}

// Define implements Operation.
func (g *MapLossGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	grad := in[1].Float64s()[0]
	return each(dx,
		func() { scaleMap(dx.Float32s(), in[0].Float32s(), grad) },
		func() { scaleMap(dx.Float64s(), in[0].Float64s(), grad) })
}

func scaleMap[T pure.Float](dx, gradient []T, grad float64) {
	for i := range dx {
		dx[i] = T(grad * float64(gradient[i]))
	}
}

// Do implements gorgonia.Op.
func (g *MapLossGradient) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(g, values) }
