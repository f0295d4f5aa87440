package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

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
	signature, inputs := mapLossSignature(loss.String(), x, target, draw)
	op := &Sliced{signature: signature, Loss: loss}
	evaluation, err := gorgonia.ApplyOp(op, inputs...)
	if err != nil {
		return nil, err
	}
	return takeValue(op.name, evaluation)
}

// InferShape implements gorgonia.Op.
func (s *Sliced) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return mapLossShape(s.name, s.Loss.Channels, inputs)
}

// Define implements Operation.
func (s *Sliced) Define(evaluation *tensor.Dense, in ...*tensor.Dense) error {
	draw := drawOf(in)
	return each(evaluation,
		func() { defineSliced(s.Loss, evaluation.Float32s(), in[0].Float32s(), in[1].Float32s(), draw) },
		func() { defineSliced(s.Loss, evaluation.Float64s(), in[0].Float64s(), in[1].Float64s(), draw) })
}

func defineSliced[T pure.Float](loss pure.Sliced, evaluation, x, target []T, draw float64) {
	SplitLoss(evaluation[len(x):], pure.CompareSliced(loss, evaluation[:len(x)], x, target, draw))
}

// Do implements gorgonia.Op.
func (s *Sliced) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(s, values) }

// SymDiff implements gorgonia.SDOp. Its grad is that of the loss, a scalar,
// which MapLossValue hands on: the gradient by the map is already there.
func (s *Sliced) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return takeGradient(s.name, inputs, output, grad)
}
