package studio

import (
	"context"
	"errors"
	"image"
	"net/http"
	"sync/atomic"
	"testing"

	"impasto/model"
)

// plansAs has plans made by a function, of the number of the plan.
func (c *client) plansAs(plan func(n int) model.Plan) {
	var made atomic.Int32
	c.studio.makePlan = func(context.Context, image.Image, []model.Style, model.Options) (model.Plan, error) {
		return plan(int(made.Add(1))), nil
	}
}

var (
	whole = model.Plan{Memory: 1, Levels: []model.PlannedLevel{{Number: 1}}}
	tiled = model.Plan{Memory: 1, Levels: []model.PlannedLevel{{Number: 1, Remark: "looked at in tiles"}}}
)

// TestRoomThatComesWhileARunIsPlannedIsSeen has one of two runs end just while it is found out
// that a third doesn't fit beside the two.
func TestRoomThatComesWhileARunIsPlannedIsSeen(t *testing.T) {
	c := open(t, Options{AtOnce: 3})
	end := c.blocked(1)
	defer close(end)
	first := c.begin(c.request(1))
	c.waitFor(first.ID, running)
	c.plansAs(func(n int) model.Plan {
		if n != 2 {
			return whole
		}
		c.tell(first.ID, "stop")
		c.waitFor(first.ID, stopped)
		return tiled
	})
	second := c.begin(c.request(1))
	c.waitFor(second.ID, running)
	third := c.begin(c.request(1))
	c.waitFor(third.ID, running)
}

// TestTheNextOfTheQueueIsLookedAtWhenTheFirstLeavesIt has a run that doesn't fit beside another
// wait before one that does.
func TestTheNextOfTheQueueIsLookedAtWhenTheFirstLeavesIt(t *testing.T) {
	for _, leave := range []string{"pause", "stop", "delete"} {
		t.Run(leave, func(t *testing.T) {
			c := open(t, Options{AtOnce: 2})
			end := c.blocked(1)
			defer close(end)
			c.waitFor(c.begin(c.request(1)).ID, running)
			tried := make(chan struct{})
			c.plansAs(func(n int) model.Plan {
				if n == 1 {
					defer close(tried)
					return tiled
				}
				return whole
			})
			large := c.begin(c.request(1))
			<-tried
			small := c.begin(c.request(1))
			if leave == "delete" {
				c.want(http.StatusNoContent, "DELETE", "/runs/"+large.ID, nil, nil)
			} else {
				c.tell(large.ID, leave)
			}
			c.waitFor(small.ID, running)
		})
	}
}

// TestNoRunStartsOnceTheStudioCloses has the studio close while a run is planned.
func TestNoRunStartsOnceTheStudioCloses(t *testing.T) {
	c := open(t, Options{AtOnce: 2})
	end := c.blocked(1)
	defer close(end)
	c.waitFor(c.begin(c.request(1)).ID, running)
	ended := make(chan error, 1)
	c.plansAs(func(int) model.Plan {
		go func() { ended <- c.studio.Close(t.Context()) }()
		<-c.studio.closing.Done()
		return whole
	})
	second := c.begin(c.request(1))
	if err := <-ended; err != nil {
		t.Error(err)
	}
	c.studio.mutex.Lock()
	defer c.studio.mutex.Unlock()
	if got := c.studio.runs[second.ID].State; got != queued {
		t.Errorf("it is %s, want queued", got)
	}
}

// TestWhatIsAskedOfARunWhileTheStudioClosesIsRefused asks when the request has been let in
// already.
func TestWhatIsAskedOfARunWhileTheStudioClosesIsRefused(t *testing.T) {
	c := open(t, Options{})
	c.blocked(1)
	id := c.begin(c.request(1)).ID
	c.waitFor(id, running)
	c.close()
	_, err := c.studio.doWith(id, func(r *run) error { r.active.cancel(errPaused); return nil })
	if !errors.Is(err, errClosed) {
		t.Errorf("pausing it gives %v, want %v", err, errClosed)
	}
}
