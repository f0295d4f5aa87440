package model

import (
	"context"
	"fmt"
	"image"
	"slices"
	"time"

	"impasto/internal/picture"
)

// Plan is what a stylisation will take.
type Plan struct {
	Levels []PlannedLevel
	// Device says where the work is done.
	Device string
	// Time is what all levels are expected to take, or the TimeLimit where there is one.
	Time time.Duration
	// Memory is how many bytes the level that takes the most does; see Level.
	Memory int64
	// Remarks are what a user should know of masks that the run was given, and of a result
	// that it goes on from.
	Remarks []string
}

// PlannedLevel is what one level of the pyramid will take.
type PlannedLevel struct {
	Number        int // from 1
	Width, Height int // of the picture, in pixels
	// Iterations are those that it makes unless it ends before; 0 with a TimeLimit.
	Iterations int
	Time       time.Duration // with a TimeLimit its share of that
	Memory     int64         // in bytes; see Level
	// Remark says, for people, how a level is looked at that there isn't the memory to look
	// at whole; it is empty of others.
	Remark string
}

// MakePlan says what Stylize would take with the same arguments, without doing it. What time
// it takes follows from a few evaluations of the loss at a small size, which take some tenths
// of a second. Errors are those of Stylize.
func MakePlan(ctx context.Context, content image.Image, styles []Style, o Options) (Plan, error) {
	r, err := checkedRun(ctx, content, styles, o, nil)
	if err != nil {
		return Plan{}, err
	}
	defer r.close()
	if err := r.probe(ctx); err != nil {
		return Plan{}, err
	}
	return r.plan(), nil
}

// plan is what the run will take, by what was measured up to now.
func (r *run) plan() Plan {
	p := Plan{Device: r.extractor.Device.Name(), Time: r.estimate.total(), Remarks: r.said()}
	var before time.Duration
	for i, l := range r.levels {
		level := PlannedLevel{
			Number: i + 1, Width: l.width, Height: l.height,
			Iterations: l.iterations, Time: r.estimate.whole(i), Memory: r.bytesOf(r.ways[i]), Remark: r.ways[i].remark,
		}
		if r.ends != nil {
			level.Time = r.ends[i] - before
			before = r.ends[i]
		}
		p.Memory = max(p.Memory, level.Memory)
		p.Levels = append(p.Levels, level)
	}
	return p
}

const (
	// probeSide is the longer side of the picture that is evaluated before a run, unless the
	// layers need a larger one or the first level is smaller.
	probeSide = 128
	// probeTime ends the evaluations, and so do as many as probeEvaluations; one is timed
	// however long it takes.
	probeTime        = 250 * time.Millisecond
	probeEvaluations = 5
)

// announce tells whoever asked for it what the run will take.
func (r *run) announce(ctx context.Context) error {
	if r.options.Planned == nil {
		return nil
	}
	if err := r.probe(ctx); err != nil {
		return err
	}
	r.options.Planned(r.plan())
	return nil
}

// newEstimate counts the work of all levels.
func (r *run) newEstimate(levels []sketch) (*estimate, error) {
	e := &estimate{limit: r.options.TimeLimit}
	for i, s := range levels {
		w, err := r.extractor.workOf(s, r.ways[i].work, r.options)
		if err != nil {
			return nil, err
		}
		w.iterations = r.levels[i].iterations
		e.levels = append(e.levels, w)
	}
	return e, nil
}

// probed is a level to time evaluations at: the first one, or a smaller one.
func (r *run) probed() (level, error) {
	l := r.levels[0]
	side := max(probeSide, longestFor(l.width, l.height, r.options.minimumSize()))
	if max(l.width, l.height) <= side {
		return l, nil
	}
	o := outlineOf(image.Pt(l.width, l.height), nil, r.options, side)
	small := level{width: o.width, height: o.height}
	var err error
	if small.content, err = l.content.Resize(o.width, o.height, picture.Bilinear); err != nil {
		return small, err
	}
	for _, style := range l.styles {
		width, height := fitAtLeast(style.Width, style.Height, side, r.options.minimumSize())
		resized, err := style.Resize(width, height, picture.Bilinear)
		if err != nil {
			return small, err
		}
		small.styles, small.styleSizes = append(small.styles, resized), append(small.styleSizes, image.Pt(width, height))
	}
	return small, nil
}

// probe measures how long evaluations take on this machine, at a small size.
func (r *run) probe(ctx context.Context) error {
	if r.options.TimeLimit > 0 {
		return nil
	}
	l, err := r.probed()
	if err != nil {
		return fmt.Errorf("model: probe: %w", err)
	}
	s, err := r.extractor.sketch(l.outline())
	if err != nil {
		return fmt.Errorf("model: probe: %w", err)
	}
	through := way{work: ofSchedule(s.objective)}
	if l.width == r.levels[0].width {
		through = r.ways[0]
	}
	w, err := r.extractor.workOf(s, through.work, r.options)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	compile, err := r.targets(ctx, l, through)
	if err != nil {
		return withContext("model: probe", err)
	}
	objective, err := compile()
	if err != nil {
		return fmt.Errorf("model: probe: %w", err)
	}
	defer objective.Close()
	if err := r.extractor.Device.Upload(objective.point, l.content.RGB); err != nil {
		return fmt.Errorf("model: probe: %w", err)
	}
	seconds, err := objective.time(ctx)
	if err != nil {
		return withContext("model: probe", err)
	}
	r.estimate.probe(w.evaluation, seconds)
	return nil
}

// time is how many seconds an evaluation takes: the median of a few, without
// the first, which touches all memory.
func (o *objective) time(ctx context.Context) (float64, error) {
	if _, err := o.rekey(0, 0); err != nil {
		return 0, err
	}
	var seconds []float64
	for began := time.Now(); len(seconds) <= probeEvaluations; {
		start := time.Now()
		if _, err := o.evaluate(ctx); err != nil {
			return 0, err
		}
		seconds = append(seconds, time.Since(start).Seconds())
		if len(seconds) > 1 && time.Since(began) > probeTime {
			break
		}
	}
	warm := slices.Sorted(slices.Values(seconds[1:]))
	return warm[len(warm)/2], nil
}
