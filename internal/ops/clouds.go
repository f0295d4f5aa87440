package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Clouds evaluates pure.CompareClouds between two maps of as many channels: map
// (C×H×W), target (C×H′×W′), draw (a float64 scalar) → vector of C·H·W+2, the
// gradient by the map, then the loss as the sum of two values, so that it isn't
// rounded to the graph's float type. Loss and gradient come from one evaluation
// because they share nearly all of its work.
type Clouds struct {
	signature
	Comparison pure.CloudComparison
}

// CompareClouds adds the loss between a map's features and a target's to the
// graph. draw, of which a sample depends, is a float64 scalar; nil where the loss
// takes all of them, or the same sample always. The gradient goes to the map
// only.
func CompareClouds(comparison pure.CloudComparison, x, target, draw *gorgonia.Node) (*gorgonia.Node, error) {
	signature, inputs := mapLossSignature(comparison.String(), x, target, draw)
	op := &Clouds{signature: signature, Comparison: comparison}
	evaluation, err := gorgonia.ApplyOp(op, inputs...)
	if err != nil {
		return nil, err
	}
	return takeValue(op.name, evaluation)
}

// InferShape implements gorgonia.Op.
func (c *Clouds) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return mapLossShape(c.name, c.Comparison.Channels, inputs)
}

// Define implements Operation.
func (c *Clouds) Define(evaluation *tensor.Dense, in ...*tensor.Dense) (err error) {
	draw := drawOf(in)
	wrong := each(evaluation,
		func() {
			err = defineClouds(c.Comparison, evaluation.Float32s(), in[0].Float32s(), in[1].Float32s(), draw)
		},
		func() {
			err = defineClouds(c.Comparison, evaluation.Float64s(), in[0].Float64s(), in[1].Float64s(), draw)
		})
	if wrong != nil {
		return wrong
	}
	return err
}

func defineClouds[T pure.Float](comparison pure.CloudComparison, evaluation, x, target []T, draw float64) error {
	value, err := pure.CompareClouds(comparison, evaluation[:len(x)], x, target, draw)
	SplitLoss(evaluation[len(x):], value)
	return err
}

// Do implements gorgonia.Op.
func (c *Clouds) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(c, values) }

// SymDiff implements gorgonia.SDOp. Its grad is that of the loss, a scalar, which
// MapLossValue hands on: the gradient by the map is already there.
func (c *Clouds) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return takeGradient(c.name, inputs, output, grad)
}
