package studio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"impasto/internal/memory"
	"impasto/model"
)

// activity is a run's being made.
type activity struct {
	cancel   context.CancelCauseFunc
	reserved int64 // bytes of memory, 0 while it isn't known
}

// Why a run that is under way is ended before its time.
var (
	errPaused  = errors.New("the run is paused")
	errStopped = errors.New("the run is stopped")
	errChanged = errors.New("the run's settings are changed")
	errRemoved = errors.New("the run is removed")
	errYielded = errors.New("the run lets others go first")
	errClosing = errors.New("the server is closing")
)

// wakeUp has the scheduler look whether a run can start.
func (s *Studio) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// schedule starts runs, first come, first served, until the studio closes.
func (s *Studio) schedule() {
	defer s.working.Done()
	for {
		for s.startNext() {
		}
		select {
		case <-s.wake:
		case <-s.closing.Done():
			return
		}
	}
}

// startNext starts the run that has waited longest, if there is room for it.
//
// A run that has the machine for itself starts as model.Stylize finds best. Beside others
// one starts only where its pictures are looked at whole in what they leave of the memory:
// rather than being made in tiles, which takes longer, it waits.
func (s *Studio) startNext() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	waiting := s.queue()
	if len(waiting) == 0 || s.closing.Err() != nil || len(s.active) >= s.options.AtOnce {
		return false
	}
	next := waiting[0]
	if len(s.active) == 0 {
		s.start(next, s.options.Memory)
		return true
	}
	attempt := next.attempt()
	limit, known := s.room()
	if !known || s.tried == attempt {
		return false
	}
	s.tried = attempt
	of, from := next.Recipe, next.From
	s.mutex.Unlock()
	plan, err := s.planOf(s.closing, next.ID, of, from, limit)
	s.mutex.Lock()
	if s.closing.Err() != nil {
		return false
	}
	if now := s.queue(); s.tried != attempt || len(now) == 0 || now[0] != next {
		return true // there may be more room by now, or another is to be next
	}
	if err != nil || !fits(plan) {
		return false // until something changes
	}
	next.Plan = plannedBy(plan)
	s.start(next, limit)
	return true
}

// attempt tells apart what is tried beside other runs.
func (r *run) attempt() string { return fmt.Sprintf("%s %d %d", r.ID, r.Stretch, r.Order) }

// fits tells whether all levels of a plan are looked at whole.
func fits(p model.Plan) bool {
	for _, l := range p.Levels {
		if l.Remark != "" {
			return false
		}
	}
	return true
}

// room is how much memory the program may take while a run begins beside others, such that
// these have what they still need. It is called with the mutex locked.
func (s *Studio) room() (limit int64, known bool) {
	used := s.resident
	for _, r := range s.active {
		if r.active.reserved == 0 {
			return 0, false
		}
		used += r.active.reserved
	}
	now, _ := memory.Resident()
	limit = s.budget - max(0, used-now)
	return limit, limit > 0
}

// used is how much memory runs have, or may come to have. It is called with the mutex locked.
func (s *Studio) used() int64 {
	var used int64
	for _, r := range s.active {
		used += r.active.reserved
	}
	return used
}

// start has a run made, in a program that takes so much memory at most, or as much as
// model.Stylize finds for 0. It is called with the mutex locked.
func (s *Studio) start(r *run, limit int64) {
	ctx, cancel := context.WithCancelCause(s.context)
	r.active = &activity{cancel: cancel}
	if r.Plan != nil {
		r.active.reserved = r.Plan.Memory
	}
	r.State, r.Attempts, r.Error = starting, r.Attempts+1, ""
	if r.Started == nil {
		now := time.Now().UTC()
		r.Started = &now
	}
	s.active[r.ID] = r
	s.changed(r)
	s.moved()
	s.working.Add(1)
	go func() {
		defer s.working.Done()
		defer cancel(nil)
		s.work(ctx, r, limit)
	}()
}

// ended is called with the mutex locked when a run isn't under way any more.
func (s *Studio) ended(r *run) {
	r.active = nil
	delete(s.active, r.ID)
	s.reconsider()
}

// reconsider has the scheduler look anew whether a run can start beside others. It is called
// with the mutex locked, when there is more room or when what waits has changed.
func (s *Studio) reconsider() {
	s.tried = ""
	s.wakeUp()
}

// enqueue has a run wait for its turn, or, where it had it already, be the next. It is called
// with the mutex locked.
func (s *Studio) enqueue(r *run, first bool) {
	r.State, r.Ended = queued, nil
	r.Order = time.Now().UnixNano()
	if waiting := s.queue(); first && len(waiting) > 0 {
		for _, other := range waiting {
			r.Order = min(r.Order, other.Order-1)
		}
	}
	s.changed(r)
	if first {
		s.moved()
	}
	s.wakeUp()
}

// yieldAfter is how long a run of a group is made before it lets others go first that aren't of
// one, or are and have no picture yet. So all of a group have one early, and who has seen enough
// needn't wait for the rest. It goes on from a checkpoint, to the same picture; to read pictures
// and network again takes some tenths of a second.
const yieldAfter = 1500 * time.Millisecond

// yielding tells whether a run lets others go first: one of a group that has a picture.
func (r *run) yielding() bool { return r.Group != "" && r.Enlarges == "" && r.Progress.Done > 0 }

// yields tells whether a run that is under way is to let others go first. It is called with the
// mutex locked.
func (s *Studio) yields(r *run, since time.Time) bool {
	if r.State != running || !r.yielding() || time.Since(since) < s.yieldAfter {
		return false
	}
	waiting := s.queue()
	return len(waiting) > 0 && !waiting[0].yielding()
}

// moved tells of the runs that wait, whose places in the queue may be others now. It is called
// with the mutex locked.
func (s *Studio) moved() {
	for _, r := range s.queue() {
		s.events.run(r.ID, s.info(r))
	}
}

// planOf finds out what a recipe would take in a program that may have so much memory, 0
// for as much as model.Stylize finds. Run is that of the picture to begin with, if any.
func (s *Studio) planOf(ctx context.Context, run string, of recipe, from *from, limit int64) (model.Plan, error) {
	in, err := s.open(ctx, of)
	if err != nil {
		return model.Plan{}, err
	}
	if from != nil {
		if err := s.begin(ctx, &in, run, *from); err != nil {
			return model.Plan{}, err
		}
	}
	in.options.Memory, in.options.AsksForPictures = limit, true
	return s.makePlan(ctx, in.content, in.styles, in.options)
}

// refusal says in an error's words why a run can't be made.
func refusal(err error) string {
	var option *model.OptionError
	if errors.As(err, &option) {
		return option.Problem
	}
	text := err.Error()
	for _, prefix := range []string{"model: ", "picture: ", "studio: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
