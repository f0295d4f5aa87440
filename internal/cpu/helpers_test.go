package cpu

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/cpu/kernels"
	"impasto/internal/plan"
)

func testWorkers(t testing.TB, threads int) *kernels.Workers {
	t.Helper()
	w, err := kernels.NewWorkers(threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func opened(t testing.TB, o Options) *Device {
	t.Helper()
	d, err := NewDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d.(*Device)
}

func scheduled(t testing.TB, outputs ...*gorgonia.Node) *plan.Schedule {
	t.Helper()
	s, err := plan.Make(outputs...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compiled(t testing.TB, d plan.Device, s *plan.Schedule) plan.Machine {
	t.Helper()
	m, err := d.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func programOf(t testing.TB, d *Device, s *plan.Schedule) *plan.Program {
	t.Helper()
	p, err := s.For(d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// must takes the result of what adds a node to a graph.
func must(t testing.TB) func(*gorgonia.Node, error) *gorgonia.Node {
	return func(n *gorgonia.Node, err error) *gorgonia.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// mapInput adds a feature map to a graph as an input.
func mapInput(g *gorgonia.ExprGraph, name string, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, 3, gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

// vectorInput adds a summary or a cotangent of one to a graph as an input.
func vectorInput(g *gorgonia.ExprGraph, name string, length int) *gorgonia.Node {
	return gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(length), gorgonia.WithName(name))
}

// scalarInput adds a loss's cotangent or a key to a graph as an input.
func scalarInput(g *gorgonia.ExprGraph, name string) *gorgonia.Node {
	return gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName(name))
}

// pulledBack is the gradient by x, given the cotangent of y.
func pulledBack(t testing.TB, y, cotangent, x *gorgonia.Node) *gorgonia.Node {
	t.Helper()
	gradients, err := gorgonia.Backpropagate(gorgonia.Nodes{y}, gorgonia.Nodes{cotangent}, gorgonia.Nodes{x})
	if err != nil {
		t.Fatal(err)
	}
	return gradients[0]
}

func write(t testing.TB, m plan.Machine, input *gorgonia.Node, values []float32) {
	t.Helper()
	if err := m.Write(input, values); err != nil {
		t.Fatal(err)
	}
}

func write64(t testing.TB, m plan.Machine, input *gorgonia.Node, values ...float64) {
	t.Helper()
	if err := m.WriteFloat64(input, values); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, m plan.Machine) {
	t.Helper()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, m plan.Machine, output *gorgonia.Node) plan.Values {
	t.Helper()
	v, err := plan.ReadValues(m, output)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func noise(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 5))
	values := make([]float32, n)
	for i := range values {
		values[i] = r.Float32()
	}
	return values
}

func normal(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 6))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}
