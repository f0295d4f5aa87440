package model

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/internal/quote"
	"impasto/internal/regions"
	"impasto/losses"
	"impasto/vgg19"
)

// Where styles have regions, the loss has each style term once for each region: between the
// features of the region and those of its styles (Gatys, Ecker, Bethge, Hertzmann and
// Shechtman 2017, "Controlling Perceptual Factors in Neural Style Transfer", section 4). A
// region's terms count by its share of what is painted. So every pixel is pulled as strongly
// as it is without regions, whatever the size of its own, and one region that covers all is
// the same as none.

// guidance is which part of the output takes which styles, of which parts of these, and what
// stays as it is.
type guidance struct {
	layers map[string]sight // of the recipe
	soft   bool             // positions may count by weights
	// shares are those of the regions of the recipe, at every pixel of the output; they and
	// kept, what stays the content's, come to 1. They are guideSide pixels long at most.
	shares  []regions.Mask
	kept    regions.Mask
	sizes   []float64                 // the shares' sums, which sum to 1
	names   []string                  // of the regions, for people
	styles  []*regions.Mask           // which part of each style picture counts; nil for all of it
	made    int                       // grids
	remarks []string                  // on masks
	short   []string                  // what layers leave out, for a remark
	grids   map[gridOf]*grid          // as far as they were asked for
	cells   map[gridOf][]regions.Mask // of the output: of its shares, and what is kept
}

// sight is how many pixels apart a layer's positions are, and how far they see beyond their
// own.
type sight struct{ stride, reach int }

// sights are those of layers.
func sights(layers []string, o vgg19.Options) (map[string]sight, error) {
	all := map[string]sight{}
	for _, layer := range layers {
		stride, reach, err := vgg19.Reach("", layer, o)
		if err != nil {
			return nil, err
		}
		all[layer] = sight{stride, reach}
	}
	return all, nil
}

// guideSide is the longer side that regions have at most: positions of layers are coarser.
const guideSide = 1024

// erodedShare is how much of what a layer sees beyond a position has to lie in the region
// for the position to count. What is farther away counts for little.
const erodedShare = 0.5

// allButWhite is how much of a pixel may be kept for it to move in the descent.
const allButWhite = 1 - 1./512

// grid is which positions of a layer's map count, and for how much. A nil one is all of them.
type grid struct {
	id            int
	name          string
	height, width int
	mask          []int32   // where positions are chosen, in order
	weights       []float32 // or where they count by weights
	total         float64   // of weights
	before        float64   // it was eroded
}

// gridOf tells what a grid is of: a region of the output, or of a style picture where style
// isn't negative; of a map of a layer of a picture of a size.
type gridOf struct {
	style, region int
	layer         string
	width, height int
	soft          bool
}

// newGuidance makes masks of pictures. It is nil where there are no regions and nothing is
// protected. The output has the size given, soft tells whether positions may count by weights.
func newGuidance(ctx context.Context, r recipe, size image.Point, styles []Style, o Options, soft bool) (*guidance, error) {
	if o.Protect == nil && len(o.Regions) == 0 {
		return nil, nil
	}
	layers, err := sights(r.layers(), o.network())
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	g := &guidance{layers: layers, soft: soft, styles: make([]*regions.Mask, len(styles))}
	g.forget()
	width, height := fit(size.X, size.Y, guideSide, false)
	var masks []regions.Mask
	var weights []float64
	for i, of := range o.Regions {
		mask, err := g.mask(ctx, fmt.Sprintf("mask of region %d", i+1), "Regions", of.Mask, size, width, height)
		if err != nil {
			return nil, err
		}
		masks, weights = append(masks, mask), append(weights, styles[of.Style].Weight)
		g.names = append(g.names, fmt.Sprintf("region %d (%s)", i+1, nameOf(of.Mask)))
		if of.StyleMask == nil {
			continue
		}
		size := styles[of.Style].Image.Bounds().Size()
		width, height := fit(size.X, size.Y, guideSide, false)
		if mask, err = g.mask(ctx, fmt.Sprintf("style's mask of region %d", i+1), "Regions", of.StyleMask, size, width, height); err != nil {
			return nil, err
		}
		g.styles[of.Style] = &mask
	}
	if err := g.divide(ctx, r, masks, weights, size, width, height, o); err != nil {
		return nil, err
	}
	return g, nil
}

