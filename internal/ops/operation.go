// Package ops holds the Gorgonia operations that the graph of VGG-19 and the
// losses are made of: their types, shapes and symbolic gradients. What they
// compute is defined in package pure; where and how fast they run is up to the
// machine that a graph is compiled for.
//
// Feature maps and pictures are C×H×W of one float type throughout a graph.
// Summaries of features and losses are float64.
//
// # Words
//
// A summary is what a loss keeps of a feature map: a float64 vector that is a mean
// or a sum over positions, such as the means and second moments of channels, or the
// features themselves, of all positions or of some.
//
// The cotangent of a value is the derivative of the loss by that value: as long as
// the value is, and what a backward pass carries from results to inputs. Where a
// parameter is named grad or begins with d, as dy, it is a cotangent.
//
// The potentials of a transport problem are the variables of its dual: one number
// for each point of either cloud, whose sums are the cost of transport (Peyré and
// Cuturi 2019, "Computational Optimal Transport", section 4.4).
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

	describe() *operation
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

// operation gives an operation the parts of gorgonia.Op that follow from its
// name, parameters and operands.
type operation struct {
	name string
	// parameters are all that the result depends on beside the inputs: a value
	// without pointers. Gorgonia merges nodes with equal operations and operands, and
	// operations are equal where name and parameters are.
	parameters any
	inputs     []operand
	result     operand
	// differentiable says of each input whether SymDiff gives its gradient; nil
	// stands for none.
	differentiable []bool

	whole    Operation // the operation that this is a part of
	identity string
}

// apply adds an operation to the graph of its inputs.
func apply(op Operation, inputs ...*gorgonia.Node) (*gorgonia.Node, error) {
	o := op.describe()
	o.whole = op
	o.identity = o.name + identify(o.parameters)
	return gorgonia.ApplyOp(op, inputs...)
}

// identified is a parameter too large to be written out.
type identified interface{ Identity() string }

// identify writes all of a parameter, so that different ones are told apart.
func identify(parameters any) string {
	switch p := parameters.(type) {
	case nil:
		return ""
	case identified:
		return " " + p.Identity()
	}
	return fmt.Sprintf(" %#v", parameters)
}

func (o *operation) describe() *operation { return o }

// Arity implements gorgonia.Op.
func (o *operation) Arity() int { return len(o.inputs) }

// Type implements gorgonia.Op.
func (o *operation) Type() hm.Type {
	types := make([]hm.Type, 0, len(o.inputs)+1)
	for _, input := range o.inputs {
		types = append(types, input.hmType())
	}
	return hm.NewFnType(append(types, o.result.hmType())...)
}

// ReturnsPtr implements gorgonia.Op.
func (o *operation) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (o *operation) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *operation) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (o *operation) WriteHash(h hash.Hash) { fmt.Fprint(h, o.identity) }

// Hashcode implements gorgonia.Op.
func (o *operation) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// String names the operation and its parameters.
func (o *operation) String() string { return o.identity }

// DiffWRT implements gorgonia.SDOp.
func (o *operation) DiffWRT(inputs int) []bool {
	if o.differentiable == nil {
		return make([]bool, inputs)
	}
	return o.differentiable
}

// Do implements gorgonia.Op: it allocates the result and defines it.
func (o *operation) Do(values ...gorgonia.Value) (result gorgonia.Value, err error) {
	defer Catch(&err, o.String())
	inputs := make([]*tensor.Dense, len(values))
	shapes := make([]gorgonia.DimSizer, len(values))
	dtype := tensor.Float64
	for i, v := range values {
		inputs[i] = dense(v)
		shapes[i] = inputs[i].Shape()
		if i == 0 && o.result.of == element {
			dtype = inputs[i].Dtype()
		}
	}
	shape, err := o.whole.InferShape(shapes...)
	if err != nil {
		return nil, err
	}
	out := tensor.New(tensor.Of(dtype), tensor.WithShape(bufferShape(shape)...))
	if err := o.whole.Define(out, inputs...); err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	if shape.IsScalar() {
		return gorgonia.NewF64(out.Float64s()[0]), nil
	}
	return out, nil
}

// final is embedded by operations that no gradient is taken of.
type final struct{}

// SymDiff implements gorgonia.SDOp.
func (final) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, fmt.Errorf("ops: no second derivatives are defined")
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

// Catch turns a panic of Gorgonia's or tensor's into an error that says what
// was being done. Defer it at the seams to those packages.
func Catch(err *error, doing string) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %v", doing, r)
	}
}

// shapesOf returns the inputs' shapes after checking how many dimensions each
// has.
func shapesOf(op fmt.Stringer, inputs []gorgonia.DimSizer, dimensions ...int) ([]tensor.Shape, error) {
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

func sameShape(op fmt.Stringer, inputs []gorgonia.DimSizer) (tensor.Shape, error) {
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
