package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Sum is a weighted sum of losses.
type Sum struct {
	operation
	Weights []float64
}

// WeightedSum adds Σ weights·losses to the graph.
func WeightedSum(weights []float64, losses ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(weights) != len(losses) || len(losses) == 0 {
		return nil, fmt.Errorf("weighted sum of %d losses has %d weights", len(losses), len(weights))
	}
	op := &Sum{operation: operation{name: "sum", parameters: weights, result: scalar}, Weights: weights}
	for range losses {
		op.inputs = append(op.inputs, scalar)
		op.differentiable = append(op.differentiable, true)
	}
	return apply(op, losses...)
}

// InferShape implements gorgonia.Op.
func (s *Sum) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

// Define implements Operation.
func (s *Sum) Define(sum *tensor.Dense, in ...*tensor.Dense) error {
	var total float64
	for i, loss := range in {
		total += s.Weights[i] * loss.Float64s()[0]
	}
	sum.Float64s()[0] = total
	return nil
}

// SymDiff implements gorgonia.SDOp.
func (s *Sum) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	grads := make(gorgonia.Nodes, len(inputs))
	for i, weight := range s.Weights {
		var err error
		if grads[i], err = WeightedSum([]float64{weight}, grad); err != nil {
			return nil, err
		}
	}
	return grads, nil
}
