package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// flatMap is a vector of the graph's float type.
var flatMap = operand{1, element}

// Sliced evaluates pure.Sliced between two maps of as many channels: map
// (C×H×W), target (C×H′×W′) and, where there is one, draw → vector of C·H·W+2, the gradient by the map, then the loss as the sum of two values, so
// that it isn't rounded to the graph's float type. Loss and gradient come from
// one evaluation because they share all the sorting.
type Sliced struct {
	signature
	Loss pure.Sliced
}

// CompareSliced adds the sliced loss between a map and a target map to the
// graph. draw is a float64 scalar that the directions depend on; nil stands for
// zero. The gradient goes to the map only.
func CompareSliced(loss pure.Sliced, x, target, draw *gorgonia.Node) (*gorgonia.Node, error) {
	if loss.Directions > loss.Channels {
		return nil, fmt.Errorf("%s: more directions than channels", loss)
	}
	op := &Sliced{
		signature: signature{
			name:           loss.String(),
			inputs:         []operand{featureMap, featureMap},
			result:         flatMap,
			differentiable: []bool{true, false},
		},
		Loss: loss,
	}
	inputs := []*gorgonia.Node{x, target}
	if draw != nil {
		op.inputs, op.differentiable = append(op.inputs, scalar), append(op.differentiable, false)
		inputs = append(inputs, draw)
	}
	evaluation, err := gorgonia.ApplyOp(op, inputs...)
	if err != nil {
		return nil, err
	}
	value := &SlicedValue{signature{
		name: op.name + ".value", inputs: []operand{flatMap}, result: scalar, differentiable: []bool{true},
	}}
	return gorgonia.ApplyOp(value, evaluation)
}

// InferShape implements gorgonia.Op.
func (s *Sliced) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := shapesOf(s.name, inputs, 3, 3)
	if err != nil {
		return nil, err
	}
	if shapes[0][0] != s.Loss.Channels || shapes[1][0] != s.Loss.Channels {
		return nil, fmt.Errorf("%s: map of %v, target of %v, want %d channels", s.name, shapes[0], shapes[1], s.Loss.Channels)
	}
	return tensor.Shape{shapes[0].TotalSize() + 2}, nil
}

// Define implements Operation.
func (s *Sliced) Define(evaluation *tensor.Dense, in ...*tensor.Dense) error {
	var draw float64
	if len(in) > 2 {
		draw = in[2].Float64s()[0]
	}
	return each(evaluation,
		func() { defineSliced(s.Loss, evaluation.Float32s(), in[0].Float32s(), in[1].Float32s(), draw) },
		func() { defineSliced(s.Loss, evaluation.Float64s(), in[0].Float64s(), in[1].Float64s(), draw) })
}

func defineSliced[T pure.Float](loss pure.Sliced, evaluation, x, target []T, draw float64) {
	SplitLoss(evaluation[len(x):], pure.CompareSliced(loss, evaluation[:len(x)], x, target, draw))
}

// SplitLoss writes a loss as the sum of two values of another type.
func SplitLoss[T pure.Float](parts []T, loss float64) {
	parts[0], parts[1] = T(loss), 0
	if rest := T(loss - float64(parts[0])); rest == rest { // not where the loss isn't finite
		parts[1] = rest
	}
}

// Do implements gorgonia.Op.
func (s *Sliced) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(s, values) }

// SymDiff implements gorgonia.SDOp. Its grad is that of the loss, a scalar,
// which SlicedValue hands on: the gradient by the map is already there.
func (s *Sliced) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	shape := inputs[0].Shape().Clone()
	op := &SlicedGradient{
		signature: signature{
			name: fmt.Sprintf("%s.gradient%v", s.name, shape), inputs: []operand{flatMap, scalar}, result: featureMap,
		},
		shape: shape,
	}
	dx, err := gorgonia.ApplyOp(op, output, grad)
	return append(gorgonia.Nodes{dx}, make(gorgonia.Nodes, len(inputs)-1)...), err
}

// SlicedValue takes the loss out of a Sliced's result.
type SlicedValue struct{ signature }

// InferShape implements gorgonia.Op.
func (s *SlicedValue) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

// Define implements Operation.
func (s *SlicedValue) Define(value *tensor.Dense, in ...*tensor.Dense) error {
	n := in[0].Shape().TotalSize()
	return each(in[0],
		func() { value.Float64s()[0] = joinLoss(in[0].Float32s()[n-2:]) },
		func() { value.Float64s()[0] = joinLoss(in[0].Float64s()[n-2:]) })
}

func joinLoss[T pure.Float](parts []T) float64 { return float64(parts[0]) + float64(parts[1]) }

// Do implements gorgonia.Op.
func (s *SlicedValue) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(s, values) }

// SymDiff implements gorgonia.SDOp.
func (s *SlicedValue) SymDiff(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{grad}, nil
}

// SlicedGradient takes the gradient out of a Sliced's result: result, grad →
// dx (C×H×W), multiplied by grad.
type SlicedGradient struct {
	signature
	final
	shape tensor.Shape
}

// InferShape implements gorgonia.Op.
func (s *SlicedGradient) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return s.shape.Clone(), nil
}

// Define implements Operation.
func (s *SlicedGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
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
func (s *SlicedGradient) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(s, values) }
