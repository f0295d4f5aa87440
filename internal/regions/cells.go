package regions

import "slices"

// Cells are the means of a mask over the cells of a map: a mask of columns×rows, whose
// values are of stride×stride pixels each of a picture of width×height. What is left over at
// its right and bottom is in no cell. The mask itself may have any size. Where all of it is
// 0 or 1 in a cell, so is the cell, exactly.
func (m Mask) Cells(width, height, stride, columns, rows int) Mask {
	across, down := spans(m.Width, width, stride, columns), spans(m.Height, height, stride, rows)
	c := NewMask(columns, rows)
	line, sum := make([]float64, m.Width), make([]float64, columns)
	for y, span := range down {
		clear(line)
		for i := span.first; i < span.end; i++ {
			share := span.share(i)
			for x, v := range m.Values[i*m.Width:][:m.Width] {
				line[x] += share * float64(v)
			}
		}
		for x, of := range across {
			sum[x] = 0
			for i := of.first; i < of.end; i++ {
				sum[x] += of.share(i) * line[i]
			}
			mean := sum[x] / (of.total() * span.total())
			c.Values[y*columns+x] = float32(min(max(mean, 0), 1))
		}
	}
	return c
}

// span is a piece of a line of pixels: the pixels from first up to end, of which it has the
// first and the last in part.
type span struct {
	first, end int
	from, to   float64 // where it begins and ends
}

// spans are those of cells of a line, in a mask of so many pixels instead of size.
func spans(pixels, size, stride, cells int) []span {
	all := make([]span, cells)
	scale := float64(pixels) / float64(size)
	for i := range all {
		from, to := scale*float64(i*stride), scale*float64((i+1)*stride)
		first := min(int(from), pixels-1)
		end := first + 1
		for float64(end) < to-1e-9 && end < pixels {
			end++
		}
		all[i] = span{first, end, from, to}
	}
	return all
}

// share is how much of a pixel it has.
func (s span) share(pixel int) float64 {
	return max(min(s.to, float64(pixel+1))-max(s.from, float64(pixel)), 0)
}

// total is how many pixels it has.
func (s span) total() float64 {
	var sum float64
	for i := s.first; i < s.end; i++ {
		sum += s.share(i)
	}
	return sum
}

// Eroded gives every value the least of those that are at most radius away from it, across
// or down, or both. Beyond the edges there is nothing that would count.
func (m Mask) Eroded(radius int) Mask {
	if radius <= 0 {
		return m
	}
	across, e := NewMask(m.Width, m.Height), NewMask(m.Width, m.Height)
	for y := range m.Height {
		for x := range m.Width {
			least := m.Values[y*m.Width+x]
			for i := max(0, x-radius); i <= min(m.Width-1, x+radius); i++ {
				least = min(least, m.Values[y*m.Width+i])
			}
			across.Values[y*m.Width+x] = least
		}
	}
	for y := range m.Height {
		to := e.Values[y*m.Width:][:m.Width]
		copy(to, across.Values[y*m.Width:])
		for i := max(0, y-radius); i <= min(m.Height-1, y+radius); i++ {
			for x, v := range across.Values[i*m.Width:][:m.Width] {
				to[x] = min(to[x], v)
			}
		}
	}
	return e
}

// leastLeft is the share of a mask that an erosion leaves at least.
const leastLeft = 0.25

// Inside erodes a mask of cells by radius, or by less where that would leave less than a
// quarter of it or, in all, less than one cell.
func (m Mask) Inside(radius int) Mask {
	sum := m.Sum()
	for ; radius > 0; radius-- {
		if e := m.Eroded(radius); e.Sum() >= max(1, leastLeft*sum) {
			return e
		}
	}
	return m
}

// Foremost is 1 where one of the masks, which have a size, is above 0 and as large as any
// other, and else 0.
func Foremost(of int, masks []Mask) Mask {
	h := NewMask(masks[of].Width, masks[of].Height)
	for i, v := range masks[of].Values {
		if v <= 0 {
			continue
		}
		h.Values[i] = 1
		for _, other := range masks {
			// Shares of equal masks may differ by their rounding.
			if other.Values[i] > v+1e-6 {
				h.Values[i] = 0
			}
		}
	}
	return h
}

// Positions are where a mask isn't 0, in order.
func (m Mask) Positions() []int32 {
	positions := []int32{}
	for i, v := range m.Values {
		if v != 0 {
			positions = append(positions, int32(i))
		}
	}
	return positions
}

// Hard is 1 where the mask is a half at least, and else 0.
func (m Mask) Hard() Mask { return m.atLeast(0.5) }

// Largest is 1 where the mask is as large as anywhere, and else 0.
func (m Mask) Largest() Mask { return m.atLeast(slices.Max(m.Values)) }

func (m Mask) atLeast(least float32) Mask {
	h := NewMask(m.Width, m.Height)
	for i, v := range m.Values {
		if v >= least {
			h.Values[i] = 1
		}
	}
	return h
}
