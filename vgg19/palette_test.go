package vgg19

import (
	"testing"

	"gorgonia.org/gorgonia"
)

func TestPalettesStandForFilters(t *testing.T) {
	p := &Parameters{}
	for i, c := range Convolutions {
		p.Filters[i], p.Biases[i] = make([]float32, c.Out*c.In*9), make([]float32, c.Out)
	}
	palette := &Palette{Indices: make([]byte, len(p.Filters[1]))}
	for i := range palette.Values {
		palette.Values[i] = float32(i) - 100
	}
	for i := range palette.Indices {
		palette.Indices[i] = byte(7 * i)
	}
	p.Palettes[1] = palette
	if err := p.Check(); err == nil {
		t.Error("a convolution may have both filters and a palette")
	}
	p.Filters[1] = nil
	if err := p.Check(); err != nil {
		t.Error(err)
	}
	filters := palette.Filters()
	for i, v := range filters {
		if v != float32(byte(7*i))-100 {
			t.Fatalf("value %d is %v", i, v)
		}
	}
	through, err := p.Through("relu1_2")
	if err != nil || through.Palettes[1] != palette || through.Filters[2] != nil {
		t.Errorf("through relu1_2 there is %v, %v", through.Palettes[1], err)
	}
	x := gorgonia.NewTensor(gorgonia.NewGraph(), gorgonia.Float32, 3, gorgonia.WithShape(3, 16, 16), gorgonia.WithName("x"))
	if _, err := Build(x, p, Options{}, "relu1_2"); err != nil {
		t.Fatal(err)
	}
	for _, node := range x.Graph().AllNodes() {
		if node.Name() != "conv1_2.filters" {
			continue
		}
		values, ok := node.Value().Data().([]float32)
		if !ok || len(values) != len(filters) || values[5] != filters[5] || !node.Value().Shape().Eq(node.Shape()) {
			t.Errorf("the graph has a %T of shape %v for filters", node.Value().Data(), node.Value().Shape())
		}
	}
	palette.Indices = palette.Indices[1:]
	if err := p.Check(); err == nil {
		t.Error("a palette may have an index less")
	}
}
