package model

import "image"

// frontier has what tiles have added to the cotangent of a map at positions that later
// tiles see, too: beside the last tile, and below the tiles so far. Tiles come row by row
// and from left to right. Everywhere else the cotangent is complete and has taken the place
// of the map.
type frontier struct {
	section *section
	to      *featureMap // the map, and its cotangent
	beside  *featureMap // rows are those of the tiles; columns begin with the next tile's first
	below   *featureMap // columns are the map's; rows begin with the first of the next row of tiles
	zeros   []float32   // for tiles that add nothing
}

// newFrontier is that before the first tile.
func (s *section) newFrontier(to *featureMap) (*frontier, error) {
	beside, below := s.frontierSizes()
	f := &frontier{section: s, to: to}
	var err error
	if f.beside, err = newFeatureMap(s.channels, beside.Y, beside.X, singles); err != nil {
		return nil, err
	}
	if f.below, err = newFeatureMap(s.channels, below.Y, below.X, singles); err != nil {
		f.free()
		return nil, err
	}
	return f, nil
}

func (f *frontier) free() {
	f.beside.free()
	f.below.free()
}

// frontierSizes are the sizes of what is kept beside a tile and below the tiles, of one
// position at least.
func (s *section) frontierSizes() (beside, below image.Point) {
	beside, below = image.Pt(1, 1), image.Pt(s.width, 1)
	for k, t := range s.tiles {
		shared := s.shared(k)
		beside.X, beside.Y = max(beside.X, t.shown.Max.X-shared.Max.X), max(beside.Y, t.shown.Dy())
		below.Y = max(below.Y, t.shown.Max.Y-shared.Max.Y)
	}
	return beside, below
}

// frontierBytes is what a frontier takes.
func (s *section) frontierBytes() int64 {
	beside, below := s.frontierSizes()
	return singles.elementBytes() * int64(s.channels) * (int64(beside.X)*int64(beside.Y) + int64(below.X)*int64(below.Y))
}

// shared tells what a tile shares with others of what it shows: what is left of and above
// Min with earlier ones, what is right of and below Max with later ones.
func (s *section) shared(k int) image.Rectangle {
	shared, column := s.tiles[k].shown, k%s.columns
	if column > 0 {
		shared.Min.X = s.tiles[k-1].shown.Max.X
	}
	if column+1 < s.columns {
		shared.Max.X = s.tiles[k+1].shown.Min.X
	}
	if k >= s.columns {
		shared.Min.Y = s.tiles[k-s.columns].shown.Max.Y
	}
	if k+s.columns < len(s.tiles) {
		shared.Max.Y = s.tiles[k+s.columns].shown.Min.Y
	}
	return shared
}

// add adds what tile k has of the cotangent, in place of which it may write; nil stands for
// zeros.
func (f *frontier) add(tile []float32, k int) {
	s, t, shared := f.section, f.section.tiles[k].shown, f.section.shared(k)
	if tile == nil {
		if n := s.channels * area(t); len(f.zeros) < n {
			f.zeros = make([]float32, n)
		}
		tile = f.zeros
		clear(tile)
	}
	left, right := shared.Min.X-t.Min.X, shared.Max.X-t.Min.X
	for channel := range s.channels {
		for y := t.Min.Y; y < t.Max.Y; y++ {
			of := tile[(channel*t.Dy()+y-t.Min.Y)*t.Dx():][:t.Dx()]
			beside := f.beside.row(channel, y-t.Min.Y)
			addTo(of[:left], beside)
			if y < shared.Min.Y {
				addTo(of[left:], f.below.row(channel, y-t.Min.Y)[shared.Min.X:])
			}
			copy(beside, of[right:])
			if y < shared.Max.Y {
				f.to.set((channel*s.height+y)*s.width+t.Min.X, of[:right])
			} else {
				copy(f.below.row(channel, y-shared.Max.Y)[t.Min.X:], of[:right])
			}
		}
	}
}

// row is one of a float32 map.
func (m *featureMap) row(channel, y int) []float32 {
	return m.single[(channel*m.height+y)*m.width:][:m.width]
}

// addTo adds the first of x to y.
func addTo(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] += v
	}
}
