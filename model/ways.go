package model

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"runtime/debug"
	"slices"

	"gorgonia.org/gorgonia"

	"impasto/internal/engine"
	"impasto/internal/memory"
	"impasto/internal/plan"
	"impasto/vgg19"
)

// way is how the pictures of a level go through the network.
type way struct {
	// Tiled tells that they are looked at in tiles, whose graphs take Arena bytes of the
	// device at most; else they are looked at whole.
	Tiled bool  `json:"tiled"`
	Arena int64 `json:"arena,omitempty"`
	// Frugal says what memory is spared besides.
	Frugal frugality `json:"frugal,omitempty"`

	keep   int64      // bytes for what the way back of tiles needs
	order  []keepable // and of what first
	needs  demand     // of all that there is at the level
	work   work       // of an evaluation
	remark string     // for people; empty where the picture is whole
}

// String tells ways apart whose results differ in their last bits.
func (w way) String() string {
	if !w.Tiled {
		return "whole"
	}
	maps := "32-bit maps"
	switch w.Frugal {
	case shortMaps:
		maps = "16-bit maps"
	case fewMaps:
		maps = "few 16-bit maps"
	}
	return fmt.Sprintf("tiles in %d bytes, %s", w.Arena, maps)
}

// room is how many bytes there still are, of the device and of the process. On a device whose
// memory is that of the process they are the same.
type room struct {
	device, host int64
	shared       bool
}

// holds tells whether a demand can be met.
func (r room) holds(d demand) bool {
	if r.shared {
		return d.device+d.host <= r.device
	}
	return d.device <= r.device && d.host <= r.host
}

// larger is the larger of two demands.
func (r room) larger(a, b demand) demand {
	switch {
	case !r.shared:
		return demand{max(a.device, b.device), max(a.host, b.host)}
	case a.device+a.host > b.device+b.host:
		return a
	}
	return b
}

// less is what is left once a demand is met.
func (r room) less(d demand) room {
	if r.shared {
		left := r.device - d.device - d.host
		return room{left, left, true}
	}
	return room{r.device - d.device, r.host - d.host, false}
}

const (
	// usualMemory is what a run takes of memory without being asked to take more, where
	// it can.
	usualMemory = 4 << 30
	// A run takes usualShare of the memory that there is at most, unless it is told to take
	// more.
	usualShare = 0.75
	// heapSlack is for what the Go heap takes between collections, and for what kernels work
	// with.
	heapSlack = 80 << 20
	// tiledPoints is how many positions of a layer losses that keep points look at where the
	// picture is looked at in tiles.
	tiledPoints = 1 << 14
)

// rooms are what there is for a run, which it tries in turn.
func (r *run) rooms() []room {
	host, device := int64(math.MaxInt64), int64(math.MaxInt64)
	if available, known := memory.Available(); known {
		host = available
	}
	for _, d := range r.extractor.Devices() {
		if available, known := d.Available(); known {
			device = min(device, available)
		}
	}
	if r.extractor.Device.OnHost() {
		host = device
	}
	debug.FreeOSMemory() // garbage would count as taken
	resident, _ := memory.Resident()
	within := func(most int64) room {
		left := max(0, min(host, most-resident)-heapSlack)
		if r.extractor.Device.OnHost() {
			return room{left, left, true}
		}
		return room{device, left, false}
	}
	if r.options.Memory > 0 {
		return []room{within(r.options.Memory)}
	}
	most := int64(math.MaxInt64)
	if host < math.MaxInt64 {
		most = int64(usualShare * float64(host+resident))
	}
	// A limit that the user gave the Go runtime is meant for the program.
	most = min(most, debug.SetMemoryLimit(-1))
	return []room{within(min(most, usualMemory)), within(most)}
}

// tileSides are the sides of tiles that are tried, in positions of the map that a section
// begins with.
var tileSides = []int{1024, 768, 640, 512, 448, 384, 320, 256, 224, 192, 160, 128, 96, 64, 48, 32}

