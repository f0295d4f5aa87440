package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Rectification is ReLU on its own, for networks whose convolution is asked for
// before it.
type Rectification struct{ signature }

// Rectify adds max(x, 0) to the graph.
func Rectify(x *gorgonia.Node) (*gorgonia.Node, error) {
	op := &Rectification{signature{
		name: "rectification", inputs: []operand{featureMap}, result: featureMap, differentiable: []bool{true},
	}}
	return gorgonia.ApplyOp(op, x)
}

// InferShape implements gorgonia.Op.
func (r *Rectification) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(r.name, inputs)
}

// Define implements Operation.
func (r *Rectification) Define(y *tensor.Dense, in ...*tensor.Dense) error {
	return each(y,
		func() { pure.Rectify(y.Float32s(), in[0].Float32s()) },
		func() { pure.Rectify(y.Float64s(), in[0].Float64s()) })
}

// Do implements gorgonia.Op.
func (r *Rectification) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(r, values) }

// SymDiff implements gorgonia.SDOp.
func (r *Rectification) SymDiff(_ gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &RectificationGradient{signature: signature{
		name: "rectification.gradient", inputs: []operand{featureMap, featureMap}, result: featureMap,
	}}
	dx, err := gorgonia.ApplyOp(op, grad, output)
	return gorgonia.Nodes{dx}, err
}

// RectificationGradient passes dy where y > 0: dy, y → dx.
type RectificationGradient struct {
	signature
	final
}

// InferShape implements gorgonia.Op.
func (r *RectificationGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(r.name, inputs)
}

// Define implements Operation.
func (r *RectificationGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	return each(dx,
		func() { pure.RectifyGradient(dx.Float32s(), in[0].Float32s(), in[1].Float32s()) },
		func() { pure.RectifyGradient(dx.Float64s(), in[0].Float64s(), in[1].Float64s()) })
}

// Do implements gorgonia.Op.
func (r *RectificationGradient) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	return do(r, values)
}
