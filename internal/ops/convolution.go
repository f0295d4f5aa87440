package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

var filterBank = operand{4, element}
var biases = operand{1, element}

// Convolution is a 3×3 convolution of stride 1 with a border of one pixel,
// bias and, where Rectify is set, ReLU: map (In×H×W), filters (Out×In×3×3),
// biases (Out) → map (Out×H×W).
type Convolution struct {
	signature
	Border  pure.Border
	Rectify bool
}

// Convolve adds a convolution to the graph.
func Convolve(x, filters, bias *gorgonia.Node, border pure.Border, rectify bool) (*gorgonia.Node, error) {
	op := &Convolution{
		signature: signature{
			name:           convolutionName(border, rectify),
			inputs:         []operand{featureMap, filterBank, biases},
			result:         featureMap,
			differentiable: []bool{true, false, false},
		},
		Border: border, Rectify: rectify,
	}
	return gorgonia.ApplyOp(op, x, filters, bias)
}

func convolutionName(border pure.Border, rectify bool) string {
	return fmt.Sprintf("convolution(replicate=%t, colour=%v, rectify=%t)", border.Replicate, border.Colour, rectify)
}

// InferShape implements gorgonia.Op.
func (c *Convolution) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(c.name, inputs, 3, 4, 1)
	if err != nil {
		return nil, err
	}
	x, f, b := s[0], s[1], s[2]
	if f[1] != x[0] || f[2] != 3 || f[3] != 3 || b[0] != f[0] {
		return nil, fmt.Errorf("%s: map %v, filters %v and biases %v do not fit", c.name, x, f, b)
	}
	return tensor.Shape{f[0], x[1], x[2]}, nil
}

func (c *Convolution) geometry(x, filters tensor.Shape) pure.Convolution {
	return pure.Convolution{
		In: filters[1], Out: filters[0], Height: x[1], Width: x[2], Border: c.Border, Rectify: c.Rectify,
	}
}

// Define implements Operation.
func (c *Convolution) Define(y *tensor.Dense, in ...*tensor.Dense) error {
	g := c.geometry(in[0].Shape(), in[1].Shape())
	return each(y,
		func() { pure.Convolve(g, y.Float32s(), in[0].Float32s(), in[1].Float32s(), in[2].Float32s()) },
		func() { pure.Convolve(g, y.Float64s(), in[0].Float64s(), in[1].Float64s(), in[2].Float64s()) })
}

// Do implements gorgonia.Op.
func (c *Convolution) Do(values ...gorgonia.Value) (gorgonia.Value, error) { return do(c, values) }

// SymDiff implements gorgonia.SDOp. Only the gradient to the map is defined;
// those to the parameters are never needed.
func (c *Convolution) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := ConvolveGradient(grad, output, inputs[1], c.Border, c.Rectify)
	return gorgonia.Nodes{dx, nil, nil}, err
}

// ConvolutionGradient is the gradient of a Convolution to its map: dy and y
// (Out×H×W), filters (Out×In×3×3) → dx (In×H×W).
type ConvolutionGradient struct {
	signature
	final
	Border    pure.Border
	Rectified bool
}

// ConvolveGradient adds the gradient of a convolution with result y to the
// graph, given the gradient dy to y.
func ConvolveGradient(dy, y, filters *gorgonia.Node, border pure.Border, rectified bool) (*gorgonia.Node, error) {
	op := &ConvolutionGradient{
		signature: signature{
			name:   convolutionName(border, rectified) + ".gradient",
			inputs: []operand{featureMap, featureMap, filterBank},
			result: featureMap,
		},
		Border: border, Rectified: rectified,
	}
	return gorgonia.ApplyOp(op, dy, y, filters)
}

// InferShape implements gorgonia.Op.
func (c *ConvolutionGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(c.name, inputs, 3, 3, 4)
	if err != nil {
		return nil, err
	}
	if !s[0].Eq(s[1]) || s[0][0] != s[2][0] {
		return nil, fmt.Errorf("%s: cotangent %v, map %v and filters %v do not fit", c.name, s[0], s[1], s[2])
	}
	return tensor.Shape{s[2][1], s[0][1], s[0][2]}, nil
}

// Define implements Operation.
func (c *ConvolutionGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	y, f := in[1].Shape(), in[2].Shape()
	g := pure.Convolution{In: f[1], Out: f[0], Height: y[1], Width: y[2], Border: c.Border, Rectify: c.Rectified}
	return each(dx,
		func() {
			pure.ConvolveDataGradient(g, dx.Float32s(), in[0].Float32s(), in[1].Float32s(), in[2].Float32s())
		},
		func() {
			pure.ConvolveDataGradient(g, dx.Float64s(), in[0].Float64s(), in[1].Float64s(), in[2].Float64s())
		})
}

// Do implements gorgonia.Op.
func (c *ConvolutionGradient) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	return do(c, values)
}