// arenas are what graphs of tiles may take, in bytes, that are tried beside the least that
// will do: large ones spare margins, small ones leave memory for what the way back needs.
var arenas = []int64{512 << 20, 384 << 20, 256 << 20, 192 << 20, 128 << 20, 96 << 20, 64 << 20, 48 << 20, 32 << 20}

// planner finds how levels go through the network. It remembers what graphs of tiles take.
type planner struct {
	extractor
	pictures int64 // that somebody asks for while one descends, at a time
	prior    bool  // there is one
	needs    map[tileSize]int64
	tilings  map[tilingOf]tiling
}

// at is the planner with the recipe of a level.
func (p *planner) at(l outline) *planner {
	of := *p
	of.extractor = p.extractor.at(l)
	return &of
}

// tilingOf tells what a tiling follows from. Levels of one run that have a size have the
// same styles.
type tilingOf struct {
	width, height int
	arena         int64
	frugal        frugality
}

// tileSize tells a section cut into tiles of a side.
type tileSize struct {
	after, upTo   string
	width, height int
	content       bool   // the recipe has content
	places        string // which positions count
	side          int
}

func (r *run) newPlanner() *planner {
	p := &planner{r.extractor, r.options.picturesAsked(), r.options.Prior != nil, map[tileSize]int64{}, map[tilingOf]tiling{}}
	p.recipe.points = tiledPoints
	return p
}

// cutter cuts sections into the largest tiles of which a graph takes arena bytes at most.
// Where none does, the error is a *plan.MemoryError.
func (p *planner) cutter(arena int64) func(*section) error {
	return func(s *section) error {
		var least int64
		for _, side := range tileSides {
			needs, err := p.tileNeeds(s, side)
			if err != nil {
				return err
			}
			if least = needs; needs <= arena {
				s.cutTo(side)
				return nil
			}
		}
		return memoryError(least, arena)
	}
}

// leastArena is the least that will do for a level's pictures.
func (p *planner) leastArena(l outline, f frugality) (int64, error) {
	var least int64
	smallest := func(s *section) error {
		needs, err := p.tileNeeds(s, tileSides[len(tileSides)-1])
		least = max(least, needs)
		return err
	}
	if _, err := p.newTiled(l.width, l.height, smallest, f); err != nil {
		return 0, err
	}
	for i, size := range l.styles {
		of := p.ofStyle(i, size)
		if len(of.recipe.style) == 0 {
			continue // its region is nowhere
		}
		if _, err := of.newTiled(size.X, size.Y, smallest, f); err != nil {
			return 0, err
		}
	}
	return least, nil
}

// tileNeeds is how many bytes of the device the graph of a section's largest tile takes,
// cut to a side. It leaves the section with any tiles.
func (p *planner) tileNeeds(s *section, side int) (int64, error) {
	key := tileSize{s.after, s.upTo, s.width, s.height, len(s.content) > 0, s.places(), side}
	if needs, known := p.needs[key]; known {
		return needs, nil
	}
	s.cutTo(side)
	g, err := p.sketchTile(s, s.largest(), forBoth)
	if err != nil {
		return 0, err
	}
	var needs int64
	if outputs := g.outputs(forBoth); len(outputs) > 0 {
		schedule, err := engine.Schedule(outputs...)
		if err != nil {
			return 0, err
		}
		if needs, err = p.machineNeeds(schedule); err != nil {
			return 0, err
		}
	}
	p.needs[key] = needs
	return needs, nil
}

// sketchTile builds the graph of a tile, without values.
func (e extractor) sketchTile(s *section, t tile, of purpose) (*tileGraph, error) {
	content := make(tileContent, len(s.content))
	if len(s.content) > 0 {
		g, err := e.build(s, t, forContent, nil)
		if err != nil {
			return nil, err
		}
		for i, node := range g.kept {
			if node != nil {
				shape := node.Shape()
				content[i] = &featureMap{channels: shape[0], height: shape[1], width: shape[2]}
			}
		}
	}
	return e.build(s, t, of, content)
}

