package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

var filterBank = operand{4, element}
var biases = operand{1, element}

// ConvolutionForm is what a convolution computes beside its filters.
type ConvolutionForm struct {
	Border pure.Border
	// Rectify sets negative results to zero (ReLU).
	Rectify bool
}

// Convolution is a 3×3 convolution of stride 1 with a border of one pixel,
// rectified where its form says so: map (In×H×W), filters (Out×In×3×3), biases
// (Out) → map (Out×H×W).
type Convolution struct {
	operation
	ConvolutionForm
}

// Convolve adds a convolution to the graph.
func Convolve(x, filters, bias *gorgonia.Node, border pure.Border, rectify bool) (*gorgonia.Node, error) {
	form := ConvolutionForm{border, rectify}
	op := &Convolution{
		operation: operation{
			name: "convolution", parameters: form,
			inputs: []operand{featureMap, filterBank, biases}, result: featureMap,
			differentiable: []bool{true, false, false},
		},
		ConvolutionForm: form,
	}
	return apply(op, x, filters, bias)
}

// InferShape implements gorgonia.Op.
func (c *Convolution) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(c, inputs, 3, 4, 1)
	if err != nil {
		return nil, err
	}
	x, f, b := s[0], s[1], s[2]
	if f[1] != x[0] || f[2] != 3 || f[3] != 3 || b[0] != f[0] {
		return nil, fmt.Errorf("%s: map %v, filters %v and biases %v do not fit", c, x, f, b)
	}
	return tensor.Shape{f[0], x[1], x[2]}, nil
}

// geometry is the convolution by filters of a map of this height and width.
func geometry(form ConvolutionForm, filters tensor.Shape, height, width int) pure.Convolution {
	return pure.Convolution{
		In: filters[1], Out: filters[0], Height: height, Width: width, Border: form.Border, Rectify: form.Rectify,
	}
}

// Define implements Operation.
func (c *Convolution) Define(y *tensor.Dense, in ...*tensor.Dense) error {
	g := geometry(c.ConvolutionForm, in[1].Shape(), y.Shape()[1], y.Shape()[2])
	return each(y,
		func() { pure.Convolve(g, y.Float32s(), in[0].Float32s(), in[1].Float32s(), in[2].Float32s()) },
		func() { pure.Convolve(g, y.Float64s(), in[0].Float64s(), in[1].Float64s(), in[2].Float64s()) })
}

// SymDiff implements gorgonia.SDOp. Only the gradient to the map is defined;
// those to the parameters are never needed.
func (c *Convolution) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := ConvolveGradient(grad, output, inputs[1], c.Border, c.Rectify)
	return gorgonia.Nodes{dx, nil, nil}, err
}

// ConvolutionGradient is the gradient of a Convolution that isn't rectified to its
// map: dy (Out×H×W), filters (Out×In×3×3) → dx (In×H×W). That of a rectified one is
// this after a RectificationGradient.
type ConvolutionGradient struct {
	operation
	final
	Border pure.Border
}

// ConvolveGradient adds the gradient of a convolution with result y to the
// graph, given the gradient dy to y.
func ConvolveGradient(dy, y, filters *gorgonia.Node, border pure.Border, rectified bool) (*gorgonia.Node, error) {
	if rectified {
		var err error
		if dy, err = rectifyGradient(dy, y); err != nil {
			return nil, err
		}
	}
	op := &ConvolutionGradient{
		operation: operation{
			name: "gradient of convolution", parameters: border,
			inputs: []operand{featureMap, filterBank}, result: featureMap,
		},
		Border: border,
	}
	return apply(op, dy, filters)
}

// InferShape implements gorgonia.Op.
func (c *ConvolutionGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(c, inputs, 3, 4)
	if err != nil {
		return nil, err
	}
	if s[0][0] != s[1][0] {
		return nil, fmt.Errorf("%s: cotangent %v and filters %v do not fit", c, s[0], s[1])
	}
	return tensor.Shape{s[1][1], s[0][1], s[0][2]}, nil
}

// Define implements Operation.
func (c *ConvolutionGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	g := geometry(ConvolutionForm{Border: c.Border}, in[1].Shape(), dx.Shape()[1], dx.Shape()[2])
	return each(dx,
		func() {
			pure.ConvolveDataGradient(g, dx.Float32s(), in[0].Float32s(), nil, in[1].Float32s())
		},
		func() {
			pure.ConvolveDataGradient(g, dx.Float64s(), in[0].Float64s(), nil, in[1].Float64s())
		})
}
