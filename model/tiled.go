package model

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/engine"
	"impasto/internal/ops"
	"impasto/internal/panics"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
)

// tiled is the objective of a picture that is looked at tile by tile. Style losses compare
// sums over the whole picture, so it is exact: each tile adds what it has to the
// summaries, these are compared once, and each tile pulls their cotangents back (Galerne,
// Raad, Lezama and Morel 2022, "Scaling Painting Style Transfer", do so for Gram-like
// losses). Tiles go through one section of the network at a time, of which the map between
// two sections is kept whole. So they need the margin of a section only, some pixels, where
// the whole network would ask for 70 on each side; see sections.go. What the way back needs
// of a tile's features is kept where there is memory for it, else they are computed again.
type tiled struct {
	extractor extractor
	sections  []*section
	content   [][]tileContent // of each section, what each tile keeps of the content
	sizes     []contentSize   // of each content part
	frugal    frugality       // in what maps and content are kept
	maps      []*featureMap   // that sections begin with, while they are needed; the first is the picture
	lent      []byte          // memory for some of them, see lend
	kept      [][]keeping     // of each section, what is kept of each tile for the way back
	lanes     []lane          // of each device
	key       []float64       // that losses draw by
	draws     bool            // tells whether there are such losses
}

// lane is a device that tiles are run on, one after the other.
type lane struct {
	device  plan.Device
	running *tileGraph // compiled for the last tile, and good for others like it
	room    []float32  // for values of a tile on their way, where the device isn't the process
}

// keeping is what the way back of a tile finds of the way there.
type keeping struct {
	carry  plan.Carry
	memory []byte // nil where all is computed again
}

// tileContent is what a tile keeps of the content, for each content part of its section:
// points, nil where no position counts.
type tileContent []*featureMap

// inputs adds inputs for the points to a graph.
func (c tileContent) inputs(g *gorgonia.ExprGraph, r recipe) []*gorgonia.Node {
	shapes := make([]plan.Values, len(c))
	for i, points := range c {
		if points != nil {
			shapes[i] = plan.Values{Shape: tensor.Shape{points.channels, points.height, points.width}}
		}
	}
	return r.contentInputs(g, shapes)
}

// newTiled prepares to look at pictures of a size. cut gives each section its tiles, and
// f says what memory is spared at what price.
func (e extractor) newTiled(width, height int, cut func(*section) error, f frugality) (*tiled, error) {
	b := &tiled{extractor: e, frugal: f, key: []float64{0}}
	for _, d := range e.Devices() {
		b.lanes = append(b.lanes, lane{device: d})
	}
	var err error
	if b.sections, err = e.sections(width, height, e.recipe, f); err != nil {
		return nil, err
	}
	b.maps, b.kept = make([]*featureMap, len(b.sections)), make([][]keeping, len(b.sections))
	for i, s := range b.sections {
		if err := cut(s); err != nil {
			return nil, err
		}
		b.kept[i] = make([]keeping, len(s.tiles))
	}
	return b, nil
}

func (b *tiled) close() {
	b.stop()
	b.forget()
	b.dropMaps(0)
	for _, tiles := range b.content {
		for _, content := range tiles {
			for _, points := range content {
				points.free()
			}
		}
	}
}

// frugality is how much memory is spared where there is little.
type frugality int

const (
	wholeMaps32 frugality = iota // maps between sections are of float32
	shortMaps                    // they and the content are of 16 bits
	fewMaps                      // and the largest of them isn't there: the first two sections are one
)

// price is how many times the work of float32 maps is to be spared, for what rounding does.
func (f frugality) price() float64 {
	if f >= shortMaps {
		return 1.1
	}
	return 1
}

// format is that of maps of features.
func (b *tiled) format() mapFormat {
	if b.frugal >= shortMaps {
		return halves
	}
	return singles
}

