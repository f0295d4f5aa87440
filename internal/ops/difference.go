package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// DifferenceSums summarises how a map differs from a target of its size, element by
// element: map, target → vector of the sums of d², |d| and target², d being map −
// target (pure.SumDifference). They add up over parts of a map.
type DifferenceSums struct{ operation }

// SumDifference adds the sums to the graph. The gradient goes to the map only.
func SumDifference(x, target *gorgonia.Node) (*gorgonia.Node, error) {
	return apply(&DifferenceSums{operation{
		name: "difference", inputs: []operand{featureMap, featureMap}, result: vector, differentiable: []bool{true, false},
	}}, x, target)
}

// CompareMaps adds the difference of a map to a target to the graph, a float64
// scalar, by way of the sums. The gradient goes to the map only.
func CompareMaps(form pure.Difference, x, target *gorgonia.Node) (*gorgonia.Node, error) {
	sums, err := SumDifference(x, target)
	if err != nil {
		return nil, err
	}
	form.N = x.Shape().TotalSize()
	return Compare(form, sums, nil)
}

// InferShape implements gorgonia.Op.
func (d *DifferenceSums) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	if _, err := sameShape(d, inputs); err != nil {
		return nil, err
	}
	return tensor.Shape{3}, nil
}

// Define implements Operation.
func (d *DifferenceSums) Define(sums *tensor.Dense, in ...*tensor.Dense) error {
	return each(in[0],
		func() { pure.SumDifference(in[0].Float32s(), in[1].Float32s()).Put(sums.Float64s()) },
		func() { pure.SumDifference(in[0].Float64s(), in[1].Float64s()).Put(sums.Float64s()) })
}

// SymDiff implements gorgonia.SDOp.
func (d *DifferenceSums) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &DifferenceSumsGradient{operation: operation{
		name: "gradient of difference", inputs: []operand{featureMap, featureMap, vector}, result: featureMap,
	}}
	dx, err := apply(op, inputs[0], inputs[1], grad)
	return gorgonia.Nodes{dx, nil}, err
}

// DifferenceSumsGradient pulls the cotangent of DifferenceSums back to the map: map,
// target, cotangent → dx (pure.SlopeGradient).
type DifferenceSumsGradient struct {
	operation
	final
}

// InferShape implements gorgonia.Op.
func (d *DifferenceSumsGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	return sameShape(d, inputs)
}

// Define implements Operation.
func (d *DifferenceSumsGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	slopes := pure.SlopesOf(in[2].Float64s())
	return each(dx,
		func() { pure.SlopeGradient(slopes, dx.Float32s(), in[0].Float32s(), in[1].Float32s(), 1) },
		func() { pure.SlopeGradient(slopes, dx.Float64s(), in[0].Float64s(), in[1].Float64s(), 1) })
}
