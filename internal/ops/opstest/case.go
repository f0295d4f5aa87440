// Package opstest has one table of cases of all operations in package ops, on maps of
// usual sizes and of odd ones. Any device's results are compared with the definitions
// by Compare and timed by Time; Differentiate holds the gradients that the
// definitions give against finite differences. It is for tests only.
package opstest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Use is what a case serves for; uses are added up.
type Use int

const (
	// Compared cases are evaluated on devices and by the definition.
	Compared Use = 1 << iota
	// Differentiated cases have their gradient compared with finite differences.
	Differentiated
	// Timed cases are of the size that networks have. Their definition would take too
	// long.
	Timed
)

// Case is an operation, or a few, with inputs.
type Case struct {
	// Operation names what the case is of, and Variant tells it from others.
	Operation, Variant string
	Uses               Use
	// Inputs are those of the graph, with different names. The gradient is taken by
	// the first.
	Inputs []Input
	// Apply adds the operation to the graph of its inputs.
	Apply func(in []*gorgonia.Node) (*gorgonia.Node, error)
	// NoGradient tells that the operation has none.
	NoGradient bool
	// Magnitude, unless zero, is what the result is a difference of, if it is more than
	// the result itself: no evaluation can be more exact than its terms.
	Magnitude float64
	// Sensitivity is by how much rounding on the way is amplified in the results, where
	// that is by more than a few times; 0 stands for 1.
	Sensitivity float64
	// Operations counts the floating-point operations of what is timed: of a loss and
	// its gradient together, else of the value and, as many, of the gradient. A
	// multiplication and an addition count two. It is 0 where time isn't, for the most
	// part, arithmetic that can be counted.
	Operations float64
	// Streams tells that time goes, for the most part, with the bytes that are read
	// and written.
	Streams bool

	defined sync.Once
	result  Result
	err     error
}

// Result is what an operation gives: its value and, pulled back from the case's
// cotangent, the gradient by the first input.
type Result struct{ Value, Gradient []float64 }

// Name is what a case is called in tests, without spaces.
func (c *Case) Name() string {
	return strings.ReplaceAll(c.Operation+"/"+c.Variant, " ", "_")
}

// Input is an input of a case's graph.
type Input struct {
	Name  string
	Kind  Kind
	Shape tensor.Shape // none for a scalar
	// Values returns its values. Those of maps and parameters are rounded to float32.
	Values func() []float64
}

// Kind is what an input is.
type Kind int

const (
	// Map is a feature map, C×H×W, of the graph's float type.
	Map Kind = iota
	// Parameter is a constant of the graph, of its float type.
	Parameter
	// Vector is a summary, in float64.
	Vector
	// Scalar is a loss or a key, in float64.
	Scalar
)

// values are those of an input as a graph of that type takes them.
func (in Input) values(dtype tensor.Dtype) any {
	values := in.Values()
	if in.Kind == Vector || in.Kind == Scalar || dtype == tensor.Float64 {
		return values
	}
	return singles(values)
}

// node adds the input to a graph of that type.
func (in Input) node(g *gorgonia.ExprGraph, dtype tensor.Dtype) *gorgonia.Node {
	name, shape := gorgonia.WithName(in.Name), gorgonia.WithShape(in.Shape...)
	switch in.Kind {
	case Scalar:
		return gorgonia.NewScalar(g, tensor.Float64, name)
	case Vector:
		return gorgonia.NewVector(g, tensor.Float64, name, shape)
	case Parameter:
		value := tensor.New(tensor.WithShape(in.Shape...), tensor.WithBacking(in.values(dtype)))
		return gorgonia.NewTensor(g, dtype, in.Shape.Dims(), name, shape, gorgonia.WithValue(value))
	}
	return gorgonia.NewTensor(g, dtype, in.Shape.Dims(), name, shape)
}

// Graph is a case's graph.
type Graph struct {
	Value *gorgonia.Node
	// Gradient is that by the first input, nil where there is none.
	Gradient *gorgonia.Node

	inputs []bound
}

// bound is an input and its node.
type bound struct {
	Input
	node *gorgonia.Node
}

// Graph makes the case's graph with feature maps of that type.
func (c *Case) Graph(dtype tensor.Dtype) (*Graph, error) {
	graph, g := &Graph{}, gorgonia.NewGraph()
	var nodes []*gorgonia.Node
	for _, in := range c.Inputs {
		nodes = append(nodes, in.node(g, dtype))
		graph.inputs = append(graph.inputs, bound{in, nodes[len(nodes)-1]})
	}
	var err error
	if graph.Value, err = c.Apply(slices.Clone(nodes)); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if c.NoGradient {
		return graph, nil
	}
	cotangent := cotangentOf(graph.Value)
	pull := bound{cotangent, cotangent.node(g, dtype)}
	gradients, err := gorgonia.Backpropagate(gorgonia.Nodes{graph.Value}, gorgonia.Nodes{pull.node}, gorgonia.Nodes{nodes[0]})
	if err != nil {
		return nil, fmt.Errorf("gradient of %s: %w", c.Name(), err)
	}
	graph.inputs, graph.Gradient = append(graph.inputs, pull), gradients[0]
	return graph, nil
}

// cotangentOf is the input from which a value's cotangent comes.
func cotangentOf(value *gorgonia.Node) Input {
	shape := value.Shape()
	switch shape.Dims() {
	case 0:
		return scalar("cotangent", 1.5)
	case 1:
		return Input{Name: "cotangent", Kind: Vector, Shape: shape, Values: func() []float64 { return normal(shape[0], 9) }}
	}
	return features("cotangent", 9, shape...)
}

// Outputs is a set of outputs that a graph is scheduled for.
type Outputs struct {
	Name  string
	Nodes []*gorgonia.Node
}

// Outputs are the gradient and the value, each by itself, and both at once.
func (g *Graph) Outputs() []Outputs {
	value := Outputs{"value", []*gorgonia.Node{g.Value}}
	if g.Gradient == nil {
		return []Outputs{value}
	}
	return []Outputs{
		{"gradient", []*gorgonia.Node{g.Gradient}}, value, {"both", []*gorgonia.Node{g.Value, g.Gradient}},
	}
}
