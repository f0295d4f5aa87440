package studio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"time"

	"impasto/internal/atomicfile"
	"impasto/internal/panics"
	"impasto/internal/picture"
	"impasto/model"
)

const (
	// A checkpoint is written every checkpointInterval, or more seldom where writing it takes
	// more than 1/checkpointShare of the time.
	checkpointInterval = 15 * time.Second
	checkpointShare    = 50
	// mostAttempts is how often a run is begun without getting to a checkpoint before it has
	// to be told to go on.
	mostAttempts = 3
)

// worker makes one stretch of a run. It runs on one goroutine, but for frames of the film.
type worker struct {
	studio *Studio
	run    *run
	cancel context.CancelCauseFunc
	// What the run was when the stretch began:
	recipe  recipe
	from    *from
	stretch int
	before  before

	preview    preview
	film       film
	checkpoint *model.Checkpoint // to go on from, or nil
	began      time.Time         // when it began in this turn
	written    time.Time         // when the last checkpoint was
	writing    time.Duration     // how long that took
	told       time.Time         // when progress was told last
	captured   *from             // what the next stretch begins with
}

// work makes a run, until it ends one way or the other.
func (s *Studio) work(ctx context.Context, r *run, limit int64) {
	made, err := loadCurve(s.store.run(r.ID, curveFile))
	if err != nil {
		s.options.Log(fmt.Sprintf("run %s: its curve can't be read: %v", r.ID, err))
	}
	s.mutex.Lock()
	r.curve = made
	w := &worker{
		studio: s, run: r, cancel: r.active.cancel, recipe: r.Recipe, from: r.From, stretch: r.Stretch, before: r.Before,
		began: time.Now(), written: time.Now(),
	}
	s.mutex.Unlock()
	w.film.folder = s.store.run(r.ID, framesFolder)
	result, err := w.stylize(ctx, limit)
	w.film.wait()
	cause := context.Cause(ctx)
	if errors.Is(cause, errRemoved) || errors.Is(cause, errChanged) {
		result = nil // which nobody sees
	}
	var saved error
	if result != nil && result.Last.Done > 0 {
		saved = picture.Save(s.store.run(r.ID, resultFile), result.Image, picture.SaveOptions{Depth: 16})
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	w.settle(result, err, saved, cause)
}

// stylize calls model.Stylize. Where a checkpoint doesn't fit, the stretch is begun anew.
func (w *worker) stylize(ctx context.Context, limit int64) (result *model.Result, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			p, ok := cause.(*panics.Panic)
			if !ok {
				p = panics.New(cause)
			}
			w.studio.options.Log(fmt.Sprintf("run %s: %s\n%s", w.run.ID, p, p.Stack()))
			result, err = nil, fmt.Errorf("the program made a mistake: %s", p)
		}
	}()
	w.checkpoint = w.openCheckpoint()
	result, err = w.try(ctx, limit)
	var option *model.OptionError
	if w.checkpoint != nil && errors.As(err, &option) && option.Option == "Resume" {
		w.forget(fmt.Sprintf("it couldn't go on from where it was and began anew: %s", option.Problem))
		result, err = w.try(ctx, limit)
	}
	return result, err
}

func (w *worker) try(ctx context.Context, limit int64) (*model.Result, error) {
	s := w.studio
	in, err := s.open(ctx, w.recipe)
	if err != nil {
		return nil, err
	}
	if w.from != nil {
		if err := s.begin(ctx, &in, w.run.ID, *w.from); err != nil {
			return nil, err
		}
	}
	o := &in.options
	o.Memory, o.AsksForPictures, o.Resume = limit, true, w.checkpoint
	o.Progress, o.Checkpoint, o.Begin = w.progress, w.moment, w.level
	s.mutex.Lock()
	known := w.run.Plan != nil
	s.mutex.Unlock()
	if !known {
		o.Planned = w.planned
	}
	return s.stylize(ctx, in.content, in.styles, *o)
}

// begin has a run begin with a picture of its folder.
func (s *Studio) begin(ctx context.Context, in *ingredients, run string, of from) error {
	file, err := os.Open(s.store.run(run, of.File))
	if err != nil {
		return fmt.Errorf("the picture to begin with: %w", atomicfile.WithoutPath(err))
	}
	defer file.Close()
	image, err := picture.ReadSource(ctx, file, "the picture to begin with")
	if err != nil {
		return err
	}
	o := &in.options
	o.Start, o.StartImage = model.StartFromImage, image
	if of.Larger {
		o.Start = model.StartFromResult
		return nil
	}
	o.MinSize = min(of.Side, o.Size)
	return nil
}

// planned takes in what the run is expected to take.
func (w *worker) planned(p model.Plan) {
	s := w.studio
	s.mutex.Lock()
	defer s.mutex.Unlock()
	w.run.Plan = plannedBy(p)
	w.run.active.reserved = p.Memory
	for _, remark := range p.Remarks {
		w.run.remark(remark)
	}
	s.changed(w.run)
	s.wakeUp()
}

