package batch

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"
	"time"
)

// Plan is what the pictures that aren't there yet are expected to take.
type Plan struct {
	Pictures int           // to be painted
	Reused   int           // there already
	Failed   int           // that can't be painted
	Time     time.Duration // of all, as many at a time as there are seats
	Memory   int64         // in bytes, of the one that takes the most; see model.Level
	Device   string        // where that one is painted
}

// mostPlans is how many shapes of pictures are planned. What others take follows from
// their pixels, so that a batch of thousands of shapes begins soon.
const mostPlans = 12

// planned is what pictures of a content's and a style's shape take.
type planned struct {
	width, height int
	time          time.Duration
	memory        int64
	device        string
	err           error
}

// Plan finds out what Run will take, and what it will do with each job: see Statuses.
func (b *Batch) Plan(ctx context.Context) (Plan, error) {
	for _, s := range b.jobs {
		if b.look(ctx, s); ctx.Err() != nil {
			return Plan{}, b.interrupted(ctx)
		}
	}
	p, err := b.plan(ctx)
	if ctx.Err() != nil {
		return p, b.interrupted(ctx)
	}
	return p, err
}

// announce tells what Run will take, unless nobody wants to know it or nothing is to be
// painted.
func (b *Batch) announce(ctx context.Context) error {
	if !b.options.Announce || b.options.Progress == nil {
		return nil
	}
	plan, err := b.plan(ctx)
	if err != nil || plan.Pictures == 0 {
		return err
	}
	return b.tell(Event{Kind: PlannedAll, Plan: plan})
}

// plan adds up what the jobs that wait will take. One that can't be painted takes nothing:
// why, is told when its turn comes. The error is that of the context.
func (b *Batch) plan(ctx context.Context) (Plan, error) {
	var p Plan
	var longest time.Duration
	known := map[[2]image.Point]planned{} // by the shapes of the content and the style
	for _, s := range b.jobs {
		switch s.State {
		case Reused:
			p.Reused++
			continue
		case Failed:
			p.Failed++
			continue
		}
		p.Pictures++
		of, err := b.planOf(ctx, s.Job, known)
		if err != nil {
			return p, err
		}
		if of.err != nil {
			continue
		}
		s.Expected, s.Memory, s.Width, s.Height = of.time, of.memory, of.width, of.height
		s.Job.Memory = of.memory
		p.Time += of.time
		longest = max(longest, of.time)
		if p.Device == "" || of.memory > p.Memory {
			p.Memory, p.Device = of.memory, of.device
		}
	}
	p.Time = max(longest, p.Time/time.Duration(b.hands()))
	return p, nil
}

// planOf is what a job takes, by others of its shape where there are such.
func (b *Batch) planOf(ctx context.Context, job Job, known map[[2]image.Point]planned) (planned, error) {
	size := b.options.Settings.Options.Size
	content, style := b.inputs[job.Content].size, b.inputs[job.Style].size
	shape := [2]image.Point{scaled(content, size), scaled(style, size)}
	of, there := known[shape]
	if there {
		return of, nil
	}
	if len(known) >= mostPlans {
		if near, found := nearest(known, shape[0]); found {
			return near, nil
		}
	}
	plan, err := b.options.Runner.Plan(ctx, job)
	if ctx.Err() != nil {
		return of, ctx.Err()
	}
	if err != nil {
		of.err = err
	} else {
		last := plan.Levels[len(plan.Levels)-1]
		of = planned{width: last.Width, height: last.Height, time: plan.Time, memory: plan.Memory, device: plan.Device}
	}
	known[shape] = of
	return of, nil
}

// scaled is a size with the longer side as given.
func scaled(size image.Point, longer int) image.Point {
	scale := float64(longer) / float64(max(size.X, size.Y, 1))
	return image.Pt(max(1, int(math.Round(scale*float64(size.X)))), max(1, int(math.Round(scale*float64(size.Y)))))
}

// nearest is what a picture of a size takes by the planned one whose number of pixels is
// nearest to its own.
func nearest(known map[[2]image.Point]planned, size image.Point) (of planned, found bool) {
	pixels := func(p planned) float64 { return float64(p.width) * float64(p.height) }
	var all []planned
	for _, p := range known {
		if p.err == nil {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return of, false
	}
	own := float64(size.X) * float64(size.Y)
	of = slices.MinFunc(all, func(a, b planned) int {
		// The time, so that it doesn't go by chance.
		return cmp.Or(cmp.Compare(math.Abs(pixels(a)-own), math.Abs(pixels(b)-own)), cmp.Compare(a.time, b.time))
	})
	ratio := own / pixels(of)
	of.width, of.height = size.X, size.Y
	of.time, of.memory = time.Duration(ratio*float64(of.time)), int64(ratio*float64(of.memory))
	return of, true
}
