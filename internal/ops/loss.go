package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Loss is an operation that compares its first input with the others. Its result is
// a float64 scalar, and its gradient goes to the first input only. A schedule may
// have value and gradient computed together, as the two results of one step, where
// they share their work: ValueAndGradient.
type Loss interface {
	Operation
	// DefineGradient computes dx = grad·∂loss/∂x, x being the first input, by the
	// definition in package pure, and returns the loss.
	DefineGradient(dx *tensor.Dense, grad float64, inputs ...*tensor.Dense) (loss float64, err error)
}

// loss gives a Loss the parts of gorgonia.Op that don't depend on what it compares.
type loss struct{ operation }

// newLoss describes a loss of the first of inputs.
func newLoss(name string, parameters any, inputs ...operand) loss {
	differentiable := make([]bool, len(inputs))
	differentiable[0] = true
	return loss{operation{name: name, parameters: parameters, inputs: inputs, result: scalar, differentiable: differentiable}}
}

// Define implements Operation.
func (l *loss) Define(value *tensor.Dense, inputs ...*tensor.Dense) (err error) {
	dx := tensor.New(tensor.Of(inputs[0].Dtype()), tensor.WithShape(inputs[0].Shape()...))
	value.Float64s()[0], err = l.whole.(Loss).DefineGradient(dx, 1, inputs...)
	return err
}

// SymDiff implements gorgonia.SDOp.
func (l *loss) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	op := &LossGradient{
		operation: operation{
			name:       "gradient of " + l.name,
			parameters: l.parameters,
			inputs:     append(append([]operand(nil), l.inputs...), scalar),
			result:     l.inputs[0],
		},
		Of: l.whole.(Loss),
	}
	dx, err := apply(op, append(append(gorgonia.Nodes(nil), inputs...), grad)...)
	return append(gorgonia.Nodes{dx}, make(gorgonia.Nodes, len(inputs)-1)...), err
}

// LossGradient is the gradient of a Loss to its first input x: the loss's inputs,
// grad (a float64 scalar) → dx, of x's shape, multiplied by grad.
type LossGradient struct {
	operation
	final
	Of Loss
}

// InferShape implements gorgonia.Op.
func (g *LossGradient) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := shapesOf(g, inputs)
	if err != nil {
		return nil, err
	}
	return shapes[0].Clone(), nil
}

// Define implements Operation.
func (g *LossGradient) Define(dx *tensor.Dense, inputs ...*tensor.Dense) error {
	last := len(inputs) - 1
	_, err := g.Of.DefineGradient(dx, inputs[last].Float64s()[0], inputs[:last]...)
	return err
}

// ValueAndGradient is a Loss and its LossGradient in one: the loss's inputs, grad →
// the loss and dx. It stands in schedules, not in graphs, where a node has but one
// value.
type ValueAndGradient struct{ Of Loss }

func (v *ValueAndGradient) String() string { return "value and gradient of " + v.Of.String() }

// Define computes both results by the definition in package pure.
func (v *ValueAndGradient) Define(value, dx *tensor.Dense, inputs ...*tensor.Dense) (err error) {
	last := len(inputs) - 1
	value.Float64s()[0], err = v.Of.DefineGradient(dx, inputs[last].Float64s()[0], inputs[:last]...)
	return err
}

// scale multiplies a gradient.
func scale(dx *tensor.Dense, grad float64) error {
	return each(dx,
		func() {
			for i, v := range dx.Float32s() {
				dx.Float32s()[i] = float32(grad * float64(v))
			}
		},
		func() {
			for i := range dx.Float64s() {
				dx.Float64s()[i] *= grad
			}
		})
}

// sameChannels checks that a loss's first two inputs are maps of so many channels.
func sameChannels(op fmt.Stringer, channels int, inputs []gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := shapesOf(op, inputs, 3, 3)
	if err != nil {
		return nil, err
	}
	if shapes[0][0] != channels || shapes[1][0] != channels {
		return nil, fmt.Errorf("%s: map of %v, target of %v, want %d channels", op, shapes[0], shapes[1], channels)
	}
	return tensor.ScalarShape(), nil
}