// carrier is a device that tells what phases of a machine would take.
type carrier interface {
	Carrying(s *plan.Schedule, first []*gorgonia.Node, carry plan.Carry) (plan.Carrying, error)
}

// tiling is what a level takes where it is looked at in tiles.
type tiling struct {
	sections []*section
	// What it takes while targets are computed, and while the picture descends, but for the
	// optimiser's vectors and what is kept of the way there.
	computing, descending demand
	counted               bool       // the rest is known
	keepable              []keepable // what can be kept of that, the best first
	again                 work       // of the way there, where nothing is kept of it and it is made again
	work                  work       // of an evaluation then
}

// keepable is what can be kept of a section for the way back.
type keepable struct {
	section int
	carry   plan.Carry
	bytes   int64 // more than what comes before it of the section takes
	spares  work
}

// tiling works that out, once, for tiles whose graphs take arena bytes at most, but for the
// work; see counted.
func (p *planner) tiling(l outline, arena int64, f frugality) (tiling, error) {
	of := tilingOf{l.width, l.height, arena, f}
	if known, ok := p.tilings[of]; ok {
		return known, nil
	}
	t, err := p.newTiling(l, arena, f)
	if err == nil {
		p.tilings[of] = t
	}
	return t, err
}

func (p *planner) newTiling(l outline, arena int64, f frugality) (t tiling, err error) {
	e, cut := p.extractor, p.cutter(arena)
	whole, err := e.newTiled(l.width, l.height, cut, f)
	if err != nil {
		return t, err
	}
	t.sections = whole.sections
	maps := whole.mapBytes(0)
	for i, size := range l.styles {
		of := e.ofStyle(i, size)
		if len(of.recipe.style) == 0 {
			continue
		}
		style, err := of.newTiled(size.X, size.Y, cut, f)
		if err != nil {
			return t, fmt.Errorf("style picture: %w", err)
		}
		maps = max(maps, style.mapBytes(0))
	}
	comparison, inputs, err := e.comparisonNeeds(l, whole)
	if err != nil {
		return t, err
	}
	kept := whole.contentBytes()
	for _, input := range inputs {
		kept += input.Values.Bytes()
	}
	var lent int64
	if e.Device.OnHost() {
		lent = pictureBytes(l.width, l.height)
	}
	t.computing = demand{device: arena, host: maps + kept}
	t.descending = demand{device: arena + comparison, host: whole.mapBytes(lent) + kept}
	return t, nil
}

// counted is a tiling whose work is counted, once: only where it fits does that matter.
func (p *planner) counted(t tiling, of tilingOf) (tiling, error) {
	if t.counted {
		return t, nil
	}
	for i := range t.sections {
		if err := t.count(p.extractor, i); err != nil {
			return t, err
		}
	}
	slices.SortStableFunc(t.keepable, func(a, b keepable) int {
		return cmp.Compare(b.spares.sum()/float64(b.bytes), a.spares.sum()/float64(a.bytes))
	})
	t.counted = true
	p.tilings[of] = t
	return t, nil
}

// comparisonNeeds is how many bytes of the device the comparison takes, with the picture and
// its gradient, and what is to be written to it.
func (e extractor) comparisonNeeds(l outline, b *tiled) (int64, []engine.Input, error) {
	o, inputs, err := e.sketchComparison(l, b)
	if err != nil {
		return 0, nil, err
	}
	bytes, err := engine.Needs(e.Device, o.outputs()...)
	if err != nil {
		return 0, nil, err
	}
	o, more, err := e.outlinePixels(l.width, l.height)
	if err != nil || o == nil {
		return bytes + 2*pictureBytes(l.width, l.height), inputs, err
	}
	pixels, err := engine.Needs(e.Device, o.outputs()...)
	return bytes + pixels, append(inputs, more...), err
}

