package studio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"net/http"
	"strings"
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

// TestRunsOfAGroupTakeTurnsUntilEachHasAPicture has three tries and another run made one at a
// time, of which each try lets the others have a picture before it goes on, and the other run
// come to its end.
func TestRunsOfAGroupTakeTurnsUntilEachHasAPicture(t *testing.T) {
	c := open(t, Options{})
	straight := c.begin(c.request(6))
	c.waitFor(straight.ID, finished)
	c.studio.yieldAfter = 0
	var began []string
	stylize := c.studio.stylize
	queue := make(chan struct{}) // closed when all wait
	c.studio.stylize = func(ctx context.Context, content image.Image, styles []model.Style, o model.Options) (*model.Result, error) {
		<-queue
		c.studio.mutex.Lock()
		for _, r := range c.studio.active {
			began = append(began, fmt.Sprintf("%s %d", r.Name, r.Progress.Done))
		}
		c.studio.mutex.Unlock()
		return stylize(ctx, content, styles, o)
	}
	var ids []string
	for _, name := range []string{"a", "b", "c", "other"} {
		body := c.request(6)
		if body["name"] = name; name != "other" {
			body["group"] = "tries"
		}
		ids = append(ids, c.begin(body).ID)
	}
	close(queue)
	for _, id := range ids {
		if run := c.waitFor(id, finished); run.Progress.Done != 6 || len(run.Remarks) != len(straight.Remarks) {
			t.Errorf("%+v", run)
		}
		if !bytes.Equal(c.picture(id), c.picture(straight.ID)) {
			t.Error("a picture is another than that of a run that was made at once")
		}
	}
	if got, want := strings.Join(began, ", "), "a 0, b 0, c 0, other 0, a 1, b 1, c 1"; got != want {
		t.Errorf("began %s; want %s", got, want)
	}
}
