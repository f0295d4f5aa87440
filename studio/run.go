package studio

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"impasto/internal/records"
	"impasto/model"
)

// state is where a run is in its life.
type state string

// The states. Those in which the run is under way are starting to stopping.
const (
	queued   state = "queued"
	starting state = "starting" // pictures are read and the first iteration is made
	running  state = "running"
	pausing  state = "pausing"
	stopping state = "stopping"
	paused   state = "paused"
	finished state = "finished"
	stopped  state = "stopped"
	failed   state = "failed"
)

// record is what is kept of a run in its folder, from which it goes on after a restart.
//
// A run may be changed while it is under way. What it makes under the same settings is a
// stretch, which is one call of model.Stylize, checkpoints aside.
type record struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Group    string     `json:"group"`
	Created  time.Time  `json:"created"`
	Started  *time.Time `json:"started,omitempty"`
	Ended    *time.Time `json:"ended,omitempty"`
	State    state      `json:"state"`
	Recipe   recipe     `json:"recipe"` // of the present stretch
	Changes  []change   `json:"changes"`
	Enlarges string     `json:"enlarges,omitempty"` // the run whose picture it began with
	Remarks  []string   `json:"remarks"`
	Error    string     `json:"error,omitempty"`

	Order    int64    `json:"order"`            // in the queue, least first
	Stretch  int      `json:"stretch"`          // the number of the present one, from 0
	From     *from    `json:"from,omitempty"`   // what it begins with
	Before   before   `json:"before"`           // what was made before it
	Wanted   *recipe  `json:"wanted,omitempty"` // a change that it has still to take up
	Progress progress `json:"progress"`         // the last; zero where there is none
	// Saved is the version of the picture in the folder, 0 where there is none.
	Saved int `json:"saved"`
	// Attempts is how many times the run began, or went on, since it last wrote a
	// checkpoint: one that ends the program each time is not begun again by itself.
	Attempts    int                `json:"attempts"`
	Plan        *planned           `json:"plan,omitempty"`        // of the present stretch; nil where it isn't known
	Computation *model.Computation `json:"computation,omitempty"` // of the last level begun
}

// from is the picture that a stretch begins with.
type from struct {
	File string `json:"file"` // in the run's folder
	// Side is the longer side of the first level, in pixels, at most that of the output.
	Side int `json:"side,omitempty"`
	// Larger tells that the picture is a smaller size's result, from which levels begin that
	// are larger.
	Larger bool `json:"larger,omitempty"`
}

// before is what a run had made before its present stretch.
type before struct {
	Done    int     `json:"done"`
	Levels  int     `json:"levels"`
	Share   float64 `json:"share"`
	Seconds float64 `json:"seconds"`
}

// change is one of the settings while a run was under way, as the API says it.
type change struct {
	Done     int            `json:"done"` // iterations made before it
	Settings map[string]any `json:"settings"`
}

// run is a run that there is. Its fields are guarded by the studio's mutex.
type run struct {
	record
	curve   curve // while it is under way; else it is in the folder alone
	current *view // what the run shows while it is under way; nil where there is none
	asked   time.Time
	active  *activity // nil unless it is under way
}

// planned is what a run is expected to take.
type planned struct {
	Seconds float64 `json:"seconds"`
	Memory  int64   `json:"memory"` // in bytes
}

// plannedBy is what a plan says of a run.
func plannedBy(p model.Plan) *planned { return &planned{p.Time.Seconds(), p.Memory} }

// newID is one that no other run has, and that can be part of a path.
func newID(now time.Time) string {
	return now.UTC().Format("20060102-150405-") + strings.ToLower(rand.Text()[:10])
}

// uses tells whether the run needs a picture.
func (r *run) uses(id string) bool {
	return slices.Contains(r.Recipe.ids(), id) || r.Wanted != nil && slices.Contains(r.Wanted.ids(), id)
}

// recipe is that which the run will go by.
func (r *run) recipe() recipe {
	if r.Wanted != nil {
		return *r.Wanted
	}
	return r.Recipe
}