// divide divides the output among the regions, of which those with masks come first.
func (g *guidance) divide(ctx context.Context, r recipe, masks []regions.Mask, weights []float64, size image.Point, width, height int, o Options) error {
	g.kept = regions.NewMask(width, height)
	rest := regions.Full(width, height)
	if len(masks) > 0 {
		g.shares, rest = regions.Share(masks, weights)
	}
	if r.count > len(masks) {
		g.shares, g.names = append(g.shares, rest), append(g.names, "what masks leave over")
	} else {
		g.kept = rest
	}
	if o.Protect != nil {
		protected, err := g.mask(ctx, "mask of what is protected", "Protect", o.Protect, size, width, height)
		if err != nil {
			return err
		}
		for _, share := range g.shares {
			share.Less(protected)
		}
		g.kept = regions.Union(g.kept, protected)
	}
	var sum float64
	for _, share := range g.shares {
		g.sizes = append(g.sizes, share.Sum())
		sum += share.Sum()
	}
	if sum == 0 {
		return &OptionError{"Protect", "all of the picture is protected, and nothing is left to be painted"}
	}
	for i := range g.sizes {
		g.sizes[i] /= sum
	}
	return nil
}

// keeps tells whether some of the picture stays the content's.
func (e extractor) keeps() bool { return e.guide != nil && !e.guide.kept.All(0) }

// keep gives levels what is kept of the content, whose pictures are in its own colours.
func (r *run) keep(ctx context.Context, levels []level) error {
	if !r.extractor.keeps() {
		return nil
	}
	sizes := make([]image.Point, len(levels))
	for i, l := range levels {
		sizes[i] = image.Pt(l.width, l.height)
	}
	kept := make([]regions.Mask, len(levels))
	if r.options.Protect != nil {
		var err error
		if kept, err = regions.Resized(ctx, r.options.Protect, sizes...); err != nil {
			return pictureError("mask of what is protected", err)
		}
	}
	if r.extractor.recipe.count == len(r.options.Regions) {
		bare := make([]regions.Mask, len(levels))
		for i, size := range sizes {
			bare[i] = regions.Full(size.X, size.Y)
		}
		for i, of := range r.options.Regions {
			masks, err := regions.Resized(ctx, of.Mask, sizes...)
			if err != nil {
				return pictureError(fmt.Sprintf("mask of region %d", i+1), err)
			}
			for k, mask := range masks {
				bare[k].Subtract(mask)
			}
		}
		for i, mask := range bare {
			if kept[i].Values != nil {
				mask = regions.Union(kept[i], mask)
			}
			kept[i] = mask
		}
	}
	for i := range levels {
		levels[i].kept, levels[i].original, levels[i].held = kept[i].Values, levels[i].content, levels[i].content
	}
	return nil
}

// isOfShape tells whether the ratio of a picture's sides is near enough to that of another's
// for nobody to be told: within 3 %.
func isOfShape(a, b image.Point) bool {
	ratio := float64(a.X) * float64(b.Y) / (float64(a.Y) * float64(b.X))
	return math.Abs(math.Log(ratio)) <= 0.03
}

// mask is the mask of width×height that a picture comes to, which isn't empty. It is of
// another picture, which has a size.
func (g *guidance) mask(ctx context.Context, what, option string, img image.Image, size image.Point, width, height int) (regions.Mask, error) {
	masks, err := regions.Resized(ctx, img, image.Pt(width, height))
	if err != nil {
		return regions.Mask{}, pictureError(what, err)
	}
	if masks[0].All(0) {
		return regions.Mask{}, &OptionError{option, fmt.Sprintf("%s is empty: %s is black or transparent all over, and white is what counts", what, nameOf(img))}
	}
	if own := img.Bounds().Size(); !isOfShape(own, size) {
		g.remarks = append(g.remarks, fmt.Sprintf("%s, %s, is %d×%d and is stretched to the shape of its picture, %d×%d",
			what, nameOf(img), own.X, own.Y, size.X, size.Y))
	}
	return masks[0], nil
}

// nameOf is what a picture is called in errors: its file, where it has one.
func nameOf(img image.Image) string {
	if source, ok := img.(*picture.Source); ok {
		return quote.Name(source.Name())
	}
	return "its mask"
}

// at is the extractor with the recipe of a level.
func (e extractor) at(l outline) extractor {
	if e.guide != nil {
		e.recipe = e.guide.recipe(e.recipe, l)
	}
	return e
}

// ofStyle is the extractor for the style picture of an index, with the style parts that it is
// a target of, and only these.
func (e extractor) ofStyle(index int, size image.Point) extractor {
	r := e.recipe
	e.recipe.style, e.recipe.content = nil, nil
	for _, i := range r.partsOf(index) {
		part := r.style[i]
		part.where = nil
		if e.guide != nil {
			part.where, _ = e.guide.ofStyle(index, part.layer, size, r.form(part).Weighs(), true)
		}
		e.recipe.style = append(e.recipe.style, part)
	}
	return e
}

