package main

import (
	"fmt"
	"io"
	"math"

	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/video"
)

// videoView shows people and scripts what happens to a film.
type videoView struct {
	global         globalOptions
	stdout, stderr io.Writer
	frame          reporter // while one is painted; nil for none
	finished       int      // frames of all passes
	reused         int
}

// frameEvent is written for every frame once it is finished. The keys are a promise to scripts.
type frameEvent struct {
	Event  string          `json:"event"` // "frame"
	Frames int             `json:"frames"`
	Pass   int             `json:"pass"`
	Passes int             `json:"passes"`
	State  video.EventKind `json:"state"`
	video.Report
	Work      float64  `json:"work"`
	Remaining *float64 `json:"remaining_seconds,omitempty"`
}

// frameIterationEvent is written after every iteration.
type frameIterationEvent struct {
	iterationEvent
	Frame int `json:"frame"`
	Pass  int `json:"pass"`
}

// videoSummaryEvent is written in the end.
type videoSummaryEvent struct {
	Event   string  `json:"event"` // "summary"
	Frames  int     `json:"frames"`
	Shots   int     `json:"shots"`
	Painted int     `json:"painted"`
	Reused  int     `json:"reused"`
	Flicker float64 `json:"flicker"`
	Source  float64 `json:"source_flicker"`
	Seconds float64 `json:"seconds"`
}

// show is called with every event.
func (v *videoView) show(e video.Event) error {
	if e.Kind == video.Iterated {
		return v.iterated(e)
	}
	v.end()
	v.finished++
	if e.Kind == video.Reused {
		v.reused++
	} else {
		v.say("%s", describeFrame(e))
	}
	if !v.global.JSON {
		return nil
	}
	event := frameEvent{Event: "frame", Frames: e.Frames, Pass: e.Pass, Passes: e.Passes, State: e.Kind, Report: e.Report, Work: e.Work}
	if left := e.Remaining.Seconds(); left > 0 {
		event.Remaining = &left
	}
	return printJSON(v.stdout, event)
}

// iterated shows an iteration.
func (v *videoView) iterated(e video.Event) error {
	if v.global.JSON {
		if err := printJSON(v.stdout, frameIterationEvent{newIterationEvent(e.Iteration), e.Frame, e.Pass}); err != nil {
			return err
		}
	}
	if !isTerminal(v.stderr) {
		return nil // a line for each frame will do
	}
	if v.frame == nil {
		v.frame = newReporter(v.stderr, v.global.Quiet, false)
	}
	v.frame.progress(e.Iteration)
	return nil
}

// describeFrame says in a line what became of a frame.
func describeFrame(e video.Event) string {
	r := e.Report
	of := fmt.Sprintf("frame %d of %d", e.Frame, e.Frames)
	if e.Passes > 1 {
		of += fmt.Sprintf(", pass %d of %d", e.Pass, e.Passes)
	}
	how := fmt.Sprintf("flicker %.1f, %.0f %% still", r.Flicker, 100*r.Still)
	if !r.Tied {
		how = "a shot begins"
	}
	if r.Iterations == 0 {
		how = "as the one before"
	}
	left := ""
	if e.Remaining > 0 {
		left = ", " + report.Duration(e.Remaining) + " left"
	}
	return fmt.Sprintf("%s: %s, %.1fs%s", of, how, r.Seconds, left)
}

// end ends what is shown of a frame that was being painted.
func (v *videoView) end() {
	if v.frame != nil {
		v.frame.finish()
		v.frame = nil
	}
}

// finish tells what became of the film.
func (v *videoView) finish(path string, reports []video.Report) error {
	s := summaryOfFilm(reports)
	s.Painted, s.Reused = v.finished-v.reused, v.reused
	if v.global.JSON {
		if err := printJSON(v.stdout, fileEvent{"written", path}); err != nil {
			return err
		}
		return printJSON(v.stdout, s)
	}
	seconds := ""
	if s.Seconds > 0 {
		seconds = fmt.Sprintf(", %.1fs each after the first", s.Seconds)
	}
	v.say("wrote %s: %s in %s, flicker %.1f (the film's own %.1f)%s", quote.Name(path), report.Count(s.Frames, "frame"),
		report.Count(s.Shots, "shot"), s.Flicker, s.Source, seconds)
	return nil
}

// summaryOfFilm puts the reports of all frames together.
func summaryOfFilm(reports []video.Report) videoSummaryEvent {
	s := videoSummaryEvent{Event: "summary", Frames: len(reports)}
	tied := 0
	for _, r := range reports {
		if r.Cut {
			s.Shots++
		}
		if !r.Tied {
			continue
		}
		tied++
		s.Flicker += r.Flicker * r.Flicker
		s.Source += r.Source * r.Source
		s.Seconds += r.Seconds
	}
	n := float64(max(1, tied))
	s.Flicker, s.Source, s.Seconds = math.Sqrt(s.Flicker/n), math.Sqrt(s.Source/n), s.Seconds/n
	return s
}

// say prints a line for people.
func (v *videoView) say(format string, values ...any) {
	if !v.global.Quiet {
		fmt.Fprintln(v.stderr, quote.Line(fmt.Sprintf(format, values...)))
	}
}