// runInfo is a run as the API says it.
type runInfo struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	Group         string         `json:"group"`
	Created       time.Time      `json:"created"`
	Started       *time.Time     `json:"started,omitempty"`
	Ended         *time.Time     `json:"ended,omitempty"`
	State         state          `json:"state"`
	QueuePosition int            `json:"queue_position,omitempty"`
	Content       *pictureInfo   `json:"content"`
	Styles        []styleInfo    `json:"styles"`
	Protect       string         `json:"protect,omitempty"`
	Settings      map[string]any `json:"settings"`
	Size          size           `json:"size"`
	Plan          *planned       `json:"plan,omitempty"`
	Progress      *progress      `json:"progress,omitempty"`
	Changes       []change       `json:"changes"`
	Enlarges      string         `json:"enlarges,omitempty"`
	Remarks       []string       `json:"remarks"`
	Error         string         `json:"error,omitempty"`
}

type size struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

type styleInfo struct {
	Picture   *pictureInfo `json:"picture"`
	Weight    float64      `json:"weight"`
	Mask      string       `json:"mask,omitempty"`
	StyleMask string       `json:"style_mask,omitempty"`
}

// info describes a run. It is called with the mutex locked.
func (s *Studio) info(r *run) runInfo {
	of := r.recipe()
	i := runInfo{
		ID: r.ID, Name: r.Name, Group: r.Group, Created: r.Created, Started: r.Started, Ended: r.Ended, State: r.State,
		Content: s.pictures[of.Content], Styles: []styleInfo{}, Protect: of.Protect, Settings: asJSON(of.Settings), Size: s.sizeOf(of),
		Plan: r.Plan, Changes: r.Changes, Enlarges: r.Enlarges, Remarks: r.Remarks, Error: r.Error,
	}
	for _, one := range of.Styles {
		i.Styles = append(i.Styles, styleInfo{s.pictures[one.Picture], one.Weight, one.Mask, one.StyleMask})
	}
	if r.State == queued {
		i.QueuePosition = slices.Index(s.queue(), r) + 1
	}
	if r.Progress.Done > 0 {
		p := r.Progress
		i.Progress = &p
	}
	return i
}

// sizeOf is the size of the picture that a recipe makes. It is called with the mutex locked.
func (s *Studio) sizeOf(of recipe) size {
	content, o := s.pictures[of.Content], model.DefaultOptions()
	for _, a := range of.Settings {
		if side, err := strconv.Atoi(a.Text); a.Name == "size" && err == nil {
			o.Size = side
		}
	}
	width, height := model.OutputSize(content.Width, content.Height, o)
	return size{width, height}
}

// queue are the runs that wait, the next one first: those that came first, and after all others
// those of groups that have a picture. It is called with the mutex locked.
func (s *Studio) queue() []*run {
	var waiting []*run
	for _, r := range s.runs {
		if r.State == queued {
			waiting = append(waiting, r)
		}
	}
	slices.SortFunc(waiting, func(a, b *run) int {
		return cmp.Or(boolInt(a.yielding())-boolInt(b.yielding()), cmp.Compare(a.Order, b.Order), strings.Compare(a.ID, b.ID))
	})
	return waiting
}

// changed writes what has become of a run to its folder, and tells everyone. It is called with
// the mutex locked. Where writing fails, the run goes on all the same.
func (s *Studio) changed(r *run) {
	if s.removed(r) {
		return
	}
	if err := records.Write(s.store.run(r.ID, recordFile), r.record); err != nil {
		s.options.Log(fmt.Sprintf("run %s: its state can't be kept: %v", r.ID, err))
		r.remark(fmt.Sprintf("its state can't be kept and wouldn't survive a restart: %v", err))
	}
	s.events.run(r.ID, s.info(r))
}

// removed tells whether a run was removed, which may not have ended yet. It is called with the
// mutex locked.
func (s *Studio) removed(r *run) bool { return s.runs[r.ID] != r }

// remark adds a remark, once.
func (r *run) remark(text string) {
	if !slices.Contains(r.Remarks, text) {
		r.Remarks = append(r.Remarks, text)
	}
}

// What is in a run's folder.
const (
	recordFile     = "run.json"
	checkpointFile = "checkpoint"
	resultFile     = "picture.png"
	curveFile      = "curve.jsonl"
	framesFolder   = "frames"
)