// partsOf are the places of the style parts that a style picture is a target of.
func (r recipe) partsOf(style int) []int {
	var places []int
	for i, part := range r.style {
		if part.region == r.regionOf(style) {
			places = append(places, i)
		}
	}
	return places
}

// recipe makes that of a level from that of the run.
func (g *guidance) recipe(r recipe, l outline) recipe {
	base := r
	r.style, r.content = nil, nil
	for _, part := range base.style {
		before := len(r.style)
		for region := range g.shares {
			if guided, ok := g.guide(base, part, region, l, false); ok {
				r.style = append(r.style, guided)
			}
		}
		if len(r.style) == before { // no region has a position to itself
			largest := slices.Index(g.sizes, slices.Max(g.sizes))
			guided, _ := g.guide(base, part, largest, l, true)
			r.style = append(r.style, guided)
		}
	}
	for _, part := range base.content {
		part.where = g.moving(part.layer, l)
		r.content = append(r.content, part)
	}
	moving := 1 - g.kept.Sum()/float64(len(g.kept.Values))
	r.variation /= moving // a mean over all pixels, of which the others don't move
	return r
}

// guide makes a style part that of a region. It tells whether the region and those of its
// styles have positions of the layer; where forced is set, they always have.
func (g *guidance) guide(r recipe, part stylePart, region int, l outline, forced bool) (stylePart, bool) {
	part.region, part.weight = region, part.weight*g.sizes[region]
	if g.sizes[region] == 0 {
		return part, false
	}
	weighs, ok := r.form(part).Weighs(), false
	if part.where, ok = g.ofOutput(region, part.layer, l, weighs, forced); !ok {
		g.leaveOut(g.names[region], part.layer)
		return part, false
	}
	for i, size := range l.styles {
		if r.regionOf(i) != region {
			continue
		}
		if _, ok := g.ofStyle(i, part.layer, size, weighs, forced); !ok {
			g.leaveOut("the style's part of "+g.names[region], part.layer)
			return part, false
		}
	}
	return part, true
}

// leaveOut notes that a layer leaves something out.
func (g *guidance) leaveOut(what, layer string) {
	if what += " at " + layer; !slices.Contains(g.short, what) {
		g.short = append(g.short, what)
	}
}

// forget drops what was worked out of regions' grids, which are large, for another level.
func (g *guidance) forget() {
	if g != nil {
		g.grids, g.cells = map[gridOf]*grid{}, map[gridOf][]regions.Mask{}
	}
}

// size is that of a layer's map of a picture, with its stride, and by how many positions
// regions are eroded there.
func (g *guidance) size(layer string, width, height int) (columns, rows, stride, radius int) {
	stride, reach := g.layers[layer].stride, g.layers[layer].reach
	return width / stride, height / stride, stride, int(math.Round(erodedShare * float64(reach) / float64(stride)))
}

// ofOutput is the grid of a region of the output. It tells whether the region is a position
// large at least.
func (g *guidance) ofOutput(region int, layer string, l outline, weighs, forced bool) (*grid, bool) {
	of := gridOf{style: -1, region: region, layer: layer, width: l.width, height: l.height, soft: weighs && g.soft}
	made := g.grid(of, func() (mask, hard regions.Mask) {
		all := g.outputCells(layer, l)
		return all[region], regions.Foremost(region, all)
	})
	return made, forced || !made.small()
}

// outputCells are the shares of the output and what is kept, in means of a layer's positions.
func (g *guidance) outputCells(layer string, l outline) []regions.Mask {
	of := gridOf{style: -1, layer: layer, width: l.width, height: l.height}
	if g.cells[of] == nil {
		columns, rows, stride, _ := g.size(layer, l.width, l.height)
		for _, mask := range append(slices.Clone(g.shares), g.kept) {
			g.cells[of] = append(g.cells[of], mask.Cells(l.width, l.height, stride, columns, rows))
		}
	}
	return g.cells[of]
}

// ofStyle is the grid of what counts of a style picture, likewise.
func (g *guidance) ofStyle(style int, layer string, size image.Point, weighs, forced bool) (*grid, bool) {
	if g.styles[style] == nil {
		return nil, true
	}
	of := gridOf{style: style, layer: layer, width: size.X, height: size.Y, soft: weighs && g.soft}
	made := g.grid(of, func() (mask, hard regions.Mask) {
		columns, rows, stride, _ := g.size(layer, size.X, size.Y)
		mask = g.styles[style].Cells(size.X, size.Y, stride, columns, rows)
		return mask, mask.Hard()
	})
	return made, forced || !made.small()
}

