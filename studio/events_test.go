package studio

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTwoTabsAreToldTheSame(t *testing.T) {
	c := open(t, Options{})
	one, _ := c.listen("/events")
	run := c.begin(c.request(5))
	two, _ := c.listen("/events")
	var first, second runList
	c.next(one, "snapshot").decode(t, &first)
	c.next(two, "snapshot").decode(t, &second)
	if len(first.Runs) != 0 || len(second.Runs) != 1 || second.Runs[0].ID != run.ID {
		t.Errorf("snapshots of %d and %d runs, want 0 and 1", len(first.Runs), len(second.Runs))
	}
	for _, events := range []<-chan event{one, two} {
		states := map[state]bool{}
		var progress progressEvent
		var last runInfo
		for last.State != finished {
			select {
			case e, open := <-events:
				if !open || last.State == failed {
					t.Fatalf("the stream ended, or the run failed: %+v", last)
				}
				switch e.kind {
				case "run":
					e.decode(t, &last)
					states[last.State] = true
				case "progress":
					e.decode(t, &progress)
				}
			case <-time.After(patience):
				t.Fatal("no more events")
			}
		}
		if !states[running] || progress.Run != run.ID || progress.Progress.Picture == 0 || progress.Progress.Loss <= 0 {
			t.Errorf("states %v, progress %+v", states, progress)
		}
	}
	c.want(http.StatusNoContent, "DELETE", "/runs/"+run.ID, nil, nil)
	var removed removedEvent
	for _, events := range []<-chan event{one, two} {
		if c.next(events, "removed").decode(t, &removed); removed.Run != run.ID {
			t.Errorf("%+v is removed", removed)
		}
	}
}

func TestARunsEventsAreOfNoOther(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	one, other := c.begin(c.request(2)), c.begin(c.request(1))
	events, _ := c.listen("/runs/" + one.ID + "/events")
	var list runList
	c.next(events, "snapshot").decode(t, &list)
	if len(list.Runs) != 1 || list.Runs[0].ID != one.ID {
		t.Errorf("%+v", list)
	}
	c.waitFor(other.ID, finished)
	c.want(http.StatusNoContent, "DELETE", "/runs/"+other.ID, nil, nil)
	c.want(http.StatusNoContent, "DELETE", "/runs/"+one.ID, nil, nil)
	for {
		e := c.next(events, "removed")
		if strings.Contains(e.data, other.ID) {
			t.Errorf("told of the other: %s", e.data)
		}
		if strings.Contains(e.data, one.ID) {
			return
		}
	}
}

func TestARunGoesOnWithoutItsClient(t *testing.T) {
	c := open(t, Options{})
	events, stop := c.listen("/events")
	run := c.begin(c.request(12))
	c.next(events, "progress")
	stop()
	for range events { // until the stream has ended
	}
	if run = c.waitFor(run.ID, finished); run.Progress.Done != 12 {
		t.Errorf("%+v", run.Progress)
	}
	c.studio.events.mutex.Lock()
	defer c.studio.events.mutex.Unlock()
	if n := len(c.studio.events.listeners); n != 0 {
		t.Errorf("%d listeners are left", n)
	}
}

func TestASlowClientMissesProgressOnly(t *testing.T) {
	e := events{listeners: map[*listener]bool{}}
	l := &listener{ready: make(chan struct{}, 1), progress: map[string][]byte{}}
	e.join(l)
	for i := range 500 {
		e.progress("a", progress{Done: i})
		e.progress("b", progress{Done: 1000 + i})
		if i%100 == 0 {
			e.run("a", runInfo{ID: "a"})
		}
	}
	e.removed("b")
	data, lost := l.take()
	text := string(data)
	if strings.Count(text, "event: run\n") != 5 || strings.Count(text, "event: removed\n") != 1 || lost {
		t.Errorf("%d runs and %d removed, want 5 and 1 (lost: %t)", strings.Count(text, "event: run\n"), strings.Count(text, "event: removed\n"), lost)
	}
	if strings.Count(text, "event: progress\n") != 1 || !strings.Contains(text, `"done":499`) {
		t.Errorf("of progress there is %d, want the last of the run that is there", strings.Count(text, "event: progress\n"))
	}
	for range mostWaiting + 1 {
		e.removed("a")
	}
	if _, lost := l.take(); !lost {
		t.Error("one that takes nothing isn't cut off")
	}
}

func TestStreamsEndWithTheServer(t *testing.T) {
	c := open(t, Options{})
	events, _ := c.listen("/events")
	c.next(events, "snapshot")
	c.close()
	select {
	case _, more := <-events:
		if more {
			t.Error("there is an event more")
		}
	case <-time.After(patience):
		t.Error("the stream goes on")
	}
	c.problemOf(http.StatusServiceUnavailable, "GET", "/events", nil)
}

func TestProgressIsToldTenTimesASecondAtMost(t *testing.T) {
	c := open(t, Options{})
	events, stop := c.listen("/events")
	run := c.begin(c.request(400)) // of a second or so
	run = c.waitFor(run.ID, finished)
	stop()
	told, pictures := 0, map[int]bool{}
	for e := range events {
		if e.kind == "progress" {
			var of progressEvent
			e.decode(t, &of)
			told++
			pictures[of.Progress.Picture] = true
		}
	}
	// One for each picture, which is told of at once, and ten a second.
	if most := len(pictures) + int(10*run.Ended.Sub(*run.Started).Seconds()) + 1; told > most || told < 2 {
		t.Errorf("told %d times, want at most %d", told, most)
	}
}
