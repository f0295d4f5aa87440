package model

import (
	"fmt"
	"image"
	"math"

	"impasto/internal/engine"
	"impasto/internal/memory"
	"impasto/internal/plan"
)

// outline is the sizes of one level's pictures, which say how much memory it takes.
type outline struct {
	width, height int // of the output
	styles        []image.Point
	first         bool // it is the first level, and begins with a picture of its size
}

// outlineOf is the outline of the level whose longer side is given.
func outlineOf(content image.Point, styles []Style, o Options, side int) outline {
	var l outline
	l.width, l.height = fit(content.X, content.Y, side, true)
	for _, style := range styles {
		size := style.Image.Bounds().Size()
		width, height := fitAtLeast(size.X, size.Y, o.styleSide(side), o.minimumSize())
		l.styles = append(l.styles, image.Pt(width, height))
	}
	return l
}

// pictures is what the level's pictures take.
func (l outline) pictures() int64 {
	bytes := pictureBytes(l.width, l.height)
	for _, style := range l.styles {
		bytes += pictureBytes(style.X, style.Y)
	}
	return bytes
}

// pictureBytes is what a picture takes: three planes of float32.
func pictureBytes(width, height int) int64 { return 3 * 4 * int64(width) * int64(height) }

// picturesFit reports a level whose very pictures there isn't the memory for.
func picturesFit(l outline) error {
	available, known := memory.Available()
	if needed := l.pictures(); known && needed > available {
		return tooLarge(l, memoryError(needed, available), "")
	}
	return nil
}

// tooLarge is the error of a level that there isn't the memory for.
func tooLarge(l outline, short *plan.MemoryError, hint string) error {
	return &OptionError{"Size", fmt.Sprintf("a picture of %d×%d pixels needs %s; choose a smaller size%s", l.width, l.height, short.Shortage(), hint)}
}

// memoryError is the error of what needs more memory of the process than there is.
func memoryError(needed, available int64) *plan.MemoryError {
	limit, _ := memory.Tightest()
	return &plan.MemoryError{Needed: needed, Available: available, Limit: limit.Name}
}

// demand is how many bytes something takes of the device and of the process.
type demand struct{ device, host int64 }

// sketch is what a level would run, without values.
type sketch struct {
	outline
	objective *plan.Schedule
	targets   demand // of computing them, and of what is kept of them
}

// sketch builds a level's graphs.
func (e extractor) sketch(l outline) (s sketch, err error) {
	e.guide.forget()
	e = e.at(l)
	t, d, err := e.outlineTargets(l)
	if err != nil {
		return s, err
	}
	o, inputs, err := e.outlineObjective(l.width, l.height, t)
	if err != nil {
		return s, err
	}
	for _, input := range inputs {
		d.host += input.Values.Bytes()
	}
	schedule, err := engine.Schedule(o.outputs()...)
	return sketch{l, schedule, d}, err
}

// wholeDemand is what a level takes where it is looked at whole, with so many bytes of the
// optimiser's vectors.
func (p *planner) wholeDemand(s sketch, vectors int64) (computing, descending demand, err error) {
	bytes, err := p.machineNeeds(s.objective)
	if err != nil {
		return demand{}, demand{}, err
	}
	computing, descending = p.beside(s.outline, vectors)
	computing.device += s.targets.device
	computing.host += s.targets.host
	descending.device += bytes
	descending.host += s.targets.host
	return computing, descending, nil
}

// machineNeeds is how many bytes of the device a machine takes, with what its inputs take on
// their way where the device has memory of its own.
func (e extractor) machineNeeds(s *plan.Schedule) (int64, error) {
	bytes, err := e.Device.Needs(s)
	if err != nil || e.Device.OnHost() {
		return bytes, err
	}
	var largest int
	for _, input := range s.Inputs {
		largest = max(largest, input.Bytes())
	}
	return bytes + int64(largest), nil
}

// beside is what a level takes beside the network, while targets are computed and while the
// picture descends: its pictures and the optimiser's vectors of the level before, half of
// these at most; then those of the level itself. What the level before came to is there
// throughout, in 16 bits while the picture descends, and what this one has come to where
// Progress asks for it: in the end the optimiser's vectors are gone.
func (p *planner) beside(l outline, vectors int64) (computing, descending demand) {
	pixels := pictureBytes(l.width, l.height)
	before := pixels / 2
	if l.first {
		before = pixels
	}
	computing, descending = demand{device: vectors / 2, host: before + l.pictures()}, demand{device: vectors, host: before / 2}
	descending.host += p.pictures * pixels
	for _, of := range []*demand{&computing, &descending} {
		of.host += p.guide.bytes(p.recipe, l)
		if p.keeps() { // the content, and how much of each pixel
			of.host += pixels + pixels/3
		}
	}
	return computing, descending
}

