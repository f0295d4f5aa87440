package model

import (
	"fmt"
	"image"

	"impasto/internal/engine"
	"impasto/internal/memory"
	"impasto/internal/plan"
)

// outline is the sizes of one level's pictures, which say how much memory it takes.
type outline struct {
	width, height int // of the output
	styles        []image.Point
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

// demandOf is what a level takes beside its pictures: machines, of which there is one at a
// time, the optimiser's vectors, the targets, and copies of the picture.
func (e extractor) demandOf(s sketch, optimizer Optimizer) (demand, error) {
	bytes, err := e.Device.Needs(s.objective)
	if err != nil {
		return demand{}, err
	}
	d, pixels := s.targets, pictureBytes(s.width, s.height)
	d.device = max(d.device, bytes) + optimizer.row().elementBytes(e.Device)*pixels/4
	d.host += copies * pixels
	return d, nil
}

// copies is how many pictures of a level's size there are at a time beside the vectors:
// what the last level came to, which is smaller, and what this one has come to so far.
// Where the level began is made again at its end, when the vectors are gone.
const copies = 2

// outlineTargets has the shapes of a level's targets, without values, and of what computing
// them takes the most of the device.
func (e extractor) outlineTargets(l outline) (t targets, d demand, err error) {
	t.style = make([]styleTarget, len(e.recipe.style))
	for i, size := range l.styles {
		summaries, outputs := e.recipe.styleOutputs()
		values, bytes, err := e.Outline(size.X, size.Y, e.recipe.styleLayers(), outputs)
		if err != nil {
			return t, d, fmt.Errorf("style picture %d: %w", i+1, err)
		}
		d.device = max(d.device, bytes)
		kept, _ := engine.KeepAll(summaries, values)
		for k, part := range e.recipe.style {
			t.style[k].add(kept[k], e.recipe.styles[i], e.recipe.form(part).Blends())
		}
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

// fits reports, before anything is computed, a size of the output that there isn't the
// memory for. The last level takes the most, and by then has the only pictures.
func (r *run) fits(content image.Point, styles []Style) error {
	needed, err := r.demandUpTo(content, styles, r.options.Size)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	short := r.shortage(needed)
	if short == nil {
		return nil
	}
	hint := " or a loss that needs less"
	if size := r.largestFit(content, styles); size > 0 {
		hint = fmt.Sprintf(", such as %d", size)
	}
	return tooLarge(outlineOf(content, styles, r.options, r.options.Size), short, hint)
}

// memories are how much of the device each level takes, with what is in the process where
// that is the same.
func (r *run) memories(levels []sketch) ([]int64, error) {
	bytes := make([]int64, len(levels))
	var later int64 // pictures of levels between this one and the last
	for i := len(levels) - 1; i >= 0; i-- {
		d, err := r.extractor.demandOf(levels[i], r.options.Optimizer)
		if err != nil {
			return nil, err
		}
		if r.extractor.Device.OnHost() {
			d.device += d.host + later + levels[i].pictures()
		}
		if bytes[i] = d.device; i+1 < len(levels) {
			later += levels[i].pictures()
		}
	}
	return bytes, nil
}

// outline is that of a level that there is.
func (l level) outline() outline { return outline{l.width, l.height, l.styleSizes} }

// demandUpTo is what a run takes whose last level has that longer side.
func (r *run) demandUpTo(content image.Point, styles []Style, size int) (demand, error) {
	last, err := r.extractor.sketch(outlineOf(content, styles, r.options, size))
	if err != nil {
		return demand{}, err
	}
	needed, err := r.extractor.demandOf(last, r.options.Optimizer)
	needed.host += last.pictures()
	return needed, err
}

// largestFit is the largest size that there is memory for, to some per cent, and 0 where
// there is none that the layers see something of.
func (r *run) largestFit(content image.Point, styles []Style) int {
	found, most := 0, r.options.Size
	for least := r.options.minimumSize(); most-least > max(1, most/100); {
		size := (least + most) / 2
		// A size of which the network sees nothing is an error, and too small.
		needed, err := r.demandUpTo(content, styles, size)
		switch {
		case err != nil:
			least = size
		case r.shortage(needed) == nil:
			least, found = size, size
		default:
			most = size
		}
	}
	return found
}

// shortage is the error of a demand that is more than there is, and nil of any other.
func (r *run) shortage(needed demand) *plan.MemoryError {
	device := r.extractor.Device
	if device.OnHost() {
		needed = demand{device: needed.device + needed.host}
	}
	switch available, known := device.Available(); {
	case known && needed.device > available && device.OnHost():
		return memoryError(needed.device, available)
	case known && needed.device > available:
		return &plan.MemoryError{Needed: needed.device, Available: available}
	}
	if available, known := memory.Available(); known && needed.host > available {
		return memoryError(needed.host, available)
	}
	return nil
}
