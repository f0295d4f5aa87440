package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Variation is the total variation of a map's planes: map → loss
// (pure.TotalVariation).
type Variation struct{ signature }

// TotalVariation adds the total variation of a picture to the graph.
func TotalVariation(x *gorgonia.Node) (*gorgonia.Node, error) {
	op := &Variation{signature{
		name: "variation", inputs: []operand{featureMap}, result: scalar, differentiable: []bool{true},
	}}
	return gorgonia.ApplyOp(op, x)
}

// InferShape implements gorgonia.Op.
func (v *Variation) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	if _, err := sameShape(v.name, inputs); err != nil {
		return nil, err
	}
	return tensor.ScalarShape(), nil
}

// Define implements Operation.
func (v *Variation) Define(loss *tensor.Dense, in ...*tensor.Dense) error {
	l, s := loss.Float64s(), in[0].Shape()
	return each(in[0],
		func() { l[0] = pure.TotalVariation(in[0].Float32s(), s[0], s[1], s[2]) },
		func() { l[0] = pure.TotalVariation(in[0].Float64s(), s[0], s[1], s[2]) })
}

// Do implements gorgonia.Op.
func (v *Variation) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(v, values) }

// SymDiff implements gorgonia.SDOp.
func (v *Variation) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &VariationGradient{signature: signature{
		name: "variation.gradient", inputs: []operand{featureMap, scalar}, result: featureMap,
	}}
	dx, err := gorgonia.ApplyOp(op, inputs[0], grad)
	return gorgonia.Nodes{dx}, err
}

// VariationGradient is the gradient of a Variation: map, grad → dx.
type VariationGradient struct {
	signature
	final
}

// InferShape implements gorgonia.Op.
func (v *VariationGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(v.name, inputs)
}

// Define implements Operation.
func (v *VariationGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	grad, s := in[1].Float64s()[0], in[0].Shape()
	return each(dx,
		func() { pure.TotalVariationGradient(dx.Float32s(), in[0].Float32s(), s[0], s[1], s[2], grad) },
		func() { pure.TotalVariationGradient(dx.Float64s(), in[0].Float64s(), s[0], s[1], s[2], grad) })
}

// Do implements gorgonia.Op.
func (v *VariationGradient) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	return do(v, values)
}
