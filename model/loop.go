package model

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"impasto/internal/engine"
	"impasto/internal/optim"
	"impasto/internal/picture"
	"impasto/internal/recolour"
)

// Stylize makes a picture that shows what content shows in the manner of the
// styles. It descends on the pixels at each level of the pyramid in turn, the
// next level starting from the result of the last.
//
// An option or a picture that won't do is an *OptionError. If ctx ends or the
// descent fails, the result is the best so far, scaled up to the size that was asked
// for, together with the error; there is none only where no level was begun.
func Stylize(ctx context.Context, content image.Image, styles []Style, o Options) (*Result, error) {
	return stylizeIn(ctx, content, styles, o, nil)
}

// stylizeIn is Stylize for a picture of a series, which is nil for one by itself.
func stylizeIn(ctx context.Context, content image.Image, styles []Style, o Options, of *Series) (*Result, error) {
	r, err := checkedRun(ctx, content, styles, o, of)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.announce(ctx); err != nil {
		return nil, err
	}
	err = r.climb(ctx)
	result := r.result()
	if err == nil && r.moved < hardlyMoved && (r.last.Done >= fewIterations || r.last.Done < r.last.Total) {
		result.Remarks = append(result.Remarks, r.stuck())
	}
	return result, err
}

// run is one stylisation on its way up the pyramid.
type run struct {
	series    *Series // that it is of, or nil
	options   Options
	extractor extractor
	content   image.Image // of which the last level makes its pictures when it begins
	styles    []Style
	colours   []recolour.Colours // of the content and of each style, where they are kept
	levels    []level
	ways      []way           // how each level goes through the network
	variant   int             // of the optimiser
	planner   *planner        // that found these
	estimate  *estimate       // of the time that is left
	ends      []time.Duration // of the levels, where there is a time limit
	optimiser optim.Optimiser
	objective *objective       // of the level that descends
	best      *picture.Picture // the result so far; nil while a level descends
	base      rounded          // what that level began with, before it was resized
	moved     float64          // the most that a level's iterations changed the picture; see difference
	reached   int              // the level that it is of
	last      Progress
	curve     curve
	began     time.Time
	first     int      // the level to begin with
	before    []string // the arithmetic of other devices that the run was on
	start     string   // the SHA-256 of what the first level starts from, where there may be checkpoints
	pictures  []string // likewise of the content and of each style, as the levels have them
	prior     string   // and of the prior
	inputs    []input  // see list
	stretched []string // see remarkStart
	remarks   []string // for the result
}

// checkedRun is newRun for arguments that may not do.
func checkedRun(ctx context.Context, content image.Image, styles []Style, o Options, of *Series) (*run, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if err := checkPictures(content, styles, o); err != nil {
		return nil, err
	}
	return newRun(ctx, content, styles, o.settleStart(), of)
}

