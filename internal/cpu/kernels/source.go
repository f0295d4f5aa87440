package kernels

import "impasto/internal/pure"

// Border says what surrounds the input of a convolution: the pixels at the edge
// repeated, a colour with one value per channel, or zeros (the zero value).
type Border = pure.Border

// source is the input of a convolution as the convolution sees it: surrounded by a
// border and, where it has a mask, zero wherever the mask isn't positive. With a mask,
// x is of float32 and the border is zeros. Where only the mask's signs are kept, in
// pixels of 16 channels, signs are those.
//
// With choices it is the rectified gradient of a maximum pooling: x is the gradient of
// the pooling's result, of half the height and width, and choices are those of the
// pooling, in pixels of 16 channels.
type source struct {
	x, mask       Map
	signs         []uint16
	choices       []uint8
	height, width int
	border        Border
}

// copy writes rows × columns values of a channel, row by row, from position
// (top, left), which may lie outside.
func (s source) copy(set *isa, to []float32, channel, top, left, rows, columns int) {
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
			s.masked(set, line[before:after], from)
		}
		first, last := outside, outside
		if s.border.Replicate {
			first, last = s.x.at(start), s.x.at(start+s.width-1)
		}
		fill(line[:before], first)
		fill(line[after:], last)
	}
}

// inside returns which of so many columns from left on are inside: those from
// before up to after.
func (s source) inside(left, columns int) (before, after int) {
	before = min(max(0, -left), columns)
	return before, min(max(before, s.width-left), columns)
}

// masked writes the values from index from on.
func (s source) masked(set *isa, to []float32, from int) {
	switch {
	case s.mask.none():
		s.x.read(&set.half, to, from)
	case s.mask.Half != nil:
		set.half.mask(to, s.x.Single[from:], s.mask.Half[from:])
	default:
		set.vector.mask(to, s.x.Single[from:from+len(to)], s.mask.Single[from:from+len(to)])
	}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// rows writes columns pixels of 16 channels of each of some rows, from position
// (top, left) on, which may lie outside. The first of row i is written at
// rooms[i*segmentRow+segmentLead]. pooled has room for segmentRow values.
func (s source) rows(set *isa, rooms, pooled []float32, channel, top, left, rows, columns int) {
	if s.choices != nil {
		s.windows(set, rooms, pooled, channel, top, left, rows, columns)
		return
	}
	for i := range rows {
		s.pixels(set, rooms[i*segmentRow:], channel, top+i, left, columns)
	}
}

// windows is rows for the gradient of a maximum pooling. What lies in no window is
// zero, as the border is. A row of the pooling's gradient is gathered once for both
// rows of its windows.
func (s source) windows(set *isa, rooms, pooled []float32, channel, top, left, rows, columns int) {
	down, across := s.height/2, s.width/2
	before := min(max(0, -left), columns)
	after := min(max(before, 2*across-left), columns)
	odd := (left + before) % 2 // the first pixel is the right one of its window
	first, n := (left+before)/2, (after-before+odd+1)/2
	gathered := -1
	for i := range rows {
		row, to := top+i, rooms[i*segmentRow+segmentLead:][:columns*channelBlock]
		if row < 0 || row >= 2*down || after == before {
			clear(to)
			continue
		}
		at := row/2*across + first
		if row/2 != gathered {
			gathered = row / 2
			set.winograd.gather(pooled, s.x.Single[channel*down*across+at:], nil, down*across, n, across)
		}
		choices := s.choices[(channel/channelBlock*down*across+at)*channelBlock:]
		set.winograd.expandPixels(rooms[i*segmentRow+segmentLead+(before-odd)*channelBlock:], pooled, choices, n, row%2)
		clear(to[:before*channelBlock])
		clear(to[after*channelBlock:])
	}
}

// pixels writes columns pixels of 16 channels of a row, from position (row, left) on,
// which may lie outside. The first is written at room[segmentLead].
func (s source) pixels(set *isa, room []float32, channel, row, left, columns int) {
	to := room[segmentLead:]
	if s.border.Replicate {
		row = min(max(row, 0), s.height-1)
	} else if row < 0 || row >= s.height {
		for i := range columns {
			s.outside(to[i*channelBlock:], channel)
		}
		return
	}
	before, after := s.inside(left, columns)
	area := s.height * s.width
	start := channel*area + row*s.width + left + before
	if after > before {
		s.gather(set, to[before*channelBlock:], start, after-before)
		if s.signs != nil {
			signs := s.signs[channel/channelBlock*area+row*s.width+left+before:]
			set.winograd.maskPixels(to[before*channelBlock:], signs, after-before)
		}
	}
	for i := range columns {
		switch {
		case i >= before && i < after:
		case s.border.Replicate:
			edge := min(max(left+i, 0), s.width-1)
			for c := range channelBlock {
				to[i*channelBlock+c] = s.x.at((channel+c)*area + row*s.width + edge)
			}
		default:
			s.outside(to[i*channelBlock:], channel)
		}
	}
}

// gather writes n pixels of 16 channels from index at on.
func (s source) gather(set *isa, to []float32, at, n int) {
	area := s.height * s.width
	switch {
	case s.x.Half != nil:
		set.half.gather(to, s.x.Half[at:], area, n, s.width)
	case s.mask.Half != nil:
		set.half.gatherMasked(to, s.x.Single[at:], s.mask.Half[at:], area, n, s.width)
	case s.mask.Single != nil:
		set.winograd.gather(to, s.x.Single[at:], s.mask.Single[at:], area, n, s.width)
	default:
		set.winograd.gather(to, s.x.Single[at:], nil, area, n, s.width)
	}
}

// outside writes a pixel of the border.
func (s source) outside(to []float32, channel int) {
	if s.border.Colour == nil {
		clear(to[:channelBlock])
	} else {
		copy(to[:channelBlock], s.border.Colour[channel:])
	}
}