// remember makes room for what the way back needs of tiles, in so many bytes at most, in the
// order given. A device that can't run a graph in two phases remembers nothing.
func (b *tiled) remember(room int64, order []keepable) error {
	for _, next := range order {
		i := next.section
		for k, t := range b.sections[i].tiles {
			g, err := b.compile(&b.lanes[0], i, t, forBoth, b.content[i][k])
			if err != nil {
				return err
			}
			if g == nil || g.gradient == nil || g.phases == nil {
				continue
			}
			kept := &b.kept[i][k]
			bytes := g.phases[next.carry].Bytes()
			more := int64(bytes - len(kept.memory))
			if more > room {
				break
			}
			room -= more
			unmap(kept.memory)
			kept.carry = next.carry
			if kept.memory, err = mapped("what the way back of a tile needs", int64(bytes)); err != nil {
				return err
			}
		}
	}
	b.stop()
	return nil
}

// forget gives that room back.
func (b *tiled) forget() {
	for _, tiles := range b.kept {
		for k := range tiles {
			unmap(tiles[k].memory)
			tiles[k] = keeping{}
		}
	}
}

// stop closes the graphs of the last tiles.
func (b *tiled) stop() {
	for i := range b.lanes {
		b.lanes[i].stop()
	}
}

func (l *lane) stop() {
	if l.running != nil {
		l.running.Close()
		l.running = nil
	}
}

// tileGraph is a section compiled for tiles of one shape.
type tileGraph struct {
	*engine.Executable
	shape   string // what tiles have in common that it serves
	onHost  bool   // its inputs and outputs lie in memory of the process
	lane    *lane
	input   *gorgonia.Node
	content []*gorgonia.Node // inputs for what is kept of the content, nil where nothing is
	weights []weightsInput   // of positions
	x       summaries
	kept    []*gorgonia.Node           // of the content, where that is what it is for
	end     *gorgonia.Node             // the map for the next section, nil for the last one
	key     *gorgonia.Node             // nil where nothing is drawn
	phases  map[plan.Carry]plan.Phases // there and back, nil where it runs at once
	// Of the way back:
	cotangents   map[*gorgonia.Node]*gorgonia.Node // inputs for those of summaries
	endCotangent *gorgonia.Node                    // and of the end
	gradient     *gorgonia.Node                    // nil where nothing depends on the input
}

// purpose is what a section is run for.
type purpose int

const (
	forSummaries purpose = iota // of a picture under descent
	forGradient                 // of it
	forBoth                     // one after the other, with what the second needs kept
	forStyle                    // the summaries of a style picture
	forContent                  // what is kept of the content
)

// shape tells tiles apart that need graphs of their own.
func (s *section) shape(t tile, of purpose) string {
	shape := fmt.Sprint(s.after, of, t.shown.Size(), t.inner.Sub(t.shown.Min))
	if s.placed() {
		return shape + fmt.Sprint(t.inner.Min)
	}
	return shape
}

// placed tells whether positions of the section are told by their places in the whole: points,
// and those that are chosen.
func (s *section) placed() bool {
	return slices.ContainsFunc(s.recipe.style, func(part stylePart) bool {
		return !s.recipe.form(part).Blends() || part.where.chooses()
	}) || slices.ContainsFunc(s.recipe.content, func(part contentPart) bool { return part.where.chooses() })
}

// build adds a section to a new graph, for a tile.
func (e extractor) build(s *section, t tile, of purpose, content tileContent) (g *tileGraph, err error) {
	defer ops.Catch(&err, "build a tile")
	g = &tileGraph{shape: s.shape(t, of)}
	g.input = gorgonia.NewTensor(gorgonia.NewGraph(), gorgonia.Float32, 3,
		gorgonia.WithShape(s.channels, t.shown.Dy(), t.shown.Dx()), gorgonia.WithName("map"))
	maps, err := vgg19.BuildFrom(g.input, s.after, e.Parameters, e.Options, s.layers()...)
	if err != nil {
		return nil, err
	}
	g.end = maps[s.upTo]
	places := &locator{graph: g.input.Graph(), part: func(layer string) losses.Positions { return s.positions(t, layer) }}
	switch of {
	case forContent:
		g.kept, err = s.recipe.contentTargets(maps, places)
	case forStyle:
		g.x.style, err = s.recipe.styleTargets(maps, places)
	default:
		g.content = content.inputs(g.input.Graph(), s.recipe)
		g.x, err = s.recipe.summarise(maps, places, g.content)
	}
	g.weights = places.weights
	if err == nil && (of == forGradient || of == forBoth) {
		err = g.differentiate()
	}
	return g, err
}