// count adds the work of a section, and what keeping the way there takes and spares.
func (t *tiling) count(e extractor, i int) error {
	s := t.sections[i]
	largest := s.largest()
	there, err := e.sketchTile(s, largest, forSummaries)
	if err != nil {
		return err
	}
	both, err := e.sketchTile(s, largest, forBoth)
	if err != nil || len(both.outputs(forBoth)) == 0 {
		return err
	}
	shown := 0
	for _, tile := range s.tiles {
		shown += area(tile.shown)
	}
	tiles := float64(shown) / float64(area(largest.shown))
	if lanes := len(e.Beside) + 1; lanes > 1 { // which wait for the largest of theirs
		tiles = float64((len(s.tiles) + lanes - 1) / lanes)
	}
	schedule, err := engine.Schedule(both.outputs(forBoth)...)
	if err != nil {
		return err
	}
	t.work.add(ofSchedule(schedule).times(tiles))
	outputs := there.there()
	if len(outputs) == 0 {
		return nil
	}
	once, err := engine.Schedule(outputs...)
	if err != nil {
		return err
	}
	again := ofSchedule(once).times(tiles)
	t.work.add(again)
	t.again.add(again)
	device, ok := e.Device.(carrier)
	if !ok || both.gradient == nil {
		return nil
	}
	var before keepable
	for _, carry := range []plan.Carry{plan.CarryMarks, plan.CarryAll} {
		carrying, err := device.Carrying(schedule, both.there(), carry)
		if err != nil {
			return err
		}
		next := keepable{section: i, carry: carry, bytes: int64(float64(carrying.Bytes) * tiles), spares: again}
		next.spares.add(ofSteps(carrying.Again).times(-tiles))
		more := next
		more.bytes -= before.bytes
		more.spares.add(before.spares.times(-1))
		if more.bytes > 0 && more.spares.sum() > 0 {
			t.keepable = append(t.keepable, more)
			before = next
		}
	}
	return nil
}

// mapBytes is the most that maps between sections take at a time beside so many bytes that
// are lent to them: all of them, and the frontier of the cotangent that takes the place of
// one.
func (b *tiled) mapBytes(lent int64) int64 {
	var maps, frontier int64
	places := b.places(lent)
	for i, s := range b.sections[1:] {
		if places[i+1] < 0 {
			maps += b.bytesOf(i + 1)
		}
		frontier = max(frontier, s.frontierBytes())
	}
	return maps + frontier
}

// contentBytes is what is kept of the content.
func (b *tiled) contentBytes() int64 {
	var bytes int64
	for _, s := range b.sections {
		for _, part := range s.recipe.content {
			at := s.inLayer(image.Rect(0, 0, s.width, s.height), part.layer)
			bytes += b.format().elementBytes() * int64(vgg19.Channels(part.layer)) * int64(area(at))
		}
	}
	return bytes
}

// sketchComparison builds the graph of the comparison, without values.
func (e extractor) sketchComparison(l outline, b *tiled) (*objective, []engine.Input, error) {
	shapes, err := b.sketchSums()
	if err != nil {
		return nil, nil, err
	}
	t, err := e.sketchTargets(l, b)
	if err != nil {
		return nil, nil, err
	}
	return e.outlineComparison(t, shapes, make([]contentSize, len(e.recipe.content)))
}

// sketchTargets has the shapes of what is kept of the styles, without values. Summaries of
// all styles have those of the picture's.
func (e extractor) sketchTargets(l outline, b *tiled) (targets, error) {
	kept := make([]engine.Kept, len(e.recipe.style))
	for _, s := range b.sections {
		for _, t := range s.tiles {
			g, err := e.build(s, t, forStyle, nil)
			if err != nil {
				return targets{}, err
			}
			all := true
			for k, summarised := range g.x.style {
				part, _ := engine.Keep(summarised, engine.NoValues(engine.Nodes(summarised)...))
				to := &kept[s.style[k]]
				to.Add(part)
				all = all && len(engine.Nodes(to.Summaries)) == len(to.Summaries)
			}
			if all {
				break
			}
		}
	}
	var t targets
	for i := range l.styles {
		var of []engine.Kept
		for _, part := range e.recipe.partsOf(i) {
			of = append(of, kept[part])
		}
		t.addStyle(e.recipe, i, of)
	}
	return t, nil
}

