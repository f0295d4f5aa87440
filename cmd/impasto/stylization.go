package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/model"
)

// stylization is one that is under way.
type stylization struct {
	options  stylizeOptions
	reporter reporter
	stdout   io.Writer // of events, or of the picture
	json     bool      // events are written
	cancel   context.CancelCauseFunc
	started  time.Time
	verbose  bool
	remark   string // the last one that was told

	checkpointer *checkpointer
	log          *runLog // nil where none is kept
	watcher      *watcher
	description  *description
}

// planned tells what the run takes.
func (s *stylization) planned(plan model.Plan) {
	s.reporter.note(summaryOf(plan))
	for _, remark := range plan.Remarks {
		s.reporter.note(remark)
	}
}

// begin notes how a level is computed, and tells what it takes.
func (s *stylization) begin(level model.Level) {
	s.description.computation = level.Computation
	if !s.verbose {
		return
	}
	s.reporter.note(fmt.Sprintf("scale %d/%d, %d×%d, takes %s on %s",
		level.Number, level.Levels, level.Width, level.Height, mebibytes(level.Memory), level.Device))
	for _, remark := range level.Remarks {
		s.reporter.note(remark)
	}
}

// progress shows and writes what is asked for after an iteration. What fails
// stops the run; the picture so far is written all the same.
func (s *stylization) progress(p model.Progress) {
	if s.verbose && p.Remark != "" && p.Remark != s.remark {
		s.remark = p.Remark
		s.reporter.note(p.Remark)
	}
	s.reporter.progress(p)
	s.log.add(p)
	s.watcher.progress(p)
	if s.json {
		if err := printJSON(s.stdout, newIterationEvent(p)); err != nil {
			s.cancel(err)
		}
	}
	if every := s.options.SaveEvery; every > 0 && p.Done%every == 0 && p.Done < p.Total {
		if err := s.snapshot(p); err != nil {
			s.cancel(err)
		}
	}
}

// snapshot writes an intermediate picture.
func (s *stylization) snapshot(p model.Progress) error {
	img, err := p.Picture()
	if err != nil {
		return err
	}
	path, result := snapshotPath(s.options.Output, p.Done), &model.Result{Image: img, Last: p}
	s.description.unfinished = true
	err = s.save(path, result)
	if s.description.unfinished = false; err != nil {
		return err
	}
	return s.tell(path, result, writtenEvent{})
}

// finish writes the result, and tells how it went. Where the run ended early, by
// cause or by err of its own, the picture so far is written all the same. Where it
// can't be written, it goes elsewhere.
func (s *stylization) finish(result *model.Result, err, cause error) error {
	if errors.Is(cause, context.Canceled) {
		cause = errInterrupted
	}
	if cause != nil {
		err = cause
	}
	if err != nil && (result == nil || result.Last.Done == 0) {
		if cause != nil {
			err = fmt.Errorf("%w; nothing was written%s", err, s.hint())
		} else {
			err = fmt.Errorf("%w; nothing was written", err)
		}
		return err
	}
	s.description.unfinished = err != nil
	path, failed := s.saveSomewhere(result)
	what := "the picture"
	if err != nil {
		what = fmt.Sprintf("the picture after %d of %s", result.Last.Done, report.Count(result.Last.Total, "iteration"))
		if scaledUp(result) {
			what += fmt.Sprintf(", painted at %d×%d and scaled up,", result.Last.Width, result.Last.Height)
		}
	}
	if failed != nil {
		if err != nil {
			// That it failed counts more than that it was interrupted.
			failed = fmt.Errorf("%s; %w", err, failed)
		}
		err = failed
	}
	if path == "" {
		return fmt.Errorf("%w; %s is lost%s", err, what, s.hint())
	}
	event := writtenEvent{Final: true, Interrupted: what != "the picture"}
	if failed != nil {
		event.Error = quote.Line(failed.Error())
	}
	if event.Interrupted && s.checkpointer.there {
		event.Checkpoint = s.checkpointer.path
	}
	if told := s.tell(path, result, event); err == nil {
		err = told
	}
	switch {
	case err == nil:
		s.checkpointer.remove()
		return nil
	case path == standardStream:
		return fmt.Errorf("%w; %s went to standard output%s", err, what, s.hint())
	}
	return fmt.Errorf("%w; %s is in %s%s", err, what, quote.Name(path), s.hint())
}