// differentiate adds the gradient by the input, with inputs for the cotangents of the
// summaries and of the end.
func (g *tileGraph) differentiate() error {
	g.cotangents = map[*gorgonia.Node]*gorgonia.Node{}
	var nodes, cotangents gorgonia.Nodes
	add := func(node *gorgonia.Node) *gorgonia.Node {
		cotangent := plan.NoValues(node).Input(g.input.Graph(), fmt.Sprintf("cotangent %d", len(nodes)+1))
		nodes, cotangents = append(nodes, node), append(cotangents, cotangent)
		return cotangent
	}
	for _, node := range g.x.nodes() {
		if g.cotangents[node] == nil {
			g.cotangents[node] = add(node)
		}
	}
	if g.end != nil {
		g.endCotangent = add(g.end)
	}
	if len(nodes) == 0 {
		return nil
	}
	gradients, err := gorgonia.Backpropagate(nodes, cotangents, gorgonia.Nodes{g.input})
	if err != nil {
		return err
	}
	g.gradient = gradients[0]
	return nil
}

// there are the outputs of the way there.
func (g *tileGraph) there() []*gorgonia.Node {
	outputs := g.x.nodes()
	for _, node := range append(g.kept, g.end) {
		if node != nil {
			outputs = append(outputs, node)
		}
	}
	return outputs
}

// outputs are what a run gives.
func (g *tileGraph) outputs(of purpose) []*gorgonia.Node {
	switch {
	case of == forGradient && g.gradient != nil:
		return []*gorgonia.Node{g.gradient}
	case of == forBoth && g.gradient != nil:
		return append(g.there(), g.gradient)
	}
	return g.there()
}

