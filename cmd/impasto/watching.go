package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"time"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/terminalgraphics"
	"impasto/internal/timelapse"
	"impasto/model"
)

// watchOptions say how a picture is shown while it is painted.
type watchOptions struct {
	Preview         string // a file, or empty
	Timelapse       string // a file, or empty
	TimelapseFrames int
	TimelapseSize   int    // longer side in pixels
	Show            string // auto, never, or one of terminalgraphics.Protocols
}

// The values of --show besides protocols.
const (
	showNever = "never"
	showAuto  = "auto"
)

func newWatchOptions() watchOptions {
	return watchOptions{TimelapseFrames: 100, TimelapseSize: 512, Show: showNever}
}

const (
	// previewSide is the longer side of previews at most, and shownSide that of pictures
	// shown on a terminal.
	previewSide, shownSide = 1024, 480
	// A preview is written every previewInterval, or more seldom where making it takes more
	// than previewShare of the time.
	previewInterval = 2 * time.Second
	previewShare    = 0.03
)

// asksForPictures tells whether pictures are asked for while one is painted.
func (o watchOptions) asksForPictures() bool {
	return o.Preview != "" || o.Timelapse != "" || o.Show != showNever
}

// check reports, before any work, files that can't be written, and a terminal that shows
// no pictures. It settles what auto stands for.
func (o *watchOptions) check(output string, inputs []string, stderr io.Writer) error {
	files := map[string]string{"output": output}
	for _, f := range []struct {
		flag, path string
		check      func(path string) error
	}{
		{"preview", o.Preview, checkPreview},
		{"timelapse", o.Timelapse, timelapse.Check},
	} {
		if f.path == "" {
			continue
		}
		if f.path == standardStream {
			return usagef("--%s -: want a file", f.flag)
		}
		if err := checkFlagNotInput(f.flag, f.path, inputs); err != nil {
			return err
		}
		for other, path := range files {
			if _, same := atomicfile.Replaces(f.path, []string{path}); same || path == f.path {
				return usagef("--%s %s is the %s too; name another file", f.flag, f.path, other)
			}
		}
		files["file of --"+f.flag] = f.path
		if err := f.check(f.path); err != nil {
			return fmt.Errorf("--%s %s: %w", f.flag, quote.Name(f.path), err)
		}
	}
	return o.settleShow(stderr)
}

func checkPreview(path string) error {
	if _, err := picture.FormatOf(path); err != nil {
		return err
	}
	return atomicfile.Check(path)
}

// settleShow makes Show a protocol, or showNever.
func (o *watchOptions) settleShow(stderr io.Writer) error {
	if o.Show == showNever {
		return nil
	}
	if !isTerminal(stderr) {
		return usagef("--show %s: standard error is no terminal; --preview FILE writes the picture to a file as it grows", o.Show)
	}
	if o.Show != showAuto {
		return nil
	}
	if o.Show = string(terminalgraphics.Detect(os.Getenv, terminalgraphics.AnswersSixel)); o.Show == "" {
		return usagef("--show: this terminal isn't known to show pictures (kitty, iTerm2, WezTerm, ghostty and those with sixels are); --show kitty, iterm2 or sixel insists, --preview FILE writes a file")
	}
	return nil
}

// watcher shows a picture while it is painted. What fails is told of once, and the run goes
// on without it.
type watcher struct {
	options watchOptions
	stderr  io.Writer
	tell    func(remark string)
	size    image.Point // of the output

	recorder *timelapse.Recorder
	next     time.Time // of the preview
	shown    int       // the scale that began when a picture was shown last
}

// newWatcher prepares for an output of about a size.
func newWatcher(o watchOptions, size image.Point, stderr io.Writer, tell func(remark string)) (*watcher, error) {
	w := &watcher{options: o, stderr: stderr, tell: tell, size: size}
	if o.Timelapse == "" {
		return w, nil
	}
	width, height := picture.FitSize(size.X, size.Y, min(o.TimelapseSize, max(size.X, size.Y)))
	var err error
	w.recorder, err = timelapse.New(timelapse.Options{Path: o.Timelapse, Frames: o.TimelapseFrames, Width: width, Height: height})
	return w, err
}

func (w *watcher) close() {
	if w.recorder != nil {
		w.recorder.Close()
	}
}

// progress shows what is due after an iteration.
func (w *watcher) progress(p model.Progress) {
	now := time.Now()
	previews := w.options.Preview != "" && !now.Before(w.next)
	records := w.recorder != nil && w.recorder.Due(p.Work/p.TotalWork)
	shows := w.options.Show != showNever && p.Level > 1 && p.Level != w.shown
	if !previews && !records && !shows {
		return
	}
	img, err := p.Picture()
	if err != nil {
		w.tell(fmt.Sprintf("no picture of this iteration: %v", err))
		return
	}
	if previews {
		w.preview(img)
		w.next = now.Add(max(previewInterval, time.Duration(float64(time.Since(now))/previewShare)))
	}
	if records {
		w.record(img)
	}
	if shows {
		w.shown = p.Level
		w.show(fmt.Sprintf("after scale %d of %d:", p.Level-1, p.Levels), img)
	}
}

// finish shows the result, and writes the film.
func (w *watcher) finish(result image.Image) {
	if w.options.Preview != "" {
		w.preview(result)
	}
	if w.options.Show != showNever {
		w.show("the picture:", result)
	}
	if w.recorder == nil {
		return
	}
	w.record(result)
	if w.recorder == nil {
		return
	}
	if err := w.recorder.Save(); err != nil {
		w.tell(err.Error())
		return
	}
	w.tell(fmt.Sprintf("wrote %s", quote.Name(w.options.Timelapse)))
}

func (w *watcher) preview(img image.Image) {
	width, height := picture.FitSize(w.size.X, w.size.Y, min(previewSide, max(w.size.X, w.size.Y)))
	resized, err := picture.ResizedTo(context.Background(), img, picture.ResizeOptions{Filter: picture.Lanczos}, width, height)
	if err == nil {
		err = picture.Save(w.options.Preview, resized, picture.SaveOptions{})
	}
	if err != nil {
		w.options.Preview = ""
		w.tell(fmt.Sprintf("there are no previews any more: %v; the run goes on", err))
	}
}

func (w *watcher) record(img image.Image) {
	if err := w.recorder.Add(img); err != nil {
		w.recorder.Close()
		w.recorder = nil
		w.tell(fmt.Sprintf("there will be no %s: %v; the run goes on", quote.Name(w.options.Timelapse), err))
	}
}

func (w *watcher) show(caption string, img image.Image) {
	width, height := picture.FitSize(w.size.X, w.size.Y, min(shownSide, max(w.size.X, w.size.Y)))
	resized, err := picture.ResizedTo(context.Background(), img, picture.ResizeOptions{Filter: picture.Lanczos}, width, height)
	if err == nil {
		w.tell(caption)
		err = terminalgraphics.Protocol(w.options.Show).Show(w.stderr, resized)
	}
	if err != nil {
		w.options.Show = showNever
		w.tell(fmt.Sprintf("the terminal is shown no pictures any more: %v", err))
	}
}
