package flow

import "math"

// level is a pair of pictures at one size.
type level struct{ first, second Plane }

// halved is a plane of half of the size, each value the mean of four.
func (p Plane) halved() Plane {
	to := NewPlane(max(p.Width/2, 1), max(p.Height/2, 1))
	for y := range to.Height {
		upper, lower := p.row(min(2*y, p.Height-1)), p.row(min(2*y+1, p.Height-1))
		row := to.row(y)
		for x := range row {
			left, right := min(2*x, p.Width-1), min(2*x+1, p.Width-1)
			row[x] = (upper[left] + upper[right] + lower[left] + lower[right]) / 4
		}
	}
	return to
}

// levels are the pictures from those given on, down to where patches are a fair part of
// them: to the level at which the longer side has some four patches, and the shorter one at
// least one.
func levels(first, second Plane) []level {
	long, short := float64(max(first.Width, first.Height)), float64(min(first.Width, first.Height))
	coarsest := int(min(math.Log2(long/(4*patchSide))+0.5, math.Log2(short/patchSide)))
	all := []level{{first, second}}
	for range max(coarsest, 0) {
		first, second = first.halved(), second.halved()
		all = append(all, level{first, second})
	}
	return all
}

// border is by how much a padded plane is larger at each side.
const border = 2 * patchSide

// pad repeats the border of a plane.
func pad(p Plane) Plane {
	to := NewPlane(p.Width+2*border, p.Height+2*border)
	for y := range to.Height {
		from, row := p.row(min(max(y-border, 0), p.Height-1)), to.row(y)
		copy(row[border:], from)
		for x := range border {
			row[x], row[border+p.Width+x] = from[0], from[p.Width-1]
		}
	}
	return to
}

// centralX is the derivative along rows by central differences of fourth order, where
// borders are repeated.
func centralX(p Plane) Plane {
	to := NewPlane(p.Width, p.Height)
	for y := range p.Height {
		from, row := p.row(y), to.row(y)
		last := len(from) - 1
		for x := range row {
			far, near := from[min(x+2, last)]-from[max(x-2, 0)], from[min(x+1, last)]-from[max(x-1, 0)]
			row[x] = (8*near - far) / 12
		}
	}
	return to
}

// centralY is the derivative down columns likewise.
func centralY(p Plane) Plane {
	to, last := NewPlane(p.Width, p.Height), p.Height-1
	for y := range p.Height {
		row := to.row(y)
		up2, up, down, down2 := p.row(max(y-2, 0)), p.row(max(y-1, 0)), p.row(min(y+1, last)), p.row(min(y+2, last))
		for x := range row {
			row[x] = (8*(down[x]-up[x]) - (down2[x] - up2[x])) / 12
		}
	}
	return to
}
