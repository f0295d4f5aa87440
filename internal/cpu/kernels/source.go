package kernels

import "impasto/internal/pure"

// Border says what surrounds the input of a convolution: the pixels at the edge
// repeated, a colour with one value per channel, or zeros (the zero value).
type Border = pure.Border

// source is the input of a convolution as the convolution sees it: surrounded
// by a border, and zero wherever gate, unless there is none, isn't positive. With a
// gate, x is of float32 and the border is zeros.
//
// With pooled, it is the gradient of a maximum pooling, x being the gradient of the
// pooling's result, of half the height and width, and gate what is pooled.
type source struct {
	x, gate       Map
	pooled        bool
	height, width int
	border        Border
}

// copy writes rows × columns values of a channel, row by row, from position
// (top, left), which may lie outside.
func (s source) copy(p *path, to []float32, channel, top, left, rows, columns int) {
	outside := float32(0)
	if s.border.Colour != nil {
		outside = s.border.Colour[channel]
	}
	before, after := s.inside(left, columns)
	for r := range rows {
		line := to[r*columns : (r+1)*columns]
		row := top + r
		if s.border.Replicate {
			row = min(max(row, 0), s.height-1)
		} else if row < 0 || row >= s.height {
			fill(line, outside)
			continue
		}
		start := (channel*s.height + row) * s.width
		if from := start + max(left, 0); after > before {
			s.gated(p, line[before:after], from)
		}
		first, last := outside, outside
		if s.border.Replicate {
			first, last = s.x.at(start), s.x.at(start+s.width-1)
		}
		fill(line[:before], first)
		fill(line[after:], last)
	}
}

// inside returns which of columns columns from left on are inside: those from
// before up to after.
func (s source) inside(left, columns int) (before, after int) {
	before = min(max(0, -left), columns)
	return before, min(max(before, s.width-left), columns)
}

// gated writes the values from index from on.
func (s source) gated(p *path, to []float32, from int) {
	switch {
	case s.gate.none():
		s.x.read(&p.half, to, from)
	case s.gate.Half != nil:
		p.half.gate(to, s.x.Single[from:], s.gate.Half[from:])
	default:
		p.vector.gate(to, s.x.Single[from:from+len(to)], s.gate.Single[from:from+len(to)])
	}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
