package ops_test

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// leaf makes a constant of the graph of x.
func leaf(x *gorgonia.Node, name string, values []float64, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(x.Graph(), tensor.Float64, len(shape), gorgonia.WithName(name),
		gorgonia.WithShape(shape...), gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))))
}

// pass runs a pass between points in two dimensions.
func pass(t *testing.T, x, y []float64) []float64 {
	t.Helper()
	g := gorgonia.NewGraph()
	node := gorgonia.NewTensor(g, tensor.Float64, 3, gorgonia.WithName("x"), gorgonia.WithShape(2, 1, len(x)/2),
		gorgonia.WithValue(tensor.New(tensor.WithShape(2, 1, len(x)/2), tensor.WithBacking(x))))
	potential, err := ops.ApplySoftmin(pure.Sinkhorn{Channels: 2, Epsilon: 0.1},
		ops.CloudOperands{X: node, Target: leaf(node, "y", y, 2, 1, len(y)/2), Centre: leaf(node, "centre", []float64{1, 2}, 2)})
	if err != nil {
		t.Fatal(err)
	}
	machine := gorgonia.NewTapeMachine(g)
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	return potential.Value().Data().([]float64)
}

func TestAPassIsTheSoftminOfTheCosts(t *testing.T) {
	// The two points of y are 5 apart; of the four pairs that y has with itself two are
	// 25 from each other, squared, so ε is 0.1·12.5.
	const epsilon = 1.25
	got := pass(t, []float64{0, 3, 0, 0}, []float64{0, 3, 0, 4})
	for i, costs := range [][2]float64{{0, 25}, {9, 16}} {
		want := -epsilon * math.Log((math.Exp(-costs[0]/epsilon)+math.Exp(-costs[1]/epsilon))/2)
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("potential %d is %g, want %g", i, got[i], want)
		}
	}
}

func TestAPassToEqualPointsIsTheCost(t *testing.T) {
	if got := pass(t, []float64{0, 3, 0, 4}, []float64{0, 0, 0, 0}); got[0] != 0 || got[1] != 25 {
		t.Errorf("potentials %v, want 0 and 25", got)
	}
}
