package studio

import (
	"encoding/json"
	"net/http"

	"impasto/model"
)

// key tells recipes apart.
func (of recipe) key() string {
	text, err := json.Marshal(of)
	if err != nil {
		return "" // numbers were checked to be finite
	}
	return string(text)
}

// planAnswer says what a run would take.
type planAnswer struct {
	Seconds float64       `json:"seconds"`
	Memory  int64         `json:"memory"` // in bytes
	Levels  []levelAnswer `json:"levels"`
	Remarks []string      `json:"remarks"`
	// Waits tells that there isn't the memory for it while other runs are under way, or
	// that others wait before it.
	Waits bool `json:"waits"`
	// Refused says why the run can't be made at all.
	Refused string `json:"refused,omitempty"`
}

type levelAnswer struct {
	Width      int     `json:"width"`
	Height     int     `json:"height"`
	Iterations int     `json:"iterations"`
	Seconds    float64 `json:"seconds"`
	Memory     int64   `json:"memory"`
	Remark     string  `json:"remark,omitempty"`
}

// mostPlans is how many plans are remembered, for runs that are begun after they were asked
// for.
const mostPlans = 100

// postPlan answers POST /plan.
func (s *Studio) postPlan(w http.ResponseWriter, r *http.Request) error {
	var q runRequest
	if err := readJSON(w, r, &q); err != nil {
		return err
	}
	of, err := s.recipe(q)
	if err != nil {
		return err
	}
	release, err := s.files.wait(r.Context())
	if err != nil {
		return err
	}
	plan, err := s.planOf(r.Context(), "", of, nil, s.options.Memory)
	release()
	if r.Context().Err() != nil {
		return r.Context().Err()
	}
	answer := planAnswer{Levels: []levelAnswer{}, Remarks: []string{}}
	if err != nil {
		answer.Refused = refusal(err)
		return writeJSON(w, http.StatusOK, answer)
	}
	answer.fill(plan)
	s.mutex.Lock()
	answer.Waits = len(s.queue()) > 0 || len(s.active) > 0 && (s.resident+s.used()+plan.Memory > s.budget || len(s.active) >= s.options.AtOnce)
	if len(s.plans) >= mostPlans {
		clear(s.plans)
	}
	if fits(plan) {
		s.plans[of.key()] = plannedBy(plan)
	}
	s.mutex.Unlock()
	return writeJSON(w, http.StatusOK, answer)
}

func (a *planAnswer) fill(p model.Plan) {
	a.Seconds, a.Memory = p.Time.Seconds(), p.Memory
	a.Remarks = append(a.Remarks, p.Remarks...)
	for _, l := range p.Levels {
		a.Levels = append(a.Levels, levelAnswer{l.Width, l.Height, l.Iterations, l.Time.Seconds(), l.Memory, l.Remark})
	}
}