// compile compiles a section for a tile on a lane, unless the last one's graph will do. There
// is no graph where nothing is asked of the section.
func (b *tiled) compile(l *lane, i int, t tile, of purpose, content tileContent) (*tileGraph, error) {
	s, e := b.sections[i], b.extractor
	if l.running != nil && l.running.shape == s.shape(t, of) {
		return l.running, nil
	}
	l.stop()
	g, err := e.build(s, t, of, content)
	if err != nil || len(g.outputs(of)) == 0 {
		return nil, err
	}
	if g.Executable, err = engine.Compile(l.device, nil, g.outputs(of)...); err != nil {
		return nil, err
	}
	g.onHost, g.lane, g.key = l.device.OnHost(), l, g.Input(losses.KeyName)
	l.running = g
	if phased, ok := g.Machine.(plan.Phased); ok && of == forBoth {
		g.phases = map[plan.Carry]plan.Phases{}
		for _, carry := range plan.Carries {
			if g.phases[carry], err = phased.Phases(g.there(), carry); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

// write writes what a tile keeps of the content, the weights of its positions, and the key.
func (b *tiled) write(s *section, t tile, g *tileGraph, content tileContent) error {
	for _, in := range g.weights {
		of := featureMap{channels: 1, height: in.grid.height, width: in.grid.width, single: in.grid.weights}
		if err := of.crop(g, in.node, s.inLayer(t.shown, in.layer)); err != nil {
			return err
		}
	}
	for k, node := range g.content {
		if node != nil {
			if err := content[k].crop(g, node, content[k].whole()); err != nil {
				return err
			}
		}
	}
	if g.key != nil {
		return g.WriteFloat64(g.key, b.key)
	}
	return nil
}

// eachTile goes through the tiles of a section, as many at a time as there are lanes.
// compile gives each its graph, nil for one of which nothing is asked, run runs it, beside
// those of other lanes, and then takes its results, in the order of the tiles.
func (b *tiled) eachTile(section int, compile func(l *lane, tile int) (*tileGraph, error), run, then func(g *tileGraph, tile int) error) error {
	where := func(tile int, err error) error {
		return withContext(fmt.Sprintf("section %d, tile %d", section+1, tile+1), err)
	}
	tiles := len(b.sections[section].tiles)
	for first := 0; first < tiles; first += len(b.lanes) {
		graphs := make([]*tileGraph, min(len(b.lanes), tiles-first))
		for l := range graphs {
			var err error
			if graphs[l], err = compile(&b.lanes[l], first+l); err != nil {
				return where(first+l, err)
			}
		}
		err := panics.Together(len(graphs), func(l int) error {
			if graphs[l] == nil {
				return nil
			}
			return where(first+l, run(graphs[l], first+l))
		})
		if err != nil {
			return err
		}
		for l, g := range graphs {
			if err := then(g, first+l); err != nil {
				return where(first+l, err)
			}
		}
	}
	return nil
}

// graphThere is the graph for the way there of a tile: what it is for decides which that is.
func (b *tiled) graphThere(l *lane, i, k int, of purpose) (*tileGraph, error) {
	content := tileContent(nil)
	if of == forSummaries {
		content = b.content[i][k]
		if b.kept[i][k].memory != nil {
			of = forBoth
		}
	}
	return b.compile(l, i, b.sections[i].tiles[k], of, content)
}

// runThere runs the way there of a tile.
func (b *tiled) runThere(ctx context.Context, g *tileGraph, i, k int, of purpose) error {
	t, content := b.sections[i].tiles[k], tileContent(nil)
	if of == forSummaries {
		content = b.content[i][k]
	}
	if err := b.maps[i].crop(g, g.input, t.shown); err != nil {
		return err
	}
	if err := b.write(b.sections[i], t, g, content); err != nil {
		return err
	}
	kept := b.kept[i][k]
	if of != forSummaries || kept.memory == nil {
		return g.Run(ctx)
	}
	phases := g.phases[kept.carry]
	if err := phases.First(ctx); err != nil {
		return err
	}
	phases.Save(kept.memory)
	return nil
}

// graphBack is the graph for the way back of a tile, nil where it adds nothing.
func (b *tiled) graphBack(l *lane, i, k int) (*tileGraph, error) {
	of := forGradient
	if b.kept[i][k].memory != nil {
		of = forBoth
	}
	g, err := b.compile(l, i, b.sections[i].tiles[k], of, b.content[i][k])
	if err != nil || g == nil || g.gradient == nil {
		return nil, err
	}
	return g, nil
}

// runBack runs the way back of a tile, with the cotangents given.
func (b *tiled) runBack(ctx context.Context, g *tileGraph, i, k int, cotangents sums, above *featureMap) error {
	s, t, kept := b.sections[i], b.sections[i].tiles[k], b.kept[i][k]
	if kept.memory == nil || g.phases[kept.carry].Reads(g.input) {
		if err := b.maps[i].crop(g, g.input, t.shown); err != nil {
			return err
		}
	}
	if err := b.write(s, t, g, b.content[i][k]); err != nil {
		return err
	}
	if err := b.writeCotangents(s, t, g, cotangents, above); err != nil {
		return err
	}
	if kept.memory == nil {
		return g.Run(ctx)
	}
	return g.phases[kept.carry].Rest(ctx, kept.memory)
}

// forward runs all sections on a picture and calls each with the graph of every tile once
// it has run.
func (b *tiled) forward(ctx context.Context, of purpose, from *featureMap, each func(section, tile int, g *tileGraph) error) error {
	b.maps[0] = from
	for i, s := range b.sections {
		if s.upTo != "" && b.maps[i+1] == nil {
			next, err := b.newMap(i + 1)
			if err != nil {
				return err
			}
			b.maps[i+1] = next
		}
		if s.upTo != "" {
			b.maps[i+1].format = b.format() // an evaluation that was stopped may have left another
		}
		err := b.eachTile(i, func(l *lane, k int) (*tileGraph, error) {
			return b.graphThere(l, i, k, of)
		}, func(g *tileGraph, k int) error {
			if err := b.runThere(ctx, g, i, k, of); err != nil || g.end == nil {
				return err
			}
			t := s.tiles[k]
			return b.maps[i+1].keep(g, g.end, s.inLayer(t.shown, s.upTo), s.inLayer(t.inner, s.upTo))
		}, func(g *tileGraph, k int) error { return each(i, k, g) })
		if err != nil {
			return err
		}
	}
	return nil
}

// newMap is the map that section i begins with.
func (b *tiled) newMap(i int) (*featureMap, error) {
	s := b.sections[i]
	if at := b.places(int64(len(b.lent)))[i]; at >= 0 {
		m := &featureMap{channels: s.channels, height: s.height, width: s.width, format: b.format()}
		m.placeIn(b.lent[at:][:b.bytesOf(i)])
		return m, nil
	}
	return newFeatureMap(s.channels, s.height, s.width, b.format())
}

// bytesOf is what the map takes that section i begins with.
func (b *tiled) bytesOf(i int) int64 {
	s := b.sections[i]
	return b.format().elementBytes() * int64(s.channels) * int64(s.height) * int64(s.width)
}

// lend lends maps the memory of the gradient by the picture. That is written once the map
// between the first two sections, or its cotangent, is all that there is still need of.
func (b *tiled) lend(gradient []float32) {
	b.lent = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(gradient))), 4*len(gradient))
}

