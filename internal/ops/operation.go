// Package ops holds the Gorgonia operations that the graph of VGG-19 and the
// losses are made of: their types, shapes and symbolic gradients. What they
// compute is defined in package pure; where and how fast they run is up to the
// machine that a graph is compiled for.
//
// Feature maps and pictures are C×H×W of one float type throughout a graph.
// Summaries of features and losses are float64.
package ops

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Operation is what every operation here is, besides a Gorgonia operation.
type Operation interface {
	gorgonia.SDOp
	// Define computes the result by the definition in package pure. Machines
	// without a faster way use it, and Do does.
	Define(result *tensor.Dense, inputs ...*tensor.Dense) error
}

// operand is the type of an input or a result: its number of dimensions, 0 for
// a scalar, and what it is made of.
type operand struct {
	dimensions int
	of         hm.Type
}

const element = hm.TypeVariable('a') // the graph's float type

var (
	featureMap = operand{3, element}
	scalar     = operand{0, tensor.Float64}
	vector     = operand{1, tensor.Float64}
)

func (o operand) hmType() hm.Type {
	if o.dimensions == 0 {
		return o.of
	}
	return gorgonia.TensorType{Dims: o.dimensions, Of: o.of}
}

// signature gives an operation the parts of gorgonia.Op that follow from its
// name and operands. The name tells all parameters, for Gorgonia merges nodes
// whose operations have one hash.
type signature struct {
	name   string
	inputs []operand
	result operand
	// differentiable says of each input whether SymDiff gives its gradient; nil
	// stands for none.
	differentiable []bool
}

// Arity implements gorgonia.Op.
func (s signature) Arity() int { return len(s.inputs) }

// Type implements gorgonia.Op.
func (s signature) Type() hm.Type {
	types := make([]hm.Type, 0, len(s.inputs)+1)
	for _, o := range append(s.inputs[:len(s.inputs):len(s.inputs)], s.result) {
		types = append(types, o.hmType())
	}
	return hm.NewFnType(types...)
}

// ReturnsPtr implements gorgonia.Op.
func (s signature) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (s signature) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (s signature) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (s signature) WriteHash(h hash.Hash) { fmt.Fprint(h, s.name) }

// Hashcode implements gorgonia.Op.
func (s signature) Hashcode() uint32 {
	h := fnv.New32a()
	s.WriteHash(h)
	return h.Sum32()
}

func (s signature) String() string { return s.name }

// DiffWRT implements gorgonia.SDOp.
func (s signature) DiffWRT(inputs int) []bool {
	if s.differentiable == nil {
		return make([]bool, inputs)
	}
	return s.differentiable
}

// final is embedded by operations that no gradient is taken of.
type final struct{}

// SymDiff implements gorgonia.SDOp.
func (final) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, fmt.Errorf("ops: no second derivatives are defined")
}

// do implements gorgonia.Op's Do: it allocates the result and defines it.
func do(op Operation, values []gorgonia.Value) (result gorgonia.Value, err error) {
	defer Catch(&err, op.String())
	inputs := make([]*tensor.Dense, len(values))
	shapes := make([]gorgonia.DimSizer, len(values))
	dtype := tensor.Float64
	for i, v := range values {
		inputs[i] = dense(v)
		shapes[i] = inputs[i].Shape()
		if i == 0 {
			dtype = inputs[i].Dtype()
		}
	}
	shape, err := op.InferShape(shapes...)
	if err != nil {
		return nil, err
	}
	if resultOf(op) != element {
		dtype = tensor.Float64
	}
	out := tensor.New(tensor.Of(dtype), tensor.WithShape(bufferShape(shape)...))
	if err := op.Define(out, inputs...); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if shape.IsScalar() {
		return gorgonia.NewF64(out.Float64s()[0]), nil
	}
	return out, nil
}

// bufferShape gives a scalar the shape of a vector of one.
func bufferShape(shape tensor.Shape) tensor.Shape {
	if shape.IsScalar() {
		return tensor.Shape{1}
	}
	return shape
}

// dense views any value as a tensor; a scalar becomes a vector of one.
func dense(v gorgonia.Value) *tensor.Dense {
	if d, ok := v.(*tensor.Dense); ok {
		return d
	}
	return tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{v.Data().(float64)}))
}

func resultOf(op Operation) hm.Type {
	types := op.Type().(*hm.FunctionType)
	result := types.Ret(true)
	if t, ok := result.(gorgonia.TensorType); ok {
		return t.Of
	}
	return result
}

// Catch turns a panic of Gorgonia's or tensor's into an error that says what
// was being done. Defer it at the seams to those packages.
func Catch(err *error, doing string) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %v", doing, r)
	}
}

// shapesOf returns the inputs' shapes after checking how many dimensions each
// has.
func shapesOf(op string, inputs []gorgonia.DimSizer, dimensions ...int) ([]tensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(inputs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	for i, shape := range shapes {
		if i < len(dimensions) && shape.Dims() != dimensions[i] {
			return nil, fmt.Errorf("%s: input %d has shape %v, want %d dimensions", op, i+1, shape, dimensions[i])
		}
	}
	return shapes, nil
}

func sameShape(op string, inputs []gorgonia.DimSizer) (tensor.Shape, error) {
	s, err := shapesOf(op, inputs, 3)
	if err != nil {
		return nil, err
	}
	for i, shape := range s[1:] {
		if shape.Dims() == 3 && !shape.Eq(s[0]) {
			return nil, fmt.Errorf("%s: input %d has shape %v, want %v", op, i+2, shape, s[0])
		}
	}
	return s[0].Clone(), nil
}

// each runs the definition for the graph's float type.
func each(of *tensor.Dense, single func(), double func()) error {
	switch of.Dtype() {
	case tensor.Float32:
		single()
	case tensor.Float64:
		double()
	default:
		return fmt.Errorf("tensor of %v, want float32 or float64", of.Dtype())
	}
	return nil
}