// level takes in how a level is computed.
func (w *worker) level(l model.Level) {
	s := w.studio
	s.mutex.Lock()
	defer s.mutex.Unlock()
	w.run.Computation = &l.Computation
	for _, remark := range l.Remarks {
		w.run.remark(remark)
	}
	if w.run.State == starting {
		w.run.State = running
	}
	s.changed(w.run)
}

// tellInterval is how much time there is between two events of a run's progress at least.
const tellInterval = 100 * time.Millisecond

// progress takes in an iteration.
func (w *worker) progress(p model.Progress) {
	of := progressOf(p, w.before)
	changes, yields := w.tell(of, w.look(p, of), p.Remark)
	if changes {
		w.capture(p)
	} else if yields {
		w.cancel(errYielded)
	}
}

// tell takes in where the run stands, with a picture of it if there is one, and tells
// everyone. It tells whether the stretch is to end for other settings, and whether the run is
// to let others go first.
func (w *worker) tell(of progress, seen *view, remark string) (changes, yields bool) {
	s, r := w.studio, w.run
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if seen != nil {
		r.current = seen
	}
	of.Picture = r.Saved
	if r.current != nil {
		of.Picture = r.current.version
	}
	r.Progress = of
	r.curve.add(of)
	if remark != "" {
		r.remark(remark)
	}
	if now := time.Now(); !s.removed(r) && (seen != nil || now.Sub(w.told) >= tellInterval) {
		w.told = now
		s.events.progress(r.ID, of)
	}
	return r.Wanted != nil && w.captured == nil, s.yields(r, w.began)
}

// capture keeps the picture that the run has, for it to go on from under other settings, and
// ends the stretch. Where it can't be kept, the run goes on as it was.
func (w *worker) capture(p model.Progress) {
	next := &from{File: startFile(w.stretch + 1), Side: max(p.Width, p.Height)}
	img, err := p.Picture()
	if err == nil {
		err = picture.Save(w.studio.store.run(w.run.ID, next.File), opaque(img), picture.SaveOptions{Depth: 16})
	}
	if err == nil {
		w.captured = next
		w.cancel(errChanged)
		return
	}
	w.studio.mutex.Lock()
	defer w.studio.mutex.Unlock()
	w.run.remark(fmt.Sprintf("its settings couldn't be changed: %s", refusal(err)))
	w.run.Wanted = nil
	w.studio.changed(w.run)
}

// startFile is the picture that a stretch begins with, in the run's folder.
func startFile(stretch int) string { return fmt.Sprintf("start-%d.png", stretch) }

// opaque is a picture without its alpha: colours that it hides are part of what a run goes
// on from.
func opaque(img image.Image) image.Image {
	p, ok := img.(*picture.Picture)
	if !ok || p.Alpha == nil {
		return img
	}
	return &picture.Picture{Width: p.Width, Height: p.Height, RGB: p.RGB}
}

// checkpointNote is the attachment of a checkpoint.
type checkpointNote struct {
	Stretch int    `json:"stretch"`
	Program string `json:"program"` // another version may paint otherwise
}

// moment writes a checkpoint where one is due. The run goes on if that fails.
func (w *worker) moment(m model.Moment) {
	s, r := w.studio, w.run
	due := m.LevelEnded || time.Since(w.written) >= max(checkpointInterval, checkpointShare*w.writing)
	if m.LevelEnded && m.Last.Level == m.Last.Levels {
		return // the run has come to its end
	}
	if m.Stopped {
		due = w.captured == nil // which the next stretch begins with instead
	}
	if !due {
		return
	}
	began := time.Now()
	note, err := json.Marshal(checkpointNote{w.stretch, program()})
	if err == nil {
		err = atomicfile.Write(s.store.run(r.ID, checkpointFile), func(out io.Writer) error { return m.Write(out, note) })
	}
	w.written, w.writing = time.Now(), time.Since(began)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err == nil {
		err = r.curve.save(s.store.run(r.ID, curveFile))
		r.Attempts = 0
	}
	if err != nil {
		s.options.Log(fmt.Sprintf("run %s: no checkpoint: %v", r.ID, err))
		r.remark(fmt.Sprintf("its checkpoint can't be written, so that it may have to begin anew: %s", refusal(err)))
	}
	s.changed(r)
}

// openCheckpoint is where the stretch goes on from, or nil where it begins.
func (w *worker) openCheckpoint() *model.Checkpoint {
	path := w.studio.store.run(w.run.ID, checkpointFile)
	if _, err := os.Stat(path); err != nil {
		w.forget("")
		return nil
	}
	c, err := model.OpenCheckpoint(checkpointAt(path))
	var note checkpointNote
	if err == nil {
		err = json.Unmarshal(c.Attachment(), &note)
	}
	switch {
	case err != nil:
		w.forget(fmt.Sprintf("its checkpoint can't be read, and it began anew: %s", refusal(err)))
		return nil
	case note.Stretch != w.stretch:
		w.forget("") // it is from before the settings were changed
		return nil
	case note.Program != program():
		w.forget("its checkpoint is of another version of the program, which may paint otherwise, and it began anew")
		return nil
	}
	w.studio.mutex.Lock()
	defer w.studio.mutex.Unlock()
	done := w.before.Done + c.Last().Done
	w.run.curve.cut(done)
	w.film.cut(done)
	return c
}