// places are where maps lie in so many bytes that are lent, by section; -1 is elsewhere.
func (b *tiled) places(lent int64) []int64 {
	places, taken := make([]int64, len(b.sections)), int64(0)
	for i := range places {
		places[i] = -1
		if bytes := b.bytesOf(i); i >= 2 && taken+bytes <= lent {
			places[i] = taken
			taken += (bytes + 3) / 4 * 4
		}
	}
	return places
}

// dropMaps gives back the memory of the maps from section i on.
func (b *tiled) dropMaps(i int) {
	for ; i < len(b.maps); i++ {
		b.maps[i].free()
		b.maps[i] = nil
	}
}

// styleSummaries are what each style part of the recipe keeps of a picture.
func (b *tiled) styleSummaries(ctx context.Context, p *picture.Picture) ([]engine.Kept, error) {
	kept := make([]engine.Kept, len(b.extractor.recipe.style))
	err := b.forward(ctx, forStyle, pictureMap(p.Width, p.Height, p.RGB), func(i, _ int, g *tileGraph) error {
		return b.addStyle(b.sections[i], g, kept)
	})
	b.stop()
	return kept, err
}

// addStyle adds the summaries of a tile to those of the picture.
func (b *tiled) addStyle(s *section, g *tileGraph, to []engine.Kept) error {
	if g == nil {
		return nil
	}
	for k, summarised := range g.x.style {
		values, err := g.ReadValues(engine.Nodes(summarised)...)
		if err != nil {
			return err
		}
		kept, _ := engine.Keep(summarised, values)
		to[s.style[k]].Add(kept)
	}
	return nil
}

// keepContent computes what each tile keeps of the content.
func (b *tiled) keepContent(ctx context.Context, p *picture.Picture) error {
	b.content, b.sizes = make([][]tileContent, len(b.sections)), make([]contentSize, len(b.extractor.recipe.content))
	for i, s := range b.sections {
		b.content[i] = make([]tileContent, len(s.tiles))
		for k := range s.tiles {
			b.content[i][k] = make(tileContent, len(s.content))
		}
	}
	err := b.forward(ctx, forContent, pictureMap(p.Width, p.Height, p.RGB), func(i, k int, g *tileGraph) (err error) {
		if g == nil {
			return nil
		}
		for c, node := range g.kept {
			if node == nil {
				continue
			}
			if b.content[i][k][c], err = b.keepPoints(g, node, &b.sizes[b.sections[i].content[c]]); err != nil {
				return err
			}
		}
		return nil
	})
	b.stop()
	b.dropMaps(1)
	return err
}

// keepPoints takes over points of the content, and counts them.
func (b *tiled) keepPoints(g *tileGraph, node *gorgonia.Node, size *contentSize) (*featureMap, error) {
	shape := node.Shape()
	m, err := newFeatureMap(shape[0], shape[1], shape[2], b.format())
	if err != nil {
		return nil, err
	}
	if err := m.keep(g, node, m.whole(), m.whole()); err != nil {
		m.free()
		return nil, err
	}
	return m, m.through(g, node, m.whole(), false, size.addValues)
}

// sums are the summaries of tiles added up.
type sums struct {
	style   []engine.Kept // one for each style part
	content []plan.Values // one for each content part
}

