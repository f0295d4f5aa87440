package losses_test

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/losses"
)

// input makes an input of a float64 graph.
func input(g *gorgonia.ExprGraph, name string, values []float64, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(append([]float64(nil), values...)))))
}

// run evaluates the graph of some nodes by the definitions of its operations, on
// Gorgonia's tape machine, and returns the nodes' values. The graph's key is 0.75.
func run(t *testing.T, nodes ...*gorgonia.Node) [][]float64 {
	t.Helper()
	g := nodes[0].Graph()
	for _, key := range g.ByName(losses.KeyName) {
		if err := gorgonia.Let(key, 0.75); err != nil {
			t.Fatal(err)
		}
	}
	read := make([]gorgonia.Value, len(nodes))
	for i, node := range nodes {
		gorgonia.Read(node, &read[i])
	}
	machine := gorgonia.NewTapeMachine(g)
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	values := make([][]float64, len(nodes))
	for i, value := range read {
		switch v := value.Data().(type) {
		case float64:
			values[i] = []float64{v}
		case []float64:
			values[i] = append([]float64(nil), v...)
		}
	}
	return values
}

// named returns a loss that there is.
func named(t *testing.T, name string) losses.Loss {
	t.Helper()
	loss, err := losses.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

// plainValue is the plain loss between two clouds of points.
func plainValue(t *testing.T, loss losses.Loss, channels int, x, y []float64) float64 {
	t.Helper()
	value, _, err := losses.Evaluate(loss.Plain(), losses.Features{Channels: channels, Values: x}, losses.Features{Channels: channels, Values: y}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
