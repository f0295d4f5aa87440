package model

import (
	"fmt"
	"image"
	"slices"
	"strings"

	"impasto/losses"
	"impasto/vgg19"
)

// section is a piece of the network, from one pooling to another, that is run on a map
// tile by tile.
type section struct {
	after string // the layer whose map it begins with, empty for the picture
	upTo  string // the layer whose map the next section begins with, empty for none
	// recipe has the parts of the loss at its layers; style and content are their places
	// in the whole recipe.
	recipe         recipe
	style, content []int

	channels, height, width int            // of the map that it begins with
	strides                 map[string]int // of its layers, in positions of that map
	step                    int            // the largest of them
	reach                   int            // how far its layers see, in positions of that map
	tiles                   []tile         // row by row
	columns                 int            // of them
}

// tile is a rectangle of the map that a section begins with.
type tile struct {
	inner image.Rectangle // what counts by way of this tile
	shown image.Rectangle // that with all that its features depend on
}

// cuts are where sections end. The first two blocks of the network are one section: the
// map between them is the largest that would have to be kept.
var cuts = []string{"pool2", "pool3", "pool4"}

// sections are those of the network for maps of a size, as deep as the recipe asks for.
// They have no tiles yet.
func (e extractor) sections(width, height int, r recipe, f frugality) ([]*section, error) {
	cuts := cuts
	if f >= fewMaps {
		cuts = cuts[1:]
	}
	known := vgg19.Layers()
	place := func(layer string) int { return slices.Index(known, layer) }
	deepest := 0
	for _, layer := range r.layers() {
		deepest = max(deepest, place(layer))
	}
	var all []*section
	s := &section{channels: 3, height: height, width: width}
	for _, cut := range append(slices.Clone(cuts), known[len(known)-1]) {
		if deepest > place(cut) {
			s.upTo = cut
		}
		s.take(r, func(layer string) bool {
			return (s.after == "" || place(layer) > place(s.after)) && place(layer) <= place(cut)
		})
		if err := s.measure(e.Options); err != nil {
			return nil, err
		}
		all = append(all, s)
		if s.upTo == "" {
			break
		}
		stride := s.strides[cut]
		s = &section{after: cut, channels: vgg19.Channels(cut), height: s.height / stride, width: s.width / stride}
	}
	return all, nil
}

// take gives the section the recipe's parts at its layers.
func (s *section) take(r recipe, mine func(layer string) bool) {
	s.recipe = recipe{contentForm: r.contentForm, points: r.points}
	for i, part := range r.style {
		if mine(part.layer) {
			s.recipe.style, s.style = append(s.recipe.style, part), append(s.style, i)
		}
	}
	for i, part := range r.content {
		if mine(part.layer) {
			s.recipe.content, s.content = append(s.recipe.content, part), append(s.content, i)
		}
	}
}

// places tells sections apart whose parts look at different positions.
func (s *section) places() string {
	var places strings.Builder
	add := func(layer string, where *grid) {
		if where != nil {
			fmt.Fprint(&places, layer, where.id, " ")
		}
	}
	for _, part := range s.recipe.style {
		add(part.layer, part.where)
	}
	for _, part := range s.recipe.content {
		add(part.layer, part.where)
	}
	return places.String()
}

// layers are those whose maps the section makes.
func (s *section) layers() []string {
	layers := s.recipe.layers()
	if s.upTo != "" && !slices.Contains(layers, s.upTo) {
		layers = append(layers, s.upTo)
	}
	return layers
}

// measure works out how far the section's layers see.
func (s *section) measure(o vgg19.Options) error {
	s.strides, s.step, s.reach = map[string]int{}, 1, 0
	for _, layer := range s.layers() {
		stride, reach, err := vgg19.Reach(s.after, layer, o)
		if err != nil {
			return err
		}
		s.strides[layer] = stride
		s.step, s.reach = max(s.step, stride), max(s.reach, reach)
	}
	return nil
}

// grid is what tiles and what they show begin at multiples of: of the stride of every
// layer, so that a position belongs to one tile, and of the picture, of the six positions
// in a row that the processor computes at a time, so that rounding is the same as in the
// whole map, but for some positions along the edges. Tiles of later maps are too small for
// that to make a difference.
func (s *section) grid() int {
	if s.after == "" {
		return 6 * max(1, s.step/2)
	}
	return max(2, s.step)
}

// cut cuts the map into about equal tiles.
func (s *section) cut(columns, rows int) {
	grid, whole := s.grid(), image.Rect(0, 0, s.width, s.height)
	before := (s.reach + grid - 1) / grid * grid
	after := (s.reach + 1) / 2 * 2 // maps of even sides are pooled faster
	xs, ys := edges(s.width, columns, grid), edges(s.height, rows, grid)
	s.columns = len(xs) - 1
	s.tiles = make([]tile, 0, s.columns*(len(ys)-1)) // many, where a picture is huge
	for j := range len(ys) - 1 {
		for i := range len(xs) - 1 {
			inner := image.Rect(xs[i], ys[j], xs[i+1], ys[j+1])
			shown := image.Rect(inner.Min.X-before, inner.Min.Y-before, inner.Max.X+after, inner.Max.Y+after)
			s.tiles = append(s.tiles, tile{inner: inner, shown: shown.Intersect(whole)})
		}
	}
}

// cutTo cuts the map into tiles of about that side, or smaller ones.
func (s *section) cutTo(side int) {
	s.cut((s.width+side-1)/side, (s.height+side-1)/side)
}

// edges cut a side into about equal pieces, at multiples of step: as many as are asked for,
// or fewer where there would be such as have less than a step.
func edges(size, count, step int) []int {
	at := []int{0}
	for i := 1; i < count; i++ {
		if next := size * i / count / step * step; next > at[len(at)-1] && size-next >= step {
			at = append(at, next)
		}
	}
	return append(at, size)
}

// largest is the tile that shows the most.
func (s *section) largest() tile {
	return slices.MaxFunc(s.tiles, func(a, b tile) int { return area(a.shown) - area(b.shown) })
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }

// inLayer is a rectangle of the section's map as one of a layer's.
func (s *section) inLayer(r image.Rectangle, layer string) image.Rectangle {
	stride := s.strides[layer]
	return image.Rect(r.Min.X/stride, r.Min.Y/stride, r.Max.X/stride, r.Max.Y/stride)
}

// positions are those of a layer that count by way of a tile.
func (s *section) positions(t tile, layer string) losses.Positions {
	stride := s.strides[layer]
	return losses.Positions{
		Height: s.height / stride, Width: s.width / stride,
		Part: s.inLayer(t.shown, layer), Inner: s.inLayer(t.inner, layer),
	}
}
