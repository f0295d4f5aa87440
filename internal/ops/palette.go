package ops

import (
	"fmt"
	"slices"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Palette is the value of a constant of float32 that has at most 256 different elements:
// those, and for each element its place among them. Machines that don't know of palettes
// take it for a tensor.
type Palette struct {
	Values  *[256]float32
	Indices []byte
	shape   tensor.Shape
}

var (
	_ gorgonia.Value = (*Palette)(nil)
	_ gorgonia.Typer = (*Palette)(nil)
)

// NewPalette returns a value with as many indices as the shape has elements.
func NewPalette(values *[256]float32, indices []byte, shape ...int) *Palette {
	return &Palette{Values: values, Indices: indices, shape: slices.Clone(shape)}
}

// Shape implements gorgonia.Value.
func (p *Palette) Shape() tensor.Shape { return p.shape }

// Size implements gorgonia.Value.
func (p *Palette) Size() int { return len(p.Indices) }

// Data returns the elements as a []float32, made anew by each call.
func (p *Palette) Data() any {
	elements := make([]float32, len(p.Indices))
	for i, index := range p.Indices {
		elements[i] = p.Values[index]
	}
	return elements
}

// Dtype implements gorgonia.Value.
func (p *Palette) Dtype() tensor.Dtype { return tensor.Float32 }

// Type implements gorgonia.Typer: that of a tensor.
func (p *Palette) Type() hm.Type {
	return gorgonia.TypeOf(tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(slices.Repeat([]int{1}, p.shape.Dims())...)))
}

// Uintptr implements gorgonia.Value: there is no memory with the elements.
func (p *Palette) Uintptr() uintptr { return 0 }

// MemSize implements gorgonia.Value.
func (p *Palette) MemSize() uintptr { return uintptr(len(p.Indices) + 4*len(p.Values)) }

// Format implements fmt.Formatter.
func (p *Palette) Format(state fmt.State, _ rune) { fmt.Fprintf(state, "palette of shape %v", p.shape) }
