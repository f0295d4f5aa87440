package model

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"time"

	"impasto/internal/optim"
	"impasto/internal/picture"
)

// descent is the optimisation of the picture at one level.
type descent struct {
	run             *run
	index           int // of the level
	objective       *objective
	point, gradient optim.Vector
	average         *optim.Average // nil where the last iterate is the result
	done            int            // the level's iterations so far
	ended           bool           // no more are needed
	stall           stall
	kept            kept
}

// newDescent puts the picture on the machine and readies the optimiser, which
// goes on from the last level where there was one.
func (r *run) newDescent(index int, o *objective) (*descent, error) {
	r.objective = o
	d := &descent{run: r, index: index, objective: o, point: o.point, gradient: o.slope}
	device, optimizer := r.extractor.Device, r.options.Optimizer.row()
	if r.options.Resume == nil { // else restore has the picture
		if err := r.put(r.levels[index], d.point); err != nil {
			return nil, err
		}
	}
	var err error
	if r.optimiser == nil {
		r.optimiser, err = optimizer.variants(device)[r.variant].open(device, d.point, d.gradient, r)
	} else {
		from, to := r.levels[index-1], r.levels[index]
		err = r.optimiser.Rescale(d.point, d.gradient, to.width, to.height, resampler(from, to))
	}
	if err != nil {
		return nil, err
	}
	if !optimizer.averages {
		return d, nil
	}
	d.average, err = optim.NewAverage(device, d.point, r.options.AverageDecay)
	return d, err
}

func (d *descent) close() {
	if d.average != nil {
		d.average.Close()
	}
}

// resampler carries planes of one level's size over to another's.
func resampler(from, to level) optim.Resampler {
	return func(values []float32, how optim.Interpolation) ([]float32, error) {
		filter := picture.Bicubic
		if how == optim.NonNegative {
			filter = picture.Bilinear
		}
		resized := make([]float32, 3*to.width*to.height)
		err := picture.ResizePlanes(resized, values, 3, from.height, from.width, to.height, to.width, filter)
		if how == optim.NonNegative {
			for i, v := range resized {
				resized[i] = max(v, 0)
			}
		}
		// What is left of steps at the level before doesn't move what is still, either.
		to.still().each(func(at int) { resized[at] = 0 })
		return resized, err
	}
}

// A descent stalls where the loss falls by no more than leastFall of itself in
// stallIterations: a usual one falls a thousand times as fast at its end.
const (
	leastFall       = 1e-6
	stallIterations = 5
)

// iterate makes the level's iterations, or as many as its share of the time
// allows, and fewer where the optimiser finds that no more would help.
func (d *descent) iterate(ctx context.Context) error {
	evaluate := func() (float64, error) { return d.objective.evaluate(ctx) }
	for i := d.done + 1; !d.ended && d.run.more(d.index, i); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		rekeyed, err := d.rekey(i)
		if err != nil {
			return d.explain(i, err)
		}
		report, err := d.run.optimiser.Step(evaluate)
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return ctx.Err()
		}
		if err != nil {
			return d.explain(i, err)
		}
		if d.average != nil {
			d.average.Update(d.point)
		}
		d.keep()
		d.done = i
		d.ended = !rekeyed && d.average == nil && (report.Stationary || d.stall.add(report.Loss))
		if err := d.tell(i, report); err != nil {
			return err
		}
		if d.run.options.Checkpoint != nil {
			d.moment(d.ended || d.run.options.TimeLimit == 0 && i == d.run.levels[d.index].iterations, false)
		}
	}
	return nil
}

// stall watches the loss of a descent that never climbs. It is part of checkpoints.
type stall struct {
	Count int
	Since float64 // the loss before the iterations counted
}

// add takes in the loss after an iteration, and tells whether the descent has stalled.
func (s *stall) add(loss float64) bool {
	if s.Count == 0 || s.Since-loss > leastFall*math.Abs(s.Since) {
		s.Count, s.Since = 1, loss
		return false
	}
	s.Count++
	return s.Count > stallIterations
}

// rekey gives losses that sample another key for an iteration of this
// level; within one, and so within a line search, the seed stays. L-BFGS then
// evaluates the point again, which doubles its evaluations, so that each change
// of gradient in its history is one of a single function. With one seed for a
// whole level instead, what it doesn't see is left undone: sliced, in a draft of
// 256 pixels, then ends with 1.9 times the distance by channel at relu4_1, and
// 1.4 times gaussian's.
func (d *descent) rekey(iteration int) (rekeyed bool, err error) {
	turn := iteration
	for _, l := range d.run.levels[:d.index] {
		turn += l.iterations
	}
	rekeyed, err = d.objective.rekey(d.run.options.Seed, turn)
	if rekeyed && err == nil {
		d.run.optimiser.Renew()
	}
	return rekeyed, err
}

// explain says at which iteration an error happened, and which term of the loss
// made it NaN or infinite.
func (d *descent) explain(iteration int, err error) error {
	where := fmt.Sprintf("iteration %d", iteration)
	var notFinite *optim.NonFiniteError
	if !errors.As(err, &notFinite) {
		return fmt.Errorf("%s: %w", where, err)
	}
	if culprit, ok := d.objective.culprit(); ok {
		where += fmt.Sprintf(": the term %q is %v", culprit.Name, culprit.Value)
	}
	return fmt.Errorf("%s: %w; try a smaller step size or smaller weights, and check the network's parameters", where, err)
}

// tell records the progress and hands it to whoever asked for it.
func (d *descent) tell(iteration int, report optim.Report) error {
	terms, err := d.objective.values()
	if err != nil {
		return err
	}
	r, l := d.run, d.run.levels[d.index]
	elapsed := time.Since(r.began)
	r.estimate.add(iteration, report.Evaluations, elapsed)
	p := Progress{
		Level: d.index + 1, Levels: len(r.levels),
		Width: l.width, Height: l.height,
		Iteration: iteration, Iterations: l.iterations,
		Done:  iteration,
		Loss:  report.Loss,
		Terms: terms, GradientNorm: report.GradientNorm,
		Elapsed: elapsed, Remaining: r.estimate.remaining(elapsed),
		Remark: d.objective.Remark(),
	}
	p.Work, p.TotalWork = r.estimate.progress(elapsed)
	for i, l := range r.levels {
		p.Total += l.iterations
		if i < d.index {
			p.Done += l.iterations
		}
	}
	current := true
	p.Picture = func() (image.Image, error) {
		if !current {
			return nil, errors.New("model: picture of an iteration that has passed; ask for it before Progress returns")
		}
		shown, err := d.picture()
		if err != nil {
			return nil, err
		}
		return r.show(context.Background(), l, shown)
	}
	r.last = p
	r.curve.add(p)
	if r.options.Progress != nil {
		r.options.Progress(p)
	}
	current = false
	return nil
}

// picture is the result so far.
func (d *descent) picture() (*picture.Picture, error) {
	l := d.run.levels[d.index]
	p := &picture.Picture{Width: l.width, Height: l.height, RGB: make([]float32, d.point.Len())}
	if d.average != nil {
		return p, d.average.Result(p.RGB)
	}
	return p, d.run.extractor.Device.Download(p.RGB, d.point)
}
