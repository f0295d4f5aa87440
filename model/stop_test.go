package model

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"impasto/internal/picture"
)

// counting is a context that counts how often it is asked whether it has ended, which
// machines do before each of an evaluation's steps, and ends the time number last.
type counting struct {
	context.Context
	cancel      context.CancelFunc
	last        int64
	asked, late atomic.Int64 // in all, and after the end
}

// Err implements context.Context.
func (c *counting) Err() error {
	if c.asked.Add(1) == c.last {
		c.cancel()
	}
	err := c.Context.Err()
	if err != nil {
		c.late.Add(1)
	}
	return err
}

// mostLate is how often a run may look at a context that has ended: the steps of an
// evaluation are ten times as many.
const mostLate = 6

func TestStopWithinAnEvaluationLeavesTheIterationBefore(t *testing.T) {
	for optimizer, loss := range map[Optimizer]string{Adam: "gram", LBFGS: "sinkhorn"} {
		t.Run(fmt.Sprintf("%s %s", optimizer, loss), func(t *testing.T) {
			o := DefaultOptions()
			o.SetLoss(named(loss))
			o.Size, o.MinSize, o.Optimizer, o.Device, o.Threads = 36, 25, optimizer, "cpu", 1
			o.FirstIterations, o.Iterations = 3, 2
			whole := stopAt(t, o, 0, 0)
			if whole.err != nil {
				t.Fatal(whole.err)
			}
			r := rand.New(rand.NewPCG(3, 0))
			for i := range 4 {
				var s stopped
				var where string
				if i%2 == 0 {
					at := 1 + r.Int64N(whole.ctx.asked.Load())
					s, where = stopAt(t, o, at, 0), fmt.Sprintf("step %d", at)
				} else {
					after := time.Duration(r.Float64() * float64(whole.took))
					s, where = stopAt(t, o, 0, after), fmt.Sprintf("%s of %s", after, whole.took)
				}
				s.check(t, where, o, whole)
			}
		})
	}
}

// stopped is what came of a run that was stopped.
type stopped struct {
	ctx        *counting
	err        error
	rgb        []float32 // of the result
	last       []float32 // of the picture after the last iteration, nil before the first
	checkpoint []byte
	took       time.Duration
}

// stopAt stops a run when its context is asked so often, or after a time; for none of
// both never.
func stopAt(t *testing.T, o Options, asked int64, after time.Duration) (s stopped) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.ctx = &counting{Context: ctx, cancel: cancel, last: asked}
	o.Progress = func(p Progress) {
		img, err := p.Picture()
		if err != nil {
			t.Error(err)
		}
		s.last = slices.Clone(img.(*picture.Picture).RGB)
	}
	o.Checkpoint = func(m Moment) {
		var data bytes.Buffer
		if err := m.Write(&data, nil); err != nil {
			t.Error(err)
		}
		s.checkpoint = data.Bytes()
	}
	r := newTestRun(t, o)
	began := time.Now()
	if after > 0 {
		defer time.AfterFunc(after, cancel).Stop()
	}
	s.err = r.climb(s.ctx)
	s.took = time.Since(began)
	if r.reached == len(r.levels)-1 || s.last == nil {
		s.rgb = r.result().Image.(*picture.Picture).RGB
	}
	return s
}

// check compares a stopped run with a whole one of the same options.
func (s stopped) check(t *testing.T, where string, o Options, whole stopped) {
	t.Helper()
	if s.err == nil { // it ended before
		return
	}
	if s.err != context.Canceled {
		t.Errorf("stopped at %s, the error is %v, want %v", where, s.err, context.Canceled)
	}
	if late := s.ctx.late.Load(); late > mostLate {
		t.Errorf("stopped at %s, the run went on for %d steps", where, late)
	}
	if s.last == nil {
		return
	}
	if s.rgb != nil && len(s.rgb) == len(s.last) && !slices.Equal(s.rgb, s.last) {
		t.Errorf("stopped at %s, the picture isn't that after the iteration before", where)
	}
	o.Resume = readFrom(t, s.checkpoint)
	if again := stopAt(t, o, 0, 0); again.err != nil || !slices.Equal(again.rgb, whole.rgb) {
		t.Errorf("stopped at %s, the run goes on to another picture, or to the error %v", where, again.err)
	}
}