// outlineTargets has the shapes of a level's targets, without values, and of what computing
// them takes the most of the device.
func (e extractor) outlineTargets(l outline) (t targets, d demand, err error) {
	t.style = make([]styleTarget, len(e.recipe.style))
	for i, size := range l.styles {
		of := e.ofStyle(i, size).recipe
		if len(of.style) == 0 {
			continue // its region is nowhere
		}
		summaries, outputs := of.styleOutputs()
		values, bytes, err := e.Outline(size.X, size.Y, of.styleLayers(), outputs)
		if err != nil {
			return t, d, fmt.Errorf("style picture %d: %w", i+1, err)
		}
		d.device = max(d.device, bytes)
		kept, _ := engine.KeepAll(summaries, values)
		t.addStyle(e.recipe, i, kept)
	}
	if len(e.recipe.content) == 0 {
		return t, d, nil
	}
	var bytes int64
	if t.content, bytes, err = e.Outline(l.width, l.height, e.recipe.contentLayers(), e.recipe.contentOutputs); err != nil {
		return t, d, fmt.Errorf("content picture: %w", err)
	}
	d.device = max(d.device, bytes)
	return t, d, nil
}

// outline is that of a level that there is.
func (l level) outline() outline {
	return outline{width: l.width, height: l.height, styles: l.styleSizes}
}

// allot finds how each level goes through the network and which of the optimiser's variants
// there is the memory for, and reports a size of the output that there isn't.
func (r *run) allot(levels []sketch) error {
	last := levels[len(levels)-1]
	r.ways = nil
	var least way
	wanted := r.wanted(len(levels))
	r.planner = r.newPlanner()
	for _, in := range r.rooms() {
		quickest := math.Inf(1)
		for i, variant := range r.options.Optimizer.row().variants(r.extractor.Device) {
			if wanted != nil && i != r.options.Resume.header.Variant {
				continue
			}
			ways, fit, err := r.allotIn(in, levels, variant, wanted)
			if err != nil {
				return fmt.Errorf("model: %w", err)
			}
			last := ways[len(ways)-1]
			if !fit {
				least = last
				continue
			}
			if work := variant.slowness * last.work.sum(); work < quickest {
				quickest, r.ways, r.variant = work, ways, i
			}
			if !last.Tiled {
				break // others aren't quicker
			}
		}
		if r.ways != nil {
			return nil
		}
	}
	hint := " or a loss that needs less"
	if size := r.sizeFor(last, least); size > 0 {
		hint = fmt.Sprintf(", such as %d", size)
	}
	return tooLarge(last.outline, r.shortage(least.needs), hint)
}

// wanted are the ways of the run that is gone on from, for results to be the same bit by bit;
// nil where there is none.
func (r *run) wanted(levels int) []way {
	if r.options.Resume == nil || len(r.options.Resume.header.Ways) != levels {
		return nil
	}
	return r.options.Resume.header.Ways
}

// allotIn finds the ways of levels in the memory that there is. Where a level doesn't fit,
// its way is the last, and says what it needs.
func (r *run) allotIn(in room, levels []sketch, v variant, wanted []way) (ways []way, fit bool, err error) {
	ways = make([]way, len(levels))
	for i := len(levels) - 1; i >= 0; i-- {
		pixels := pictureBytes(levels[i].width, levels[i].height)
		levels[i].first = i == 0
		var of *way
		if wanted != nil {
			of = &wanted[i]
		}
		w, fits, err := r.planner.way(levels[i], v.elementBytes*pixels/4, in, of)
		if err != nil {
			return nil, false, fmt.Errorf("scale %d: %w", i+1, err)
		}
		if !fits {
			return []way{w}, false, nil
		}
		ways[i] = w
	}
	return ways, true, nil
}

// bytesOf is how much of the device a level takes, with what is in the process where that is
// the same.
func (r *run) bytesOf(w way) int64 {
	if r.extractor.Device.OnHost() {
		return w.needs.device + w.needs.host
	}
	return w.needs.device
}

// sizeFor is a size of the output that there should be memory for where the last level needs
// too much, and 0 where there is none that the layers see something of: what a level needs
// goes with its pixels, but for some of it.
func (r *run) sizeFor(last sketch, least way) int {
	rooms := r.rooms()
	in := rooms[len(rooms)-1].less(demand{heapSlack / 4, heapSlack / 4}) // it may change a little
	share := 1.
	if needs := r.bytesOf(least); needs > 0 {
		share = float64(in.device) / float64(needs)
	}
	if !in.shared && least.needs.host > 0 {
		share = min(share, float64(in.host)/float64(least.needs.host))
	}
	for size := int(float64(max(last.width, last.height)) * math.Sqrt(share)); size >= r.options.minimumSize(); size -= max(1, size/20) {
		s, err := r.extractor.sketch(outlineOf(r.content.Bounds().Size(), r.styles, r.options, size))
		if err != nil {
			return 0
		}
		variants := r.options.Optimizer.row().variants(r.extractor.Device)
		if _, fits, err := r.allotIn(in, []sketch{s}, variants[len(variants)-1], nil); err == nil && fits {
			return size / 2 * 2
		}
	}
	return 0
}

// shortage is the error of a demand that is more than there is.
func (r *run) shortage(needed demand) *plan.MemoryError {
	rooms := r.rooms()
	in := rooms[len(rooms)-1]
	err := memoryError(needed.host, in.host)
	switch {
	case in.shared:
		err = memoryError(needed.device+needed.host, in.device)
	case needed.device > in.device:
		err = &plan.MemoryError{Needed: needed.device, Available: in.device}
	}
	if r.options.Memory > 0 {
		err.Limit = "run"
	}
	return err
}
