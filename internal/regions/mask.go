package regions

import (
	"context"
	"image"
	"slices"

	"impasto/internal/picture"
)

// Mask has a number from 0 to 1 for each pixel of a picture, row by row: how much it belongs
// to a region.
type Mask struct {
	Width, Height int
	Values        []float32
}

// NewMask is one of zeros.
func NewMask(width, height int) Mask {
	return Mask{width, height, make([]float32, width*height)}
}

// Full is one of ones.
func Full(width, height int) Mask {
	m := NewMask(width, height)
	for i := range m.Values {
		m.Values[i] = 1
	}
	return m
}

// snap is how near to black and white a mask's values are taken for it: JPEG leaves noise
// of some levels of 255 in flat areas, and programs that paint masks may miss white by one.
const snap = 4. / 255

// Resized are the masks of a size that a picture comes to: white is 1, black is 0, and other
// colours are the mean of their channels. Where the picture is transparent in part, how
// opaque it is counts, and its colours don't: so it may be white or black on nothing, or what
// was cut out of another picture.
func Resized(ctx context.Context, img image.Image, sizes ...image.Point) ([]Mask, error) {
	resized, err := picture.Resized(ctx, img, picture.ResizeOptions{Filter: picture.Bilinear}, sizes...)
	if err != nil {
		return nil, err
	}
	var masks []Mask
	for _, p := range resized {
		masks = append(masks, maskOf(p))
	}
	return masks, nil
}

func maskOf(p *picture.Picture) Mask {
	m := NewMask(p.Width, p.Height)
	red, green, blue := p.Planes()
	for i := range m.Values {
		v := (red[i] + green[i] + blue[i]) / 3
		if p.Alpha != nil {
			v = p.Alpha[i]
		}
		switch {
		case v <= snap:
			v = 0
		case !(v < 1-snap):
			v = 1
		}
		m.Values[i] = v
	}
	return m
}

// Sum is what all values add up to.
func (m Mask) Sum() float64 {
	var sum float64
	for _, v := range m.Values {
		sum += float64(v)
	}
	return sum
}

// All tells whether every value is the one given.
func (m Mask) All(value float32) bool {
	return !slices.ContainsFunc(m.Values, func(v float32) bool { return v != value })
}

// Share divides a picture among regions, of which each has a mask of the same size and a
// weight above 0. Where masks overlap, each region has its share by mask times weight, and
// where they come to less than 1 in all, the rest is nobody's.
func Share(masks []Mask, weights []float64) (shares []Mask, rest Mask) {
	width, height := masks[0].Width, masks[0].Height
	rest = NewMask(width, height)
	for range masks {
		shares = append(shares, NewMask(width, height))
	}
	for i := range rest.Values {
		var covered, sum float64
		for r, m := range masks {
			covered += float64(m.Values[i])
			sum += weights[r] * float64(m.Values[i])
		}
		if covered = min(covered, 1); covered > 1-snap {
			covered = 1 // masks that complement each other may miss it by their rounding
		}
		if sum > 0 {
			for r, m := range masks {
				shares[r].Values[i] = float32(covered * (weights[r] * float64(m.Values[i]) / sum))
			}
		}
		rest.Values[i] = float32(1 - covered)
	}
	return shares, rest
}

// Less takes away from a mask, in place, what another of the size has: m·(1 − other).
func (m Mask) Less(other Mask) {
	for i, v := range other.Values {
		m.Values[i] *= 1 - v
	}
}

// Subtract takes another mask of the size away from one, in place, down to 0. What is next to
// nothing is nothing.
func (m Mask) Subtract(other Mask) {
	for i, v := range other.Values {
		if m.Values[i] -= v; m.Values[i] < snap {
			m.Values[i] = 0
		}
	}
}

// Union is 1 − (1 − a)·(1 − b) of masks of a size.
func Union(a, b Mask) Mask {
	u := NewMask(a.Width, a.Height)
	for i, v := range a.Values {
		u.Values[i] = 1 - (1-v)*(1-b.Values[i])
	}
	return u
}
