package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Comparison is the loss between two summaries: summary (n), target (m, or none) →
// loss.
type Comparison[L pure.Comparison] struct {
	loss
	Loss L
}

// Compare adds the loss between a summary and a target to the graph. target is nil
// where the loss takes none, because the summary is of both sides.
func Compare[L pure.Comparison](of L, summary, target *gorgonia.Node) (*gorgonia.Node, error) {
	op := &Comparison[L]{loss: newLoss("comparison", of, vector), Loss: of}
	if target == nil {
		return apply(op, summary)
	}
	op.loss = newLoss("comparison", of, vector, vector)
	return apply(op, summary, target)
}

// InferShape implements gorgonia.Op.
func (c *Comparison[L]) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(c, inputs, 1, 1)
	if err != nil {
		return nil, err
	}
	if len(s) > 1 && !s[0].Eq(s[1]) {
		return nil, fmt.Errorf("%s: summary of %v, target of %v", c, s[0], s[1])
	}
	return tensor.ScalarShape(), nil
}

// DefineGradient implements Loss.
func (c *Comparison[L]) DefineGradient(cotangent *tensor.Dense, grad float64, in ...*tensor.Dense) (float64, error) {
	var target []float64
	if len(in) > 1 {
		target = in[1].Float64s()
	}
	value, err := c.Loss.Compare(cotangent.Float64s(), in[0].Float64s(), target)
	if err != nil {
		return 0, err
	}
	return value, scale(cotangent, grad)
}
