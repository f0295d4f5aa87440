package studio

import (
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/model"
)

const (
	// previewShare is how much of a run's time pictures of it may take, those who look at
	// them included.
	previewShare = 0.03
	// filmInterval is how often a picture is made while nobody looks, for the film.
	filmInterval = 10 * time.Second
	// lookPatience is how long somebody who asked for a picture is taken to look.
	lookPatience = 10 * time.Second
)

// view is a picture of a run that is under way.
type view struct {
	version int
	img     image.Image // of the level's size
	cost    *atomic.Int64
}

// shownVersion is the version of the picture after some iterations, and savedVersion that of the one
// in the run's folder, which may have another size.
func shownVersion(done int) int { return 2 * done }

func savedVersion(done int) int { return 2*done + 1 }

// preview says when to make a picture of a run.
type preview struct {
	made bool         // there was one
	last time.Time    // when the last was made
	cost atomic.Int64 // nanoseconds that pictures have taken since, to be made and to be encoded
}

// due tells whether it is time for a picture: at once after the first iteration, then when
// somebody looks, or the film wants one, and what the last has cost is a small enough share
// of the time since.
func (p *preview) due(now time.Time, watched bool) bool {
	if !p.made {
		return true
	}
	since := now.Sub(p.last)
	if !watched && since < filmInterval {
		return false
	}
	return float64(p.cost.Load()) <= previewShare*float64(since)
}

// look makes a picture of the run where one is due.
func (w *worker) look(p model.Progress, of progress) *view {
	now := time.Now()
	if !w.preview.due(now, w.studio.watched(w.run)) {
		return nil
	}
	img, err := p.Picture()
	w.preview.made, w.preview.last = true, now
	w.preview.cost.Store(int64(time.Since(now)))
	if err != nil {
		w.studio.options.Log(fmt.Sprintf("run %s: no picture of an iteration: %v", w.run.ID, err))
		return nil
	}
	if w.film.due(of.Share) {
		w.film.add(of, img, &w.preview.cost)
	}
	return &view{shownVersion(of.Done), img, &w.preview.cost}
}

// watched tells whether anyone looks at a run.
func (s *Studio) watched(r *run) bool {
	if s.events.listening(r.ID) {
		return true
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return time.Since(r.asked) < lookPatience
}

const (
	// filmSide is the longer side of a film's frames at most, in pixels.
	filmSide = 480
	// filmFrames is about how many frames a film has.
	filmFrames = 100
)

// film keeps frames of how a run is made, as files that are named by the iterations made.
type film struct {
	folder string

	next    float64 // the share of the run from which on the next frame is due
	writing sync.WaitGroup
	failed  atomic.Bool
}

func (f *film) due(share float64) bool { return share >= f.next && !f.failed.Load() }

// add keeps a frame, on a goroutine of its own. What it takes is added to the cost.
func (f *film) add(of progress, img image.Image, cost *atomic.Int64) {
	f.writing.Go(func() {
		began := time.Now()
		defer func() { cost.Add(int64(time.Since(began))) }()
		if err := f.write(of.Done, img); err != nil {
			f.failed.Store(true) // the run goes on without more of a film
		}
	})
	f.next = of.Share + 1./filmFrames
}

func (f *film) write(done int, img image.Image) error {
	if err := os.MkdirAll(f.folder, 0o700); err != nil {
		return err
	}
	width, height := imageQuery{size: filmSide}.fitted(img.Bounds().Size())
	small, err := picture.ResizedTo(context.Background(), img, picture.ResizeOptions{Filter: picture.Lanczos, OnWhite: true}, width, height)
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(f.folder, frameName(done)), func(w io.Writer) error {
		return picture.Encode(w, small, picture.SaveOptions{Format: "jpeg"})
	})
}

// wait waits until all frames are in the folder.
func (f *film) wait() { f.writing.Wait() }

// cut removes the frames after some iterations, which will be made again.
func (f *film) cut(done int) {
	for _, name := range frameNames(f.folder) {
		if frame, _ := frameDone(name); frame > done {
			_ = os.Remove(filepath.Join(f.folder, name)) // or the film has a step back
		}
	}
}

func frameName(done int) string { return fmt.Sprintf("%08d.jpg", done) }

// frameDone is how many iterations had been made at a frame.
func frameDone(name string) (int, bool) {
	done, err := strconv.Atoi(strings.TrimSuffix(name, ".jpg"))
	return done, err == nil && name == frameName(done)
}

// frameNames are the files of frames in a folder, in their order.
func frameNames(folder string) []string {
	entries, err := os.ReadDir(folder) // sorted by name
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if _, ok := frameDone(entry.Name()); ok {
			names = append(names, entry.Name())
		}
	}
	return names
}
