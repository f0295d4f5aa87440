package studio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// heartbeat is after how long a stream has a comment line, by which either end finds out
	// that the other is gone.
	heartbeat = 15 * time.Second
	// streamPatience is how long a client may take nothing of what is written to it.
	streamPatience = time.Minute
	// mostWaiting is how many events wait for a client. One that is slower is cut off; when
	// it connects again, it is told how things stand.
	mostWaiting = 1000
)

// events hands out what happens to all who listen.
type events struct {
	mutex     sync.Mutex
	listeners map[*listener]bool
	closed    bool
}

// listener is a client's stream.
type listener struct {
	run   string // the only run that it is about; empty for all
	ready chan struct{}

	mutex   sync.Mutex
	waiting [][]byte
	// progress is what is to be told of runs' progress. A newer one takes the place of one
	// that wasn't told yet.
	progress map[string][]byte
	lost     bool // it was too slow, or the server closes
}

// message is an event as it is sent.
func message(event string, value any) []byte {
	data, err := json.Marshal(value)
	if err != nil { // no value of ours fails
		data, event = []byte(`{}`), "error"
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "event: %s\ndata: %s\n\n", event, data)
	return out.Bytes()
}

// removedEvent and progressEvent are data of events.
type removedEvent struct {
	Run string `json:"run"`
}

type progressEvent struct {
	Run      string   `json:"run"`
	Progress progress `json:"progress"`
}

// run tells of a run that has changed.
func (e *events) run(id string, info runInfo) { e.tell(id, message("run", info)) }

// removed tells of a run that is gone.
func (e *events) removed(id string) { e.tell(id, message("removed", removedEvent{id})) }

func (e *events) tell(run string, data []byte) {
	e.each(run, func(l *listener) {
		delete(l.progress, run) // which it would bring back
		l.waiting = append(l.waiting, data)
		l.lost = l.lost || len(l.waiting) > mostWaiting
	})
}

// progress tells how far a run has got.
func (e *events) progress(run string, p progress) {
	var data []byte // the same for all
	e.each(run, func(l *listener) {
		if data == nil {
			data = message("progress", progressEvent{run, p})
		}
		l.progress[run] = data
	})
}

// each changes what waits for all who listen to a run.
func (e *events) each(run string, change func(*listener)) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for l := range e.listeners {
		if l.run != "" && l.run != run {
			continue
		}
		l.mutex.Lock()
		change(l)
		l.mutex.Unlock()
		l.wake()
	}
}

func (l *listener) wake() {
	select {
	case l.ready <- struct{}{}:
	default: // it will look anyway
	}
}

// listening tells whether anyone listens to a run.
func (e *events) listening(run string) bool {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for l := range e.listeners {
		if l.run == "" || l.run == run {
			return true
		}
	}
	return false
}

// join adds a listener, unless all is closed.
func (e *events) join(l *listener) bool {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.closed {
		return false
	}
	e.listeners[l] = true
	return true
}

func (e *events) leave(l *listener) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	delete(e.listeners, l)
}

// close ends all streams.
func (e *events) close() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.closed = true
	for l := range e.listeners {
		l.mutex.Lock()
		l.lost = true
		l.mutex.Unlock()
		l.wake()
	}
}

// take takes what is to be sent.
func (l *listener) take() (data []byte, lost bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, one := range l.waiting {
		data = append(data, one...)
	}
	for _, one := range l.progress {
		data = append(data, one...)
	}
	l.waiting = nil
	clear(l.progress)
	return data, l.lost
}

// getEvents answers GET /events.
func (s *Studio) getEvents(w http.ResponseWriter, r *http.Request) error { return s.stream(w, r, "") }

// getRunEvents answers GET /runs/{id}/events.
func (s *Studio) getRunEvents(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := s.find(id); err != nil {
		return err
	}
	return s.stream(w, r, id)
}

// stream sends what happens to one run, or to all, until the client goes away.
func (s *Studio) stream(w http.ResponseWriter, r *http.Request, run string) error {
	l := &listener{run: run, ready: make(chan struct{}, 1), progress: map[string][]byte{}}
	s.mutex.Lock() // so that nothing happens between the snapshot and the first event
	snapshot := message("snapshot", s.snapshot(run))
	joined := s.events.join(l)
	s.mutex.Unlock()
	if !joined {
		return errClosed
	}
	defer s.events.leave(l)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // for proxies
	w.WriteHeader(http.StatusOK)
	control, beat := http.NewResponseController(w), time.NewTicker(heartbeat)
	defer beat.Stop()
	defer control.SetWriteDeadline(time.Time{})
	for data, lost := slices.Concat([]byte("retry: 1000\n\n"), snapshot), false; ; {
		if len(data) > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(streamPatience)) // where there are deadlines
			if _, err := w.Write(data); err != nil {
				return nil // the client is gone
			}
			if err := control.Flush(); err != nil {
				return nil
			}
		}
		if lost {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-beat.C:
			data = []byte(": still here\n\n")
		case <-l.ready:
			data, lost = l.take()
		}
	}
}

// runList are runs as the API lists them.
type runList struct {
	Runs []runInfo `json:"runs"`
}

// snapshot are all runs, or the one of an id, the newest first. It is called with the mutex
// locked.
func (s *Studio) snapshot(only string) runList {
	list := runList{Runs: []runInfo{}}
	for id, r := range s.runs {
		if only == "" || only == id {
			list.Runs = append(list.Runs, s.info(r))
		}
	}
	slices.SortFunc(list.Runs, func(a, b runInfo) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return list
}
