package opstest

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"
)

// Differentiate compares the gradients of the cases that are Differentiated, by the
// definition in float64, with finite differences of the values, in a test for each.
func Differentiate(t *testing.T, cases []*Case) {
	for _, c := range For(Differentiated, cases) {
		t.Run(c.Name(), func(t *testing.T) {
			want, err := c.Define()
			if err != nil {
				t.Fatal(err)
			}
			differentiate(t, c, want.Gradient)
		})
	}
}

func differentiate(t *testing.T, c *Case, gradient []float64) {
	t.Helper()
	var largest float64
	for _, g := range gradient {
		largest = max(largest, math.Abs(g))
	}
	if largest == 0 {
		t.Fatal("the gradient is zero everywhere")
	}
	f, err := newFunction(c)
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	x := c.Inputs[0].Values()
	for i, g := range gradient {
		up, down := slices.Clone(x), slices.Clone(x)
		up[i] += h
		down[i] -= h
		numeric := (f.at(t, up) - f.at(t, down)) / (2 * h)
		// Central differences with this step are good to about 1e-9 relative;
		// a root near a singular covariance costs some digits.
		if d := math.Abs(numeric - g); d > 1e-6*largest {
			t.Errorf("element %d: gradient %g, by finite differences %g", i, g, numeric)
		}
	}
}

// function is a scalar function of a case's first input: the product of the value with
// the cotangent.
type function struct {
	graph     *Graph
	cotangent []float64
}

func newFunction(c *Case) (function, error) {
	alone := &Case{Operation: c.Operation, Variant: c.Variant, Inputs: c.Inputs, Apply: c.Apply, NoGradient: true}
	g, err := alone.Graph(tensor.Float64)
	if err != nil {
		return function{}, err
	}
	return function{g, cotangentOf(g.Value).Values()}, nil
}

func (f function) at(t *testing.T, x []float64) (product float64) {
	t.Helper()
	f.graph.inputs[0].Values = func() []float64 { return x }
	if err := f.graph.run(); err != nil {
		t.Fatal(err)
	}
	for i, v := range numbers(f.graph.Value.Value()) {
		product += f.cotangent[i] * v
	}
	return product
}
