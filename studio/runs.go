package studio

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"impasto/internal/records"
)

// loadRuns reads the runs in the folder. Those that were under way are queued again, before
// those that waited.
func (s *Studio) loadRuns() error {
	entries, err := os.ReadDir(filepath.Join(s.store.folder, "runs"))
	if err != nil {
		return fmt.Errorf("studio: %w", err)
	}
	for _, entry := range entries {
		id := entry.Name()
		r := &run{}
		err := records.Read(s.store.run(id, recordFile), &r.record)
		if errors.Is(err, os.ErrNotExist) {
			s.clear(id) // it was being removed
			continue
		}
		if err == nil && r.ID != id {
			err = errors.New("it is of another run")
		}
		for _, needed := range r.Recipe.ids() {
			if err == nil && s.pictures[needed] == nil {
				err = fmt.Errorf("its picture %s is missing", needed)
			}
		}
		if err != nil {
			s.options.Log(fmt.Sprintf("the run %s is left out: %v", id, err))
			continue
		}
		s.runs[id] = r
		s.revive(r)
	}
	return nil
}

// revive has a run that was read from the folder go on as it did.
func (s *Studio) revive(r *run) {
	r.Progress.Picture = r.Saved // others were in memory
	switch r.State {
	case starting, running:
		r.State, r.Order = queued, -1
		if r.Attempts >= mostAttempts {
			r.State = paused
			r.remark(fmt.Sprintf("the program ended %d times while this run was made, without its getting on; it waits to be continued", r.Attempts))
		}
	case pausing:
		r.State = paused
	case stopping:
		now := time.Now().UTC()
		r.State, r.Ended = stopped, &now
	}
}

// clear removes what is in a run's folder. What can't be removed stays, and is tried again
// when the folder is opened.
func (s *Studio) clear(id string) {
	if err := os.RemoveAll(s.store.run(id)); err != nil {
		s.options.Log(fmt.Sprintf("run %s: its folder can't be removed: %v", id, err))
	}
}

// find finds a run by its id.
func (s *Studio) find(id string) (*run, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.found(id)
}

// found is find with the mutex locked.
func (s *Studio) found(id string) (*run, error) {
	if r := s.runs[id]; r != nil {
		return r, nil
	}
	return nil, problemf(http.StatusNotFound, "there is no run of this id; GET %s/runs lists those that there are", apiPrefix)
}

// listRuns answers GET /runs.
func (s *Studio) listRuns(w http.ResponseWriter, _ *http.Request) error {
	s.mutex.Lock()
	list := s.snapshot("")
	s.mutex.Unlock()
	return writeJSON(w, http.StatusOK, list)
}

// getRun answers GET /runs/{id}.
func (s *Studio) getRun(w http.ResponseWriter, r *http.Request) error {
	return s.onRun(w, r, http.StatusOK, func(*run) error { return nil })
}

// onRun does something with the run that a request names, with the mutex locked, and
// answers with the run as it then is.
func (s *Studio) onRun(w http.ResponseWriter, r *http.Request, status int, do func(*run) error) error {
	info, err := s.doWith(r.PathValue("id"), do)
	if err != nil {
		return err
	}
	return writeJSON(w, status, info)
}

// doWith does something with a run, with the mutex locked, and describes the run as it then is.
func (s *Studio) doWith(id string, do func(*run) error) (runInfo, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closing.Err() != nil {
		return runInfo{}, errClosed // runs that are under way in name may have ended
	}
	one, err := s.found(id)
	if err == nil {
		err = do(one)
	}
	if err != nil {
		return runInfo{}, err
	}
	return s.info(one), nil
}

// mostRuns is how many runs are kept at most: a bound on what a client that went wrong can
// fill a disk with.
const mostRuns = 10_000

// createRun answers POST /runs.
func (s *Studio) createRun(w http.ResponseWriter, r *http.Request) error {
	var q runRequest
	if err := readJSON(w, r, &q); err != nil {
		return err
	}
	of, err := s.recipe(q)
	if err != nil {
		return err
	}
	return s.addRun(w, &record{Name: cleanName(q.Name), Group: cleanName(q.Group), Recipe: of}, nil)
}

