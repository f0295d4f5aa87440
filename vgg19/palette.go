package vgg19

// Palette is the filters of a convolution that have at most 256 different values, in a
// quarter of the memory that these take.
type Palette struct {
	Values [256]float32
	// Indices are the places of the filters' values in Values: Out×In×3×3, row-major.
	Indices []byte
}

// Filters returns the values, in memory of their own.
func (p *Palette) Filters() []float32 {
	filters := make([]float32, len(p.Indices))
	for i, index := range p.Indices {
		filters[i] = p.Values[index]
	}
	return filters
}