// summarise computes the summaries of a picture.
func (b *tiled) summarise(ctx context.Context, from *featureMap) (sums, error) {
	r := b.extractor.recipe
	whole := sums{style: make([]engine.Kept, len(r.style)), content: make([]plan.Values, len(r.content))}
	err := b.forward(ctx, forSummaries, from, func(i, _ int, g *tileGraph) error {
		if g == nil {
			return nil
		}
		s := b.sections[i]
		for k, node := range g.x.content {
			if node == nil {
				continue
			}
			values, err := plan.ReadValues(g, node)
			if err != nil {
				return err
			}
			whole.content[s.content[k]].Add(1, values)
		}
		return b.addStyle(s, g, whole.style)
	})
	return whole, err
}

// pullBackToMaps pulls the cotangents of the sums back to the map between the first two
// sections. On the way maps become their cotangents, and go once these aren't needed any
// more.
func (b *tiled) pullBackToMaps(ctx context.Context, cotangents sums) error {
	for i := len(b.sections) - 1; i > 0; i-- {
		if err := b.pullBackToMap(ctx, i, cotangents, b.above(i)); err != nil {
			return err
		}
		b.dropMaps(i + 1)
	}
	return nil
}

// pullBackToPicture then adds the gradient by the picture.
func (b *tiled) pullBackToPicture(ctx context.Context, cotangents sums, gradient *featureMap) error {
	err := b.pullBackTiles(ctx, 0, cotangents, b.above(0), func(g *tileGraph, k int) error {
		if g == nil {
			return nil
		}
		return gradient.add(g, g.gradient, b.sections[0].tiles[k].shown)
	})
	if err == nil {
		b.dropMaps(1)
	}
	return err
}

// above is the cotangent of the map that section i ends with, nil where it ends with none.
func (b *tiled) above(i int) *featureMap {
	if i+1 < len(b.maps) {
		return b.maps[i+1]
	}
	return nil
}

// pullBackToMap replaces the map that a section begins with by its cotangent, position by
// position once no later tile sees it.
func (b *tiled) pullBackToMap(ctx context.Context, i int, cotangents sums, above *featureMap) error {
	s, m := b.sections[i], b.maps[i]
	f, err := s.newFrontier(m)
	if err != nil {
		return err
	}
	defer f.free()
	err = b.pullBackTiles(ctx, i, cotangents, above, func(g *tileGraph, k int) error {
		if g == nil {
			f.add(nil, k)
			return nil
		}
		return m.through(g, g.gradient, s.tiles[k].shown, false, func(tile []float32) { f.add(tile, k) })
	})
	if err == nil && m.format == halves {
		m.format = cotangents16
	}
	return err
}

// pullBackTiles hands out the graph of each tile once it has what the tile adds to the
// gradient by the map that its section begins with; nil where it adds nothing. above is the
// cotangent of the map that the section ends with.
func (b *tiled) pullBackTiles(ctx context.Context, i int, cotangents sums, above *featureMap, each func(g *tileGraph, tile int) error) error {
	return b.eachTile(i, func(l *lane, k int) (*tileGraph, error) {
		return b.graphBack(l, i, k)
	}, func(g *tileGraph, k int) error {
		return b.runBack(ctx, g, i, k, cotangents, above)
	}, each)
}

// writeCotangents writes those of a tile's summaries and of its end.
func (b *tiled) writeCotangents(s *section, t tile, g *tileGraph, cotangents sums, above *featureMap) error {
	of := map[*gorgonia.Node]*plan.Values{} // a node may be the summary of several terms
	add := func(node *gorgonia.Node, weight float64, cotangent plan.Values) {
		if of[node] == nil {
			of[node] = &plan.Values{}
		}
		of[node].Add(weight, cotangent)
	}
	for k, summarised := range g.x.style {
		for n, part := range summarised {
			if part.Node != nil {
				add(part.Node, part.Weight, cotangents.style[s.style[k]].Values[n])
			}
		}
	}
	for k, node := range g.x.content {
		if node != nil {
			add(node, 1, cotangents.content[s.content[k]])
		}
	}
	for node, values := range of {
		if err := values.WriteTo(g, g.cotangents[node]); err != nil {
			return err
		}
	}
	if g.endCotangent == nil {
		return nil
	}
	return above.cropInner(g, g.endCotangent, s.inLayer(t.shown, s.upTo), s.inLayer(t.inner, s.upTo))
}