func newRun(ctx context.Context, content image.Image, styles []Style, o Options, of *Series) (*run, error) {
	r := &run{series: of, options: o, began: time.Now()}
	var err error
	if r.extractor.recipe, err = recipeOf(o, styles); err != nil {
		return nil, err
	}
	if r.extractor.Network, err = of.open(o, r.extractor.recipe.layers()); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if o.Prior != nil && o.Prior.Weight > 0 {
		r.extractor.recipe.agreement = &agreement{weight: o.Prior.Weight}
	}
	if err = r.prepare(ctx, content, styles); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// prepare makes the levels and the picture that the first one starts from.
func (r *run) prepare(ctx context.Context, content image.Image, styles []Style) (err error) {
	o := r.options
	r.content, r.styles, r.levels = content, styles, emptyPyramid(content.Bounds().Size(), styles, o)
	last := r.levels[len(r.levels)-1]
	if r.extractor.guide, err = newGuidance(ctx, r.extractor.recipe, image.Pt(last.width, last.height), styles, o, r.extractor.Device.OnHost()); err != nil {
		return err
	}
	sketches := make([]sketch, len(r.levels))
	for i, l := range r.levels {
		if sketches[i], err = r.extractor.sketch(l.outline()); err != nil {
			return fmt.Errorf("model: %w", err)
		}
	}
	if err := r.allot(sketches); err != nil {
		return err
	}
	early := r.levels[:max(1, len(r.levels)-1)]
	if err := r.addPictures(ctx, early); err != nil {
		return err
	}
	early[0].remarkTexture()
	r.stretched = o.remarkStart(content.Bounds().Size())
	if o.Planned == nil { // which would be told
		r.remarks = append(r.remarks, r.said()...)
	}
	if r.estimate, err = r.newEstimate(sketches); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	if o.TimeLimit > 0 {
		r.ends = shareTime(o.TimeLimit, r.levels)
		for i := range r.levels {
			r.levels[i].iterations = 0 // from here on, those that were made
		}
	}
	r.best, err = start(ctx, r.levels[0], r.extractor.recipe.evenly(), o)
	r.options.StartImage = nil // which isn't needed any more, and may be large
	if err != nil || o.Checkpoint == nil && o.Resume == nil {
		return err
	}
	r.start, r.pictures, r.prior = sumPictures(r.best), sumLevels(early), sumPriors(early)
	if o.Resume != nil {
		return r.goOn(o.Resume)
	}
	return nil
}

// said is what a user should know of masks and of what is started from.
func (r *run) said() []string { return append(r.extractor.guide.said(), r.stretched...) }

func (r *run) close() {
	if r.optimiser != nil {
		r.optimiser.Close()
	}
	if r.series == nil {
		r.extractor.Close()
	}
}

// climb refines the picture at each level in turn.
func (r *run) climb(ctx context.Context) error {
	for i := r.first; i < len(r.levels); i++ {
		if err := r.refine(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// refine makes the iterations of one level.
func (r *run) refine(ctx context.Context, index int) error {
	l := &r.levels[index]
	r.estimate.begin(index, time.Since(r.began))
	where := fmt.Sprintf("model: scale %d of %d (%s)", index+1, len(r.levels), l.size())
	objective, err := r.prepareLevel(ctx, index)
	if err != nil {
		return withContext(where, err)
	}
	defer objective.Close()
	objective.still = l.still()
	if r.options.Begin != nil {
		r.options.Begin(Level{
			Number: index + 1, Levels: len(r.levels), Width: l.width, Height: l.height,
			Device: r.extractor.Device.Name(), Memory: r.bytesOf(r.ways[index]), Remarks: r.remarksOf(index),
			Computation: r.computation(),
		})
	}
	d, err := r.newDescent(index, objective)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	defer d.close()
	r.best, r.base, r.levels[index].held = nil, rounding(r.best), nil
	if c := r.options.Resume; c != nil {
		if err := d.restore(c); err != nil {
			return fmt.Errorf("%s: checkpoint: %w", where, err)
		}
		r.options.Resume = nil
		debug.FreeOSMemory() // of what was read from the checkpoint
	}
	d.keep()
	r.estimate.ready(time.Since(r.began))
	err = d.iterate(ctx)
	objective.rest()
	if unfinished := err == nil && index+1 < len(r.levels) || errors.Is(err, ctx.Err()); unfinished && ctx.Err() != nil {
		d.stopped(err == nil)
	}
	if index+1 == len(r.levels) { // what the optimiser has isn't needed any more
		r.optimiser.Close()
		r.optimiser = nil
	}
	if endErr := d.end(); err == nil {
		err = endErr
	}
	return withContext(where, err)
}

// prepareLevel computes the targets of a level and compiles its objective. Of pictures it
// leaves those of the levels to come.
func (r *run) prepareLevel(ctx context.Context, index int) (*objective, error) {
	l := &r.levels[index]
	if l.content == nil {
		if err := r.addPictures(ctx, r.levels[index:index+1]); err != nil {
			return nil, err
		}
	}
	compile, err := r.targets(ctx, *l, r.ways[index])
	for i := range r.levels[:index+1] {
		r.levels[i].dropPictures()
		if i < index {
			r.levels[i].kept, r.levels[i].original, r.levels[i].held, r.levels[i].prior = nil, nil, nil, nil
		}
	}
	// What was decoded and what targets were made of are garbage by now. Whatever is
	// left of that in a level's memory stays there throughout the level.
	debug.FreeOSMemory()
	engine.Rest()
	if err != nil {
		return nil, err
	}
	return compile()
}

// targets computes the targets of a level that goes a way. What it returns makes the
// objective.
func (r *run) targets(ctx context.Context, l level, w way) (func() (*objective, error), error) {
	r.extractor.guide.forget()
	e, planner := r.extractor.at(l.outline()), r.planner.at(l.outline())
	if prior := r.options.Prior; prior != nil {
		e.recipe.agreement = l.prior.agreement(prior.Weight)
		planner.recipe.agreement = e.recipe.agreement
	}
	var t targets
	var err error
	t.style, err = r.series.styleTargets(l.outline(), w, func() ([]styleTarget, error) {
		if w.Tiled {
			return planner.tiledStyleTargets(ctx, l, planner.cutter(w.Arena), w.Frugal)
		}
		return e.styleTargets(ctx, l)
	})
	if err != nil {
		return nil, err
	}
	if !w.Tiled {
		t.content, err = e.contentTargets(ctx, l)
		return func() (*objective, error) { return e.objective(l, t) }, err
	}
	b, err := planner.tiledContent(ctx, l, planner.cutter(w.Arena), w.Frugal)
	if err != nil {
		return nil, err
	}
	return func() (*objective, error) {
		if err := b.remember(w.keep, w.order); err != nil {
			b.close()
			return nil, err
		}
		return planner.tiledObjective(l, t, b)
	}, nil
}

// computation is what the result depends on to its last bits.
func (r *run) computation() Computation {
	c := Computation{Arithmetic: append(slices.Clone(r.before), r.extractor.Device.Arithmetic()), Variant: r.variant}
	for _, w := range r.ways {
		c.Levels = append(c.Levels, w.String())
	}
	return c
}

// remarksOf is what a user may want to know of a level.
func (r *run) remarksOf(index int) []string {
	remarks := r.levels[index].remarks
	if remark := r.ways[index].remark; remark != "" {
		remarks = append(remarks, remark)
	}
	if remark := r.options.Optimizer.row().variants(r.extractor.Device)[r.variant].remark; index == 0 && remark != "" {
		remarks = append(remarks, remark)
	}
	return remarks
}

// put puts what the last level came to on the machine, for a level to begin with.
func (r *run) put(l level, point optim.Vector) error {
	from, err := r.beginning(r.best, l)
	if err != nil {
		return err
	}
	l.hold(from)
	return r.extractor.Device.Upload(point, from.RGB)
}

// beginning is what a level begins with, given the picture before it: that in the level's
// size, with noise, and over it what it is to agree with.
func (r *run) beginning(before *picture.Picture, l level) (*picture.Picture, error) {
	from, err := before.Resize(l.width, l.height, picture.Bicubic)
	if err != nil {
		return nil, err
	}
	if first := r.levels[0]; l.width != first.width || r.options.Start.goesOn() {
		addNoise(from, r.options.Noise, r.options.Seed)
	}
	l.prior.overlay(from)
	return from, nil
}

// end takes over what the level came to.
func (d *descent) end() error {
	r := d.run
	best, err := d.picture()
	if err != nil {
		return err
	}
	l := r.levels[d.index]
	from, err := r.beginning(r.base.picture(), l)
	if err != nil {
		return err
	}
	r.moved = max(r.moved, difference(from, best))
	r.best, r.reached = best, d.index
	return nil
}

// more tells whether a level makes its iteration i. Under a time limit the level
// counts those that it made.
func (r *run) more(index, i int) bool {
	l := &r.levels[index]
	if r.options.TimeLimit == 0 {
		return i <= l.iterations
	}
	if i > 1 && time.Since(r.began) >= r.ends[index] {
		return false
	}
	l.iterations = i
	return true
}

// shareTime is when each level ends under a time limit, after the beginning.
func shareTime(limit time.Duration, levels []level) []time.Duration {
	var work []float64 // of a level and all before
	var total float64
	for _, l := range levels {
		total += float64(l.iterations) * float64(l.width) * float64(l.height)
		work = append(work, total)
	}
	ends := make([]time.Duration, len(levels))
	for i := range ends {
		ends[i] = time.Duration(work[i] / total * float64(limit))
	}
	return ends
}

// withContext says where an error happened. The end of the context, and no
// error, it leaves as they are.
func withContext(where string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}

// hardlyMoved is half a level of an 8-bit picture: a picture that changed by less, in the
// root mean square, looks as before.
const hardlyMoved = 0.5 / 255

// difference is the root mean square difference of two pictures of a size.
func difference(a, b *picture.Picture) float64 {
	var sum float64
	for i, v := range a.RGB {
		d := float64(v) - float64(b.RGB[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(a.RGB)))
}

// fewIterations are as many as may change little without anything being wrong.
const fewIterations = 3

// stuck says that the iterations were in vain, and what the loss consists of.
func (r *run) stuck() string {
	largest := Term{}
	for _, t := range r.last.Terms {
		if t.Value >= largest.Value {
			largest = t
		}
	}
	iterations := "1 iteration"
	if r.last.Done != 1 {
		iterations = fmt.Sprintf("%d iterations", r.last.Done)
	}
	return fmt.Sprintf("the picture hardly changed: %s found little or nothing that lowers the loss of %.4g, of which %q is %.4g; "+
		"try smaller weights of the content and of total variation, another start or more iterations",
		iterations, r.last.Loss, largest.Name, largest.Value)
}

// result is the picture so far at the size that was asked for; where there is no memory
// for that, at the one that was reached.
func (r *run) result() *Result {
	best, shown := r.best, r.levels[r.reached]
	if best == nil { // the level could not be ended
		best = r.base.picture()
	}
	if scaled, last, err := r.scaled(best); err == nil {
		best, shown = scaled, last
	}
	var img image.Image = best
	if painted, err := r.show(context.Background(), shown, best); err == nil {
		img = painted
	} else {
		r.remarks = append(r.remarks, fmt.Sprintf("the content's colours could not be kept: %v", err))
	}
	if r.last.Done > 0 {
		r.last.Picture = func() (image.Image, error) { return img, nil }
	}
	return &Result{Image: img, Last: r.last, Curve: r.curve.all(), Remarks: r.remarks}
}

// scaled is a picture at the size of the last level, which it returns, too, with its alpha.
func (r *run) scaled(p *picture.Picture) (*picture.Picture, level, error) {
	last := r.levels[len(r.levels)-1:]
	if last[0].original == nil && r.extractor.keeps() || last[0].alpha == nil && r.levels[r.reached].alpha != nil { // stopped before it began
		if err := addContent(context.Background(), last, r.content, picture.ResizeOptions{Filter: picture.Lanczos}); err != nil {
			return nil, level{}, err
		}
		if err := r.keep(context.Background(), last); err != nil {
			return nil, level{}, err
		}
		last[0].dropPictures()
	}
	if p.Width == last[0].width && p.Height == last[0].height {
		return p, last[0], nil
	}
	scaled, err := p.Resize(last[0].width, last[0].height, picture.Bicubic)
	return scaled, last[0], err
}
