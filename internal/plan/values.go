package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Values are those of a node outside any machine: a target, for instance, that
// one graph gives and another takes.
type Values struct {
	Shape  tensor.Shape
	Single []float32 // of a float32 node, else nil
	Double []float64 // of a float64 node, else nil
}

// NoValues has the shape and the type of a node's values, and no elements: it stands for
// them where a graph is made that isn't run.
func NoValues(node *gorgonia.Node) Values {
	v := Values{Shape: node.Shape()}
	if v.Shape.IsScalar() {
		v.Shape = tensor.Shape{1}
	}
	if node.Dtype() == tensor.Float64 {
		v.Double = []float64{}
	} else {
		v.Single = []float32{}
	}
	return v
}

// Bytes is what values of this shape and type take, with elements or without.
func (v Values) Bytes() int64 {
	switch {
	case v.Shape == nil:
		return 0
	case v.Double != nil:
		return 8 * int64(v.Shape.TotalSize())
	}
	return 4 * int64(v.Shape.TotalSize())
}

// ReadValues copies an output's values out, as of the last run.
func ReadValues(m Machine, output *gorgonia.Node) (Values, error) {
	v := NoValues(output)
	switch output.Dtype() {
	case tensor.Float32:
		v.Single = make([]float32, v.Shape.TotalSize())
		return v, m.Read(output, v.Single)
	case tensor.Float64:
		v.Double = make([]float64, v.Shape.TotalSize())
		return v, m.ReadFloat64(output, v.Double)
	}
	return Values{}, fmt.Errorf("plan: %v is of %v, want float32 or float64", output, output.Dtype())
}

// Input adds an input for values of this shape and type to a graph.
func (v Values) Input(g *gorgonia.ExprGraph, name string) *gorgonia.Node {
	dtype := tensor.Float32
	if v.Double != nil {
		dtype = tensor.Float64
	}
	return gorgonia.NewTensor(g, dtype, v.Shape.Dims(), gorgonia.WithShape(v.Shape...), gorgonia.WithName(name))
}

// WriteTo copies the values into the buffer of an input.
func (v Values) WriteTo(m Machine, input *gorgonia.Node) error {
	if v.Double != nil {
		return m.WriteFloat64(input, v.Double)
	}
	return m.Write(input, v.Single)
}

// Add adds other values of the same shape and type, each multiplied by weight. What has
// no values yet counts as zeros.
func (v *Values) Add(weight float64, other Values) {
	if v.Shape == nil {
		*v = Values{Shape: other.Shape}
		if other.Double != nil {
			v.Double = make([]float64, len(other.Double))
		} else {
			v.Single = make([]float32, len(other.Single))
		}
	}
	for i, x := range other.Double {
		v.Double[i] += weight * x
	}
	for i, x := range other.Single {
		v.Single[i] += float32(weight) * x
	}
}
