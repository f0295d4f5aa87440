package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Rectification is ReLU on its own, for networks whose convolution is asked for
// before it.
type Rectification struct{ operation }

// Rectify adds max(x, 0) to the graph.
func Rectify(x *gorgonia.Node) (*gorgonia.Node, error) {
	return apply(&Rectification{operation{
		name: "rectification", inputs: []operand{featureMap}, result: featureMap, differentiable: []bool{true},
	}}, x)
}

// InferShape implements gorgonia.Op.
func (r *Rectification) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(r, inputs)
}

// Define implements Operation.
func (r *Rectification) Define(y *tensor.Dense, in ...*tensor.Dense) error {
	return each(y,
		func() { pure.Rectify(y.Float32s(), in[0].Float32s()) },
		func() { pure.Rectify(y.Float64s(), in[0].Float64s()) })
}

// SymDiff implements gorgonia.SDOp.
func (r *Rectification) SymDiff(_ gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := rectifyGradient(grad, output)
	return gorgonia.Nodes{dx}, err
}

func rectifyGradient(dy, y *gorgonia.Node) (*gorgonia.Node, error) {
	return apply(&RectificationGradient{operation: operation{
		name: "gradient of rectification", inputs: []operand{featureMap, featureMap}, result: featureMap,
	}}, dy, y)
}

// RectificationGradient passes dy where y > 0: dy, y → dx.
type RectificationGradient struct {
	operation
	final
}

// InferShape implements gorgonia.Op.
func (r *RectificationGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(r, inputs)
}

// Define implements Operation.
func (r *RectificationGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	return each(dx,
		func() { pure.RectifyGradient(dx.Float32s(), in[0].Float32s(), in[1].Float32s()) },
		func() { pure.RectifyGradient(dx.Float64s(), in[0].Float64s(), in[1].Float64s()) })
}
