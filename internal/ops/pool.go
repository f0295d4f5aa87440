package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// PoolForm is what a pooling computes.
type PoolForm struct {
	Mode  pure.PoolMode
	Scale float64 // multiplies the result
}

// Pool is a 2×2 pooling of stride 2: map (C×H×W) → map (C×⌊H/2⌋×⌊W/2⌋).
type Pool struct {
	operation
	PoolForm
}

// ApplyPool adds a pooling to the graph, its result multiplied by scale.
func ApplyPool(x *gorgonia.Node, mode pure.PoolMode, scale float64) (*gorgonia.Node, error) {
	form := PoolForm{mode, scale}
	op := &Pool{
		operation: operation{
			name: "pool", parameters: form,
			inputs: []operand{featureMap}, result: featureMap, differentiable: []bool{true},
		},
		PoolForm: form,
	}
	return apply(op, x)
}

// InferShape implements gorgonia.Op.
func (p *Pool) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(p, inputs, 3)
	if err != nil {
		return nil, err
	}
	if s[0][1] < 2 || s[0][2] < 2 {
		return nil, fmt.Errorf("%s: map %v is too small to pool", p, s[0])
	}
	return tensor.Shape{s[0][0], s[0][1] / 2, s[0][2] / 2}, nil
}

// Geometry is the pooling of a map of this shape.
func (p PoolForm) Geometry(x tensor.Shape) pure.Pool {
	return pure.Pool{Mode: p.Mode, Scale: p.Scale, Channels: x[0], Height: x[1], Width: x[2]}
}

// Define implements Operation.
func (p *Pool) Define(y *tensor.Dense, in ...*tensor.Dense) error {
	g := p.Geometry(in[0].Shape())
	return each(y,
		func() { pure.ApplyPool(g, y.Float32s(), in[0].Float32s()) },
		func() { pure.ApplyPool(g, y.Float64s(), in[0].Float64s()) })
}

// SymDiff implements gorgonia.SDOp.
func (p *Pool) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &PoolGradient{
		operation: operation{
			name: "gradient of pool", parameters: p.PoolForm,
			inputs: []operand{featureMap, featureMap}, result: featureMap,
		},
		PoolForm: p.PoolForm,
	}
	dx, err := apply(op, grad, inputs[0])
	return gorgonia.Nodes{dx}, err
}

// PoolGradient is the gradient of a Pool: dy, x → dx.
type PoolGradient struct {
	operation
	final
	PoolForm
}

// InferShape implements gorgonia.Op.
func (p *PoolGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(p, inputs, 3, 3)
	if err != nil {
		return nil, err
	}
	return s[1].Clone(), nil
}

// Define implements Operation.
func (p *PoolGradient) Define(dx *tensor.Dense, in ...*tensor.Dense) error {
	g := p.Geometry(in[1].Shape())
	return each(dx,
		func() { pure.PoolGradient(g, dx.Float32s(), in[0].Float32s(), in[1].Float32s()) },
		func() { pure.PoolGradient(g, dx.Float64s(), in[0].Float64s(), in[1].Float64s()) })
}