// forget has the stretch begin anew.
func (w *worker) forget(remark string) {
	w.checkpoint = nil
	w.studio.mutex.Lock()
	defer w.studio.mutex.Unlock()
	w.run.curve.cut(w.before.Done)
	w.film.cut(w.before.Done)
	if remark != "" {
		w.run.remark(remark)
		w.studio.changed(w.run)
	}
}

// checkpointAt is a checkpoint's file, which is open only while it is read from: the next one
// may take its place, which on some systems it can't while it is open.
type checkpointAt string

// ReadAt implements io.ReaderAt.
func (path checkpointAt) ReadAt(data []byte, offset int64) (int, error) {
	file, err := os.Open(string(path))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.ReadAt(data, offset)
}

// settle takes in how a stretch ended: result and err are those of model.Stylize, saved is why
// the picture isn't in the folder, cause why the stretch was ended. It is called with the
// mutex locked.
func (w *worker) settle(result *model.Result, err, saved, cause error) {
	s, r := w.studio, w.run
	s.ended(r)
	if s.removed(r) {
		s.clear(r.ID)
		return
	}
	if curveErr := r.curve.save(s.store.run(r.ID, curveFile)); curveErr != nil {
		s.options.Log(fmt.Sprintf("run %s: its curve can't be kept: %v", r.ID, curveErr))
	}
	r.curve = curve{}
	if errors.Is(cause, errChanged) {
		w.change()
		return
	}
	r.current = nil
	if result != nil {
		for _, remark := range result.Remarks {
			r.remark(remark)
		}
		if result.Last.Done > 0 && saved == nil {
			r.Saved = savedVersion(r.Progress.Done)
		}
	}
	r.Progress.Picture = r.Saved
	if saved != nil {
		s.options.Log(fmt.Sprintf("run %s: its picture can't be kept: %v", r.ID, saved))
	}
	if errors.Is(cause, errYielded) { // unless it was told otherwise meanwhile
		switch r.State {
		case pausing:
			cause = errPaused
		case stopping:
			cause = errStopped
		}
	}
	now := time.Now().UTC()
	switch {
	case err == nil && saved == nil:
		r.State, r.Ended, r.Wanted = finished, &now, nil
		r.Progress.Share = 1
		none := 0.
		r.Progress.Remaining = &none
		if err := removeFile(s.store.run(r.ID, checkpointFile)); err != nil {
			s.options.Log(fmt.Sprintf("run %s: %v", r.ID, err))
		}
	case err == nil:
		r.State, r.Ended, r.Error = failed, &now, fmt.Sprintf("its picture can't be kept: %s", refusal(saved))
	case errors.Is(cause, errClosing):
		// It goes on when the folder is opened again, with the change that it was taking up.
		if w.captured != nil {
			s.turn(r, *r.Wanted, w.captured)
		}
	case errors.Is(cause, errPaused):
		r.State = paused
		w.takeUp()
	case errors.Is(cause, errYielded):
		r.State = queued
		w.takeUp()
		s.moved()
	case errors.Is(cause, errStopped):
		r.State, r.Ended, r.Wanted = stopped, &now, nil
	default:
		r.State, r.Ended, r.Error, r.Wanted = failed, &now, refusal(err), nil
	}
	s.changed(r)
}

// takeUp has a run that has ended go on under the settings that are wanted, if any are, with the
// picture that it has. It is called with the mutex locked.
func (w *worker) takeUp() {
	if w.run.Wanted == nil {
		return
	}
	with := w.captured
	if with == nil {
		with = w.studio.still(w.run)
	}
	w.studio.turn(w.run, *w.run.Wanted, with)
}

// change takes up other settings, with the picture that was captured. The run goes on, and
// shows what it did, unless it was told to end meanwhile: then that picture is what it has.
// It is called with the mutex locked.
func (w *worker) change() {
	s, r := w.studio, w.run
	if r.State != pausing && r.State != stopping {
		s.turn(r, *r.Wanted, w.captured)
		s.enqueue(r, true)
		return
	}
	if err := atomicfile.Copy(s.store.run(r.ID, resultFile), s.store.run(r.ID, w.captured.File)); err != nil {
		s.options.Log(fmt.Sprintf("run %s: its picture can't be kept: %v", r.ID, err))
	} else {
		r.Saved = savedVersion(r.Progress.Done)
	}
	r.current, r.Progress.Picture = nil, r.Saved
	s.turn(r, *r.Wanted, w.captured)
	if r.State == pausing {
		r.State = paused
	} else {
		now := time.Now().UTC()
		r.State, r.Ended = stopped, &now
	}
	s.changed(r)
}