// grid makes a grid of cells, by their weights or by those that count wholly; none where that
// is all of them.
func (g *guidance) grid(of gridOf, cells func() (mask, hard regions.Mask)) *grid {
	if made, ok := g.grids[of]; ok {
		return made
	}
	mask, hard := cells()
	if !of.soft {
		if hard.All(0) { // what is to count all the same
			hard = mask.Largest()
		}
		mask = hard
	}
	var made *grid
	if !mask.All(1) {
		_, _, _, radius := g.size(of.layer, of.width, of.height)
		made = g.number(&grid{name: fmt.Sprintf("weights of region %d at %s", of.region+1, of.layer), height: mask.Height, width: mask.Width, before: mask.Sum()})
		mask = mask.Inside(radius)
		made.total = mask.Sum()
		if of.soft {
			made.weights = mask.Values
		} else {
			made.mask = mask.Positions()
		}
	}
	g.grids[of] = made
	return made
}

// chooses tells whether a grid chooses positions.
func (g *grid) chooses() bool { return g != nil && g.mask != nil }

// count is how many positions are looked at, of so many that there are.
func (g *grid) count(all int) int {
	if g.chooses() {
		return len(g.mask)
	}
	return all
}

// small tells whether a grid was less than a position, before it was eroded.
func (g *grid) small() bool { return g != nil && g.before < 1 }

func (g *guidance) number(made *grid) *grid {
	g.made++
	made.id = g.made
	return made
}

// moving is the grid of the positions that see something move, for the content's loss.
func (g *guidance) moving(layer string, l outline) *grid {
	of := gridOf{style: -1, region: len(g.shares), layer: layer, width: l.width, height: l.height}
	if made, ok := g.grids[of]; ok {
		return made
	}
	all := g.outputCells(layer, l)
	made := &grid{height: all[0].Height, width: all[0].Width}
	for i, v := range all[len(all)-1].Values {
		if v < allButWhite {
			made.mask = append(made.mask, int32(i))
		}
	}
	if n := len(made.mask); n == 0 || n == made.height*made.width {
		made = nil
	} else {
		g.number(made)
	}
	g.grids[of] = made
	return made
}

// bytes is what the grids of a level's output take at most, and of its largest style picture.
func (g *guidance) bytes(r recipe, l outline) int64 {
	if g == nil {
		return 0
	}
	of := func(width, height, count int) (bytes int64) {
		for _, layer := range r.layers() {
			columns, rows, _, _ := g.size(layer, width, height)
			bytes += 4 * int64(count) * int64(columns) * int64(rows)
		}
		return bytes
	}
	bytes := of(l.width, l.height, 2*len(g.shares)+1) // grids, and the cells that they are made of
	var largest int64
	for _, size := range l.styles {
		largest = max(largest, of(size.X, size.Y, 1))
	}
	return bytes + largest
}

// said is what a user should know of masks.
func (g *guidance) said() []string {
	if g == nil {
		return nil
	}
	all := slices.Clone(g.remarks)
	if len(g.short) > 0 {
		all = append(all, "smaller than one position of a layer, at some scale at least, and left to other layers there: "+strings.Join(g.short, ", "))
	}
	return all
}

// locator says which positions of layers count in one graph, of a whole picture or of a part
// of one.
type locator struct {
	graph *gorgonia.ExprGraph
	// part, unless nil, has what the features of a layer show.
	part    func(layer string) losses.Positions
	weights []weightsInput // that the graph has got
}

// weightsInput is an input for the weights of what the graph shows of a layer.
type weightsInput struct {
	node  *gorgonia.Node
	layer string
	grid  *grid
}

// at are the positions of a layer that count.
func (l *locator) at(layer string, where *grid) losses.Positions {
	var p losses.Positions
	if l.part != nil {
		p = l.part(layer)
	}
	if where == nil {
		return p
	}
	p.Height, p.Width, p.Mask = where.height, where.width, where.mask
	if where.weights == nil {
		return p
	}
	shown := p.Part
	if shown.Empty() {
		shown = image.Rect(0, 0, p.Width, p.Height)
	}
	p.TotalWeight = where.total
	p.Weights = plan.Values{Shape: tensor.Shape{1, shown.Dy(), shown.Dx()}}.Input(l.graph, where.name)
	if !slices.ContainsFunc(l.weights, func(in weightsInput) bool { return in.node == p.Weights }) {
		l.weights = append(l.weights, weightsInput{p.Weights, layer, where})
	}
	return p
}

// inputs are the weights with their values, where the graph shows whole maps.
func (l *locator) inputs() []engine.Input {
	var inputs []engine.Input
	for _, in := range l.weights {
		inputs = append(inputs, engine.Input{Node: in.node, Values: plan.Values{Shape: in.node.Shape(), Single: in.grid.weights}})
	}
	return inputs
}