// way finds how a level goes through the network in the memory that there is: whole if it can
// be, else in tiles, in the way that takes the least work, with float32 maps if they fit.
// vectors are the optimiser's bytes. Where nothing fits, needs is about the least that would
// do. The way wanted, unless nil, is the only one that is tried.
func (p *planner) way(l sketch, vectors int64, in room, wanted *way) (w way, fits bool, err error) {
	p.guide.forget()
	p = p.at(l.outline)
	computing, descending, err := p.wholeDemand(l, vectors)
	if err != nil {
		return w, false, err
	}
	whole := in.larger(computing, descending)
	w.needs, w.work = whole, ofSchedule(l.objective)
	if len(p.Beside) > 0 {
		w.remark = "the first GPU has the memory for the whole picture, and makes it alone"
	}
	if wanted == nil && in.holds(w.needs) || wanted != nil && !wanted.Tiled {
		return w, in.holds(w.needs), nil
	}
	computing, descending = p.beside(l.outline, vectors)
	quickest := math.Inf(1)
	for f := wholeMaps32; f <= fewMaps; f++ {
		least, err := p.leastArena(l.outline, f)
		if err != nil {
			return w, false, err
		}
		all := append(slices.Clone(arenas), least)
		if wanted != nil {
			all = []int64{wanted.Arena}
		}
		for _, arena := range all {
			if arena < least || wanted != nil && wanted.Frugal != f {
				continue
			}
			t, err := p.tiling(l.outline, arena, f)
			if err != nil {
				return w, false, err
			}
			first, then := computing.plus(t.computing), descending.plus(t.descending)
			if needs := in.larger(first, then); !in.holds(needs) {
				if !fits {
					w.needs = needs
				}
				continue
			}
			if t, err = p.counted(t, tilingOf{l.width, l.height, arena, f}); err != nil {
				return w, false, err
			}
			tried := t.with(arena, f, in.less(then).host)
			tried.needs = in.larger(first, then.plus(demand{host: tried.keep}))
			if took := tried.work.sum() * f.price(); took < quickest {
				w, fits, quickest = tried, true, took
				if len(p.Beside) > 0 {
					w.remark += fmt.Sprintf(", shared among %d GPUs", len(p.Beside)+1)
				}
				w.remark += p.remarkOn(whole)
			}
		}
	}
	return w, fits, nil
}

// remarkOn says of a level in tiles what it would take whole, and what losses do differently.
func (p *planner) remarkOn(whole demand) string {
	remark := fmt.Sprintf("; whole it would take %s", plan.Amount(whole.device+whole.host))
	for _, part := range p.recipe.style {
		if !p.recipe.form(part).Blends() {
			return remark + fmt.Sprintf("; of a layer, losses that keep points look at %d positions, others in every iteration", p.recipe.points)
		}
	}
	return remark
}

// with is the way of a tiling in which as much as possible of what the way back needs is
// kept, in so many bytes: first what spares the most of them.
func (t tiling) with(arena int64, f frugality, left int64) way {
	w := way{Tiled: true, Arena: arena, Frugal: f, order: t.keepable, work: t.work}
	again := t.again
	for _, next := range t.keepable {
		share := min(1, float64(left-w.keep)/float64(next.bytes))
		w.keep += int64(share * float64(next.bytes))
		spared := next.spares.times(-share)
		w.work.add(spared)
		again.add(spared)
	}
	first := t.sections[0].largest().inner
	w.remark = fmt.Sprintf("it is looked at in tiles, the first layers in such of %d×%d pixels", first.Dx(), first.Dy())
	if twice := again.sum() / t.again.sum(); twice > 0.005 {
		w.remark += fmt.Sprintf(", and %.0f %% of the way through the network is gone twice", 100*twice)
	}
	if f >= shortMaps {
		w.remark += "; maps between them are of 16 bits"
	}
	return w
}

// plus is both demands.
func (d demand) plus(other demand) demand {
	return demand{d.device + other.device, d.host + other.host}
}
