package ops_test

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

func TestShapesThatDoNotFitAreErrors(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(name string, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...))
	}
	x := node("x", 3, 8, 8)
	tests := map[string]func() (*gorgonia.Node, error){
		"filters for other channels": func() (*gorgonia.Node, error) {
			return ops.Convolve(x, node("f", 4, 2, 3, 3), node("b", 4), pure.Border{}, true)
		},
		"biases for other filters": func() (*gorgonia.Node, error) {
			return ops.Convolve(x, node("f2", 4, 3, 3, 3), node("b2", 5), pure.Border{}, true)
		},
		"a map too small to pool": func() (*gorgonia.Node, error) {
			return ops.ApplyPool(node("thin", 3, 1, 8), pure.MaxPool, 1)
		},
		"targets of another size": func() (*gorgonia.Node, error) {
			return ops.CompareMaps(pure.Difference{}, x, node("y", 3, 8, 9))
		},
		"targets of other channels": func() (*gorgonia.Node, error) {
			return ops.CompareSliced(pure.Sliced{Channels: 3}, x, node("four", 4, 8, 8), nil)
		},
		"clouds of other channels": func() (*gorgonia.Node, error) {
			return ops.CompareClouds(pure.MMD{Channels: 3}, ops.CloudOperands{X: x, Target: node("four more", 4, 8, 8)})
		},
		"weights of another size": func() (*gorgonia.Node, error) {
			return ops.SummariseWeighted(x, node("weights", 1, 8, 9), ops.WeightedMomentsForm{Total: 1})
		},
		"a selection of another size": func() (*gorgonia.Node, error) {
			return ops.Select(pure.Selection{Height: 8, Width: 9}, x, nil)
		},
		"more directions than channels": func() (*gorgonia.Node, error) {
			return ops.CompareSliced(pure.Sliced{Channels: 3, Directions: 4}, x, x, nil)
		},
		"weights for other losses": func() (*gorgonia.Node, error) { return ops.WeightedSum([]float64{1, 2}) },
	}
	for name, apply := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := apply(); err == nil {
				t.Error("no error")
			}
		})
	}
}
