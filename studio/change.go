package studio

import (
	"cmp"
	"fmt"
	"net/http"

	"impasto/internal/atomicfile"
)

// runPatch is what PATCH changes of a run. What is nil stays.
type runPatch struct {
	Name     *string         `json:"name"`
	Settings *values         `json:"settings"`
	Styles   *[]styleRequest `json:"styles"`
	Protect  *string         `json:"protect"`
}

// patchRun answers PATCH /runs/{id}.
func (s *Studio) patchRun(w http.ResponseWriter, r *http.Request) error {
	var q runPatch
	if err := readJSON(w, r, &q); err != nil {
		return err
	}
	one, err := s.find(r.PathValue("id"))
	if err != nil {
		return err
	}
	s.mutex.Lock()
	of := one.recipe()
	s.mutex.Unlock()
	changes, err := s.patched(&of, q)
	if err != nil {
		return err
	}
	return s.onRun(w, r, http.StatusOK, func(one *run) error {
		if changes {
			if err := s.alter(one, of); err != nil {
				return err
			}
		}
		if q.Name != nil {
			one.Name = cmp.Or(cleanName(*q.Name), one.Name)
		}
		s.changed(one)
		return nil
	})
}

// patched makes a recipe what a patch says, and tells whether it is another.
func (s *Studio) patched(of *recipe, q runPatch) (changes bool, err error) {
	was := of.key()
	if q.Settings != nil {
		if of.Settings, err = q.Settings.assignments(); err != nil {
			return false, err
		}
	}
	if q.Styles != nil {
		if of.Styles, err = s.stylesOf(*q.Styles); err != nil {
			return false, err
		}
	}
	if q.Protect != nil {
		if of.Protect = *q.Protect; of.Protect != "" {
			if err := s.wantPicture("protect", of.Protect); err != nil {
				return false, err
			}
		}
	}
	return of.key() != was, of.check()
}

// alter has a run go on under another recipe. It is called with the mutex locked.
func (s *Studio) alter(r *run, of recipe) error {
	switch r.State {
	case queued, paused:
		s.reconsider()            // it may fit now
		if r.Progress.Done == 0 { // nothing was made yet
			r.Recipe, r.Wanted, r.Plan = of, nil, nil
			return nil
		}
		s.turn(r, of, s.still(r))
		return nil
	case starting, running, pausing:
		r.Wanted = &of
		return nil
	}
	return problemf(http.StatusConflict, "the run is %s, so that its settings can't be changed any more; make a new one", r.State)
}

// turn begins another stretch of a run, under another recipe and with a picture, or, where
// there is none, with what the present stretch began with. It is called with the mutex
// locked.
func (s *Studio) turn(r *run, of recipe, with *from) {
	if with != nil {
		r.Before, r.From = r.Progress.after(), with
	}
	r.Changes = append(r.Changes, change{r.Progress.Done, asJSON(of.Settings)})
	r.Recipe, r.Wanted, r.Plan = of, nil, nil
	r.Stretch++
}

// still has a run that isn't under way begin its next stretch with the picture that is in its
// folder. It is nil where there is none of this stretch. It is called with the mutex
// locked.
func (s *Studio) still(r *run) *from {
	if r.Saved == 0 || r.Progress.Done <= r.Before.Done {
		return nil
	}
	next := &from{File: startFile(r.Stretch + 1), Side: max(r.Progress.Width, r.Progress.Height)}
	if err := atomicfile.Copy(s.store.run(r.ID, next.File), s.store.run(r.ID, resultFile)); err != nil {
		r.remark(fmt.Sprintf("it couldn't go on from its picture and begins anew: %s", refusal(err)))
		return nil
	}
	return next
}