// hint says how to go on, where that is possible.
func (s *stylization) hint() string {
	if !s.checkpointer.there {
		return ""
	}
	return "; " + s.checkpointer.command() + " goes on from there"
}

// scaledUp tells whether a picture has another size than it was painted at.
func scaledUp(result *model.Result) bool {
	size := result.Image.Bounds().Size()
	return size.X != result.Last.Width || size.Y != result.Last.Height
}

// saveSomewhere saves the final picture to the output, or else to another name near it,
// or nowhere: then path is empty. Failed is why it isn't the output.
func (s *stylization) saveSomewhere(result *model.Result) (path string, failed error) {
	path = s.options.Output
	if failed = s.save(path, result); failed == nil {
		return path, nil
	}
	wanted := path
	if path == standardStream {
		wanted = filepath.Join(os.TempDir(), "painted"+extensions[s.options.Format])
	}
	rescue := func() (string, error) {
		return atomicfile.Rescue(wanted, func(path string) error { return s.save(path, result) })
	}
	path, err := rescue()
	if err != nil && s.options.Format == "webp" { // which takes memory to be written
		wanted, s.options.Format = strings.TrimSuffix(wanted, filepath.Ext(wanted))+".png", "png"
		path, err = rescue()
	}
	if err != nil {
		return "", failed
	}
	return path, failed
}

// save writes a picture to a file or to standard output.
func (s *stylization) save(path string, result *model.Result) error {
	if path != standardStream {
		return picture.Save(path, result.Image, s.saveOptions(result))
	}
	buffered := bufio.NewWriterSize(s.stdout, 1<<16)
	err := picture.Encode(buffered, result.Image, s.saveOptions(result))
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("write the picture to standard output: %w", atomicfile.WithoutPath(err))
	}
	return nil
}

// saveOptions say how a picture is written, and what its file says of it.
func (s *stylization) saveOptions(result *model.Result) picture.SaveOptions {
	o := s.options.saveOptions()
	if err := s.description.add(&o, result.Last); err != nil {
		s.reporter.note(fmt.Sprintf("the picture's file doesn't say how it was made: %s", quote.Line(err.Error())))
	}
	return o
}

// tell says that a picture was written. The event has what the result doesn't.
func (s *stylization) tell(path string, result *model.Result, event writtenEvent) error {
	size, took := result.Image.Bounds().Size(), time.Since(s.started)
	shown := path
	if path == standardStream {
		shown = "standard output"
	}
	painted := ""
	if scaledUp(result) {
		painted = fmt.Sprintf(" (scaled up from %d×%d)", result.Last.Width, result.Last.Height)
	}
	s.reporter.note(fmt.Sprintf("wrote %s: %d×%d%s, %s in %s, loss %s", quote.Name(shown), size.X, size.Y, painted,
		report.Count(result.Last.Done, "iteration"), report.Duration(took), significant(result.Last.Loss)))
	if event.Final && picture.Flattens(path, result.Image, s.options.saveOptions()) {
		s.reporter.note("the picture is transparent in part, which a JPEG can't be: it is laid on white; write a .png or .tif to keep that")
	}
	for _, remark := range result.Remarks {
		s.reporter.note(remark)
	}
	if !s.json {
		return nil
	}
	event.Event, event.Path, event.Width, event.Height = "written", path, size.X, size.Y
	event.PaintedWidth, event.PaintedHeight = result.Last.Width, result.Last.Height
	event.Iterations, event.Loss, event.Seconds = result.Last.Done, result.Last.Loss, took.Seconds()
	event.Remarks = result.Remarks
	return printJSON(s.stdout, event)
}
