package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// PowerMoments summarises a map by each channel's raw moments up to order
// pure.Orders: map (C×H×W) → vector of those of the first channel, of the second
// and so on.
type PowerMoments struct{ operation }

// SummarisePowers adds the power moments of a map to the graph.
func SummarisePowers(x *gorgonia.Node) (*gorgonia.Node, error) {
	return apply(&PowerMoments{operation{
		name: "power moments", inputs: []operand{featureMap}, result: vector, differentiable: []bool{true},
	}}, x)
}

// InferShape implements gorgonia.Op.
func (p *PowerMoments) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(p, inputs, 3)
	if err != nil {
		return nil, err
	}
	return tensor.Shape{pure.Orders * s[0][0]}, nil
}

// Define implements Operation.
func (p *PowerMoments) Define(summary *tensor.Dense, in ...*tensor.Dense) error {
	moments, channels := summary.Float64s(), in[0].Shape()[0]
	return each(in[0],
		func() { powerMoments(moments, in[0].Float32s(), channels) },
		func() { powerMoments(moments, in[0].Float64s(), channels) })
}

func powerMoments[T pure.Float](moments []float64, x []T, channels int) {
	n := len(x) / channels
	for c := range channels {
		pure.PowerMoments(moments[c*pure.Orders:(c+1)*pure.Orders], x[c*n:(c+1)*n])
	}
}

// SymDiff implements gorgonia.SDOp.
func (p *PowerMoments) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &PowerMomentsGradient{operation: operation{
		name: "gradient of power moments", inputs: []operand{featureMap, vector}, result: featureMap,
	}}
	dx, err := apply(op, inputs[0], grad)
	return gorgonia.Nodes{dx}, err
}

// PowerMomentsGradient pulls the cotangent of a PowerMoments summary back to the
// map: map, cotangent → dx.
type PowerMomentsGradient struct {
	operation
	final
}

// InferShape implements gorgonia.Op.
func (p *PowerMomentsGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(p, inputs)
}

// Define implements Operation.
func (p *PowerMomentsGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	cotangent, channels := in[1].Float64s(), in[0].Shape()[0]
	return each(dx,
		func() { powerMomentsGradient(dx.Float32s(), in[0].Float32s(), cotangent, channels) },
		func() { powerMomentsGradient(dx.Float64s(), in[0].Float64s(), cotangent, channels) })
}

func powerMomentsGradient[T pure.Float](dx, x []T, cotangent []float64, channels int) {
	n := len(x) / channels
	for c := range channels {
		pure.PowerMomentsGradient(dx[c*n:(c+1)*n], x[c*n:(c+1)*n], cotangent[c*pure.Orders:(c+1)*pure.Orders])
	}
}