// addRun adds a run and answers with it. Fill, unless nil, puts into its folder what it begins
// with.
func (s *Studio) addRun(w http.ResponseWriter, of *record, fill func(r *run) error) error {
	now := time.Now().UTC()
	of.ID, of.Created, of.Order, of.State, of.Changes, of.Remarks = newID(now), now.Round(time.Microsecond), now.UnixNano(), queued, []change{}, []string{}
	r := &run{record: *of}
	err := os.Mkdir(s.store.run(r.ID), 0o700)
	if err == nil && fill != nil {
		err = fill(r)
	}
	var info runInfo
	if err == nil {
		s.mutex.Lock()
		if err = s.keep(r); err == nil {
			info = s.info(r)
		}
		s.mutex.Unlock()
	}
	if err != nil {
		s.clear(r.ID)
		return fmt.Errorf("keep a run: %w", err)
	}
	s.wakeUp()
	w.Header().Set("Location", apiPrefix+"/runs/"+r.ID)
	return writeJSON(w, http.StatusCreated, info)
}

// keep adds a run whose folder is there. It is called with the mutex locked.
func (s *Studio) keep(r *run) error {
	if len(s.runs) >= mostRuns {
		return problemf(http.StatusConflict, "there are %d runs, which is the most that are kept; delete some", len(s.runs))
	}
	for _, id := range r.Recipe.ids() {
		if s.pictures[id] == nil {
			return problemf(http.StatusConflict, "a picture of the run was deleted meanwhile")
		}
	}
	r.Name = cmp.Or(r.Name, s.nameOf(r.Recipe))
	if r.From == nil {
		r.Plan = s.plans[r.Recipe.key()]
	}
	if err := records.Write(s.store.run(r.ID, recordFile), r.record); err != nil {
		return err
	}
	s.runs[r.ID] = r
	s.events.run(r.ID, s.info(r))
	if waiting := s.queue(); waiting[len(waiting)-1] != r {
		s.moved()
	}
	return nil
}

// nameOf is what a run is called that was given no name. It is called with the mutex locked.
func (s *Studio) nameOf(of recipe) string {
	return cleanName(stem(s.pictures[of.Content].Name) + " × " + stem(s.pictures[of.Styles[0].Picture].Name))
}

// pauseRun answers POST /runs/{id}/pause.
func (s *Studio) pauseRun(w http.ResponseWriter, r *http.Request) error {
	return s.onRun(w, r, http.StatusOK, func(one *run) error {
		switch one.State {
		case queued:
			one.State = paused
			s.changed(one)
			s.moved()
			s.reconsider()
		case starting, running:
			one.State = pausing
			one.active.cancel(errPaused)
			s.changed(one)
		case pausing, paused:
		default:
			return problemf(http.StatusConflict, "the run is %s and can't be paused", one.State)
		}
		return nil
	})
}

// continueRun answers POST /runs/{id}/continue.
func (s *Studio) continueRun(w http.ResponseWriter, r *http.Request) error {
	return s.onRun(w, r, http.StatusOK, func(one *run) error {
		switch one.State {
		case paused, stopped:
			one.Attempts = 0
			s.enqueue(one, false)
		case queued, starting, running:
		default:
			return problemf(http.StatusConflict, "the run is %s and can't be continued", one.State)
		}
		return nil
	})
}

// stopRun answers POST /runs/{id}/stop.
func (s *Studio) stopRun(w http.ResponseWriter, r *http.Request) error {
	return s.onRun(w, r, http.StatusOK, func(one *run) error {
		switch one.State {
		case queued, paused:
			now := time.Now().UTC()
			one.State, one.Ended = stopped, &now
			s.changed(one)
			s.moved()
			s.reconsider()
		case starting, running, pausing:
			one.State = stopping
			one.active.cancel(errStopped)
			s.changed(one)
		case stopping, stopped:
		default:
			return problemf(http.StatusConflict, "the run is %s and can't be stopped", one.State)
		}
		return nil
	})
}

// deleteRun answers DELETE /runs/{id}.
func (s *Studio) deleteRun(w http.ResponseWriter, r *http.Request) error {
	s.mutex.Lock()
	one, err := s.found(r.PathValue("id"))
	if err != nil {
		s.mutex.Unlock()
		return err
	}
	// Without its record, what is left of it is removed when the folder is opened, should the
	// program end now.
	if err := removeFile(s.store.run(one.ID, recordFile)); err != nil {
		s.mutex.Unlock()
		return err
	}
	delete(s.runs, one.ID)
	active := one.active
	s.events.removed(one.ID)
	if active != nil {
		active.cancel(errRemoved)
	} else {
		s.clear(one.ID)
		s.moved()
		s.reconsider()
	}
	s.mutex.Unlock()
	w.WriteHeader(http.StatusNoContent)
	return nil
}
