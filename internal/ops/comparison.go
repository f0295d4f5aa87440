package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Comparison evaluates a loss between two summaries: summary (n), target (n) →
// vector of 1+n, the loss, then its cotangent by the summary. Both come from
// one evaluation because they share nearly all of its work.
type Comparison struct {
	signature
	Loss pure.Comparison
}

// Compare adds the loss between a summary and a target to the graph. The
// gradient goes to the summary only.
func Compare(loss pure.Comparison, summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	op := &Comparison{
		signature: signature{
			name:           "comparison." + loss.String(),
			inputs:         []operand{vector, vector},
			result:         vector,
			differentiable: []bool{true, false},
		},
		Loss: loss,
	}
	evaluation, err := gorgonia.ApplyOp(op, summary, target)
	if err != nil {
		return nil, err
	}
	value := &ComparisonValue{signature{
		name: op.name + ".value", inputs: []operand{vector}, result: scalar, differentiable: []bool{true},
	}}
	return gorgonia.ApplyOp(value, evaluation)
}

// InferShape implements gorgonia.Op.
func (c *Comparison) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(c.name, inputs, 1, 1)
	if err != nil {
		return nil, err
	}
	if !s[0].Eq(s[1]) {
		return nil, fmt.Errorf("%s: summary of %v, target of %v", c.name, s[0], s[1])
	}
	return tensor.Shape{1 + s[0][0]}, nil
}

// Define implements Operation.
func (c *Comparison) Define(evaluation *tensor.Dense, in ...*tensor.Dense) error {
	e := evaluation.Float64s()
	value, err := c.Loss.Compare(e[1:], in[0].Float64s(), in[1].Float64s())
	e[0] = value
	return err
}

// Do implements gorgonia.Op.
func (c *Comparison) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(c, values) }

// SymDiff implements gorgonia.SDOp. Its grad is that of the loss, a scalar,
// which ComparisonValue hands on: the cotangent by the summary is already there.
func (c *Comparison) SymDiff(_ gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &ComparisonCotangent{signature: signature{
		name: c.name + ".cotangent", inputs: []operand{vector, scalar}, result: vector,
	}}
	cotangent, err := gorgonia.ApplyOp(op, output, grad)
	return gorgonia.Nodes{cotangent, nil}, err
}

// ComparisonValue takes the loss out of a Comparison's result.
type ComparisonValue struct{ signature }

// InferShape implements gorgonia.Op.
func (c *ComparisonValue) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

// Define implements Operation.
func (c *ComparisonValue) Define(value *tensor.Dense, in ...*tensor.Dense) error {
	value.Float64s()[0] = in[0].Float64s()[0]
	return nil
}

// Do implements gorgonia.Op.
func (c *ComparisonValue) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(c, values) }

// SymDiff implements gorgonia.SDOp.
func (c *ComparisonValue) SymDiff(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{grad}, nil
}

// ComparisonCotangent takes the cotangent out of a Comparison's result: result
// (1+n), grad → cotangent (n), multiplied by grad.
type ComparisonCotangent struct {
	signature
	final
}

// InferShape implements gorgonia.Op.
func (c *ComparisonCotangent) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(c.name, inputs, 1)
	if err != nil {
		return nil, err
	}
	return tensor.Shape{s[0][0] - 1}, nil
}

// Define implements Operation.
func (c *ComparisonCotangent) Define(cotangent *tensor.Dense, in ...*tensor.Dense) error {
	grad, scaled := in[1].Float64s()[0], cotangent.Float64s()
	for i, v := range in[0].Float64s()[1:] {
		scaled[i] = grad * v
	}
	return nil
}

// Do implements gorgonia.Op.
func (c *ComparisonCotangent) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	return do(c, values)
}
