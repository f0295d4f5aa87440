package losses

import (
	"fmt"
	"image"
	"slices"

	"gorgonia.org/gorgonia"

	"impasto/internal/pure"
)

// Positions says which positions of a layer's map count. The zero value is all of
// a whole map.
type Positions struct {
	// Height and Width are the whole map's. They may be left out where there is
	// neither mask nor part.
	Height, Width int
	// Mask are the positions that count, row·Width + column in ascending order; nil
	// stands for all.
	Mask []int32
	// Part is what the features show of the whole map, and Inner those of its
	// positions that count by way of this part rather than another: the Inner of all
	// parts together cover the map once. Where Part is empty, both are the whole map.
	Part, Inner image.Rectangle
	// Weights, unless nil, are what each position that the features show counts for: a
	// map of one channel and of the features' size and type, of numbers from 0. TotalWeight
	// is what those of all positions that count add up to, in the whole map.
	Weights     *gorgonia.Node
	TotalWeight float64
}

// whole is the whole map.
func (p Positions) whole() image.Rectangle { return image.Rect(0, 0, p.Width, p.Height) }

// Count is how many positions of the whole map count, 0 where it isn't known
// because Height and Width were left out.
func (p Positions) Count() int {
	if p.Mask != nil {
		return len(p.Mask)
	}
	return p.Height * p.Width
}

// of returns the positions of a feature map in their plainest form: with the size
// of the whole map, and without a mask and a part that leave nothing out.
func (p Positions) of(features *gorgonia.Node) (Positions, error) {
	shape := features.Shape()
	if shape.Dims() != 3 {
		return p, fmt.Errorf("losses: features of shape %v, want channels, height and width", shape)
	}
	if p.Height == 0 && p.Width == 0 && p.Mask == nil && p.Part.Empty() {
		p.Height, p.Width = shape[1], shape[2]
	}
	if err := p.check(shape[1], shape[2]); err != nil {
		return p, err
	}
	if p.Part.Empty() || p.Part == p.whole() && p.Inner == p.Part {
		p.Part, p.Inner = image.Rectangle{}, image.Rectangle{}
	}
	if len(p.Mask) == p.Height*p.Width {
		p.Mask = nil
	}
	return p, nil
}

// check reports positions that a map of this size doesn't have.
func (p Positions) check(height, width int) error {
	shown := p.whole()
	if !p.Part.Empty() {
		shown = p.Part
	}
	switch {
	case shown.Dy() != height || shown.Dx() != width:
		return fmt.Errorf("losses: features of %d×%d positions, want %d×%d", height, width, shown.Dy(), shown.Dx())
	case !shown.In(p.whole()):
		return fmt.Errorf("losses: part %v of a map of %d×%d positions", p.Part, p.Height, p.Width)
	case !p.Inner.In(shown):
		return fmt.Errorf("losses: positions %v count in a part that shows %v", p.Inner, shown)
	case p.Mask != nil && len(p.Mask) == 0:
		return fmt.Errorf("losses: a mask without positions")
	case p.Weights != nil && !(p.TotalWeight > 0):
		return fmt.Errorf("losses: weights that add up to %v, want more than 0", p.TotalWeight)
	}
	last := int32(-1)
	for _, position := range p.Mask {
		if position <= last || int(position) >= p.Height*p.Width {
			return fmt.Errorf("losses: mask has position %d after %d, want ascending ones below %d", position, last, p.Height*p.Width)
		}
		last = position
	}
	return nil
}

// points selects most of the positions, 0 for all, so that the selections of all
// parts add up to that of the whole.
func (p Positions) points(most int) pure.Selection {
	return pure.Selection{Height: p.Height, Width: p.Width, Mask: p.Mask, Most: most, Part: p.Part, Inner: p.Inner}
}

// here selects those positions that count by way of this part, and nothing else.
func (p Positions) here() pure.Selection {
	if p.Part.Empty() {
		return p.points(0)
	}
	s := pure.Selection{Height: p.Part.Dy(), Width: p.Part.Dx()}
	switch {
	case p.Mask == nil && p.Inner == p.Part:
		return s
	case p.Mask == nil && !p.Inner.Empty():
		s.Crop = p.Inner.Sub(p.Part.Min)
		return s
	}
	s.Mask = []int32{}
	for y := p.Inner.Min.Y; y < p.Inner.Max.Y; y++ {
		for x := p.Inner.Min.X; x < p.Inner.Max.X; x++ {
			if p.counts(int32(y*p.Width + x)) {
				s.Mask = append(s.Mask, int32((y-p.Part.Min.Y)*s.Width+x-p.Part.Min.X))
			}
		}
	}
	return s
}

// counts tells whether the mask has a position.
func (p Positions) counts(position int32) bool {
	if p.Mask == nil {
		return true
	}
	_, found := slices.BinarySearch(p.Mask, position)
	return found
}
