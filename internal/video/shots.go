package video

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"impasto/internal/panics"
)

// Shot is a part of a film that doesn't depend on the others.
type Shot struct {
	First   int      // index of its first frame
	Frames  []string // files of what its frames show, in order
	Results []string // files for what becomes of them
}

// Shots finds the shots of the film, as Paint does, by what frames show alone.
func (f *Film) Shots(ctx context.Context) ([]Shot, error) {
	var shots []Shot
	p := pass{Film: f, number: 1, tracker: tracker{reach: f.options.Consistency.Reach}}
	for i := range f.options.Frames {
		now, err := f.open(ctx, i)
		if err != nil {
			return nil, err
		}
		before, err := p.before(ctx, i, now)
		if err != nil {
			return nil, fmt.Errorf("video: frame %d: %w", i+1, err)
		}
		if before == nil {
			shots = append(shots, Shot{First: i})
		}
		p.tracker.take(before, now, now.content) // what it is painted as makes no difference
		last := &shots[len(shots)-1]
		last.Frames = append(last.Frames, f.options.Frames[i])
		last.Results = append(last.Results, f.result(f.options.Consistency.Passes, i))
	}
	return shots, nil
}

// PaintShots is Paint where somebody else paints: paint makes the results of a shot, and says
// what became of its frames, the first of which has the number 1. It is called on several
// goroutines, for so many shots at a time.
func (f *Film) PaintShots(ctx context.Context, atOnce int, paint func(context.Context, Shot) ([]Report, error)) (files []string, err error) {
	shots, err := f.Shots(ctx)
	if err != nil {
		return nil, err
	}
	passes := f.options.Consistency.Passes
	if err := os.MkdirAll(filepath.Dir(f.result(passes, 0)), 0o777); err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	f.clock = clock{total: len(f.options.Frames)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type ending struct {
		shot    Shot
		reports []Report
		err     error
	}
	next, ended := make(chan Shot, len(shots)), make(chan ending, len(shots))
	for _, s := range shots {
		next <- s
	}
	close(next)
	var failed error
	var panicked any // of a goroutine below, for this one
	go func() {
		defer close(ended)
		defer func() { panicked = recover() }()
		failed = panics.Together(max(1, min(atOnce, len(shots))), func(int) error {
			for s := range next {
				if ctx.Err() != nil {
					return nil
				}
				reports, err := paint(ctx, s)
				ended <- ending{s, reports, err}
			}
			return nil
		})
	}()
	for e := range ended {
		if e.err == nil && err == nil {
			e.err = f.takeShot(e.shot, e.reports)
		}
		if e.err != nil && err == nil {
			err = withContext(fmt.Sprintf("video: the shot from frame %d on", e.shot.First+1), e.err)
			cancel()
		}
	}
	if panicked != nil {
		panic(panicked)
	}
	if err == nil {
		err = failed
	}
	if err == nil {
		err = ctx.Err() // which ends what hasn't begun, too
	}
	if err != nil {
		return nil, err
	}
	for _, s := range shots {
		files = append(files, s.Results...)
	}
	return files, nil
}

// takeShot takes in a shot that was painted.
func (f *Film) takeShot(s Shot, reports []Report) error {
	if len(reports) != len(s.Frames) {
		return fmt.Errorf("%d of %d frames are told of", len(reports), len(s.Frames))
	}
	for i, r := range reports {
		index := s.First + i
		r.Frame = index + 1
		f.reports[index] = r
		f.clock.add(r, true)
		if f.options.Finished != nil {
			if err := f.options.Finished(index, s.Results[i]); err != nil {
				return err
			}
		}
		passes := f.options.Consistency.Passes
		if err := f.tell(Event{Kind: Painted, Frame: r.Frame, Pass: passes, Report: r}); err != nil {
			return err
		}
	}
	return nil
}
