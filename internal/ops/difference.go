package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// Difference compares two maps of one shape element by element: map, target →
// loss (pure.CompareDifference).
type Difference struct {
	signature
	Form pure.Difference
}

// CompareMaps adds the difference of a map to a target to the graph. The
// gradient goes to the map only.
func CompareMaps(form pure.Difference, x, target *gorgonia.Node) (*gorgonia.Node, error) {
	op := &Difference{
		signature: signature{
			name:           fmt.Sprintf("difference(scaled=%t)", form.Scaled),
			inputs:         []operand{featureMap, featureMap},
			result:         scalar,
			differentiable: []bool{true, false},
		},
		Form: form,
	}
	return gorgonia.ApplyOp(op, x, target)
}

// InferShape implements gorgonia.Op.
func (d *Difference) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	if _, err := sameShape(d.name, inputs); err != nil {
		return nil, err
	}
	return tensor.ScalarShape(), nil
}

// Define implements Operation.
func (d *Difference) Define(loss *tensor.Dense, in ...*tensor.Dense) error {
	l := loss.Float64s()
	return each(in[0],
		func() { l[0] = pure.CompareDifference(d.Form, in[0].Float32s(), in[1].Float32s()) },
		func() { l[0] = pure.CompareDifference(d.Form, in[0].Float64s(), in[1].Float64s()) })
}

// Do implements gorgonia.Op.
func (d *Difference) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(d, values) }

// SymDiff implements gorgonia.SDOp.
func (d *Difference) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &DifferenceGradient{
		signature: signature{
			name: d.name + ".gradient", inputs: []operand{featureMap, featureMap, scalar}, result: featureMap,
		},
		Form: d.Form,
	}
	dx, err := gorgonia.ApplyOp(op, inputs[0], inputs[1], grad)
	return gorgonia.Nodes{dx, nil}, err
}

// DifferenceGradient is the gradient of a Difference: map, target, grad → dx.
type DifferenceGradient struct {
	signature
	final
	Form pure.Difference
}

// InferShape implements gorgonia.Op.
func (d *DifferenceGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(d.name, inputs)
}

// Define implements Operation.
func (d *DifferenceGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	grad := in[2].Float64s()[0]
	return each(dx,
		func() { pure.DifferenceGradient(d.Form, dx.Float32s(), in[0].Float32s(), in[1].Float32s(), grad) },
		func() { pure.DifferenceGradient(d.Form, dx.Float64s(), in[0].Float64s(), in[1].Float64s(), grad) })
}

// Do implements gorgonia.Op.
func (d *DifferenceGradient) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	return do(d, values)
}
