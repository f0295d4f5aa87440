package main

import (
	"bytes"
	"errors"
	"image"
	"image/gif"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"impasto/model"
)

func TestPreviewsAndFilmsHaveOneSize(t *testing.T) {
	folder := workshop(t)
	args := append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--preview=now.png", "--timelapse=film.gif", "--timelapse-frames=4", "--timelapse-size=24"}, shallow...)
	run := impasto(t, folder, args...).done(t)
	out := readPicture(t, filepath.Join(folder, "out.png"))
	if now := readPicture(t, filepath.Join(folder, "now.png")); now.Bounds() != out.Bounds() {
		t.Errorf("the last preview is %v, the picture %v", now.Bounds(), out.Bounds())
	}
	film, err := gif.DecodeAll(bytes.NewReader(readFile(t, filepath.Join(folder, "film.gif"))))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(film.Image); n < 2 || n > 4 {
		t.Errorf("the film has %d frames", n)
	}
	for i, frame := range film.Image {
		if size := frame.Bounds().Size(); size != image.Pt(24, 18) {
			t.Errorf("frame %d is %v", i, size)
		}
	}
	if !strings.Contains(run.stderr, "wrote film.gif") {
		t.Errorf("standard error is %q", run.stderr)
	}
}

func TestThePictureIsTheSameWithAndWithoutWatching(t *testing.T) {
	folder := workshop(t)
	args := append([]string{"stylize", "content.png", "style.png"}, shallow...)
	impasto(t, folder, append(args, "-o", "out.png")...).done(t)
	impasto(t, folder, append(args, "-o", "watched.png", "--preview=now.jpg", "--timelapse=film.png")...).done(t)
	if !bytes.Equal(readFile(t, filepath.Join(folder, "out.png")), readFile(t, filepath.Join(folder, "watched.png"))) {
		t.Error("they differ")
	}
}

func TestWhatCannotBeWatchedIsRefused(t *testing.T) {
	for _, test := range []struct {
		name      string
		args      []string
		status    int
		fragments []string
	}{
		{"a preview of no format", []string{"--preview=now"}, 1, []string{"--preview now"}},
		{"a preview in no folder", []string{"--preview=none/now.png"}, 1, []string{"--preview none/now.png"}},
		{"a preview that is an input", []string{"--preview=style.png"}, 2, []string{"is the input style.png"}},
		{"a preview that is the output", []string{"--preview=out.png"}, 2, []string{"is the output too"}},
		{"a film that is the preview", []string{"--preview=now.png", "--timelapse=now.png"}, 2, []string{"is the file of --preview too"}},
		{"a film of no format", []string{"--timelapse=film.avi"}, 1, []string{`".avi"`, ".gif"}},
		{"a film of one frame", []string{"--timelapse=film.gif", "--timelapse-frames=1"}, 2, []string{"--timelapse-frames"}},
		{"no terminal", []string{"--show=kitty"}, 2, []string{"no terminal", "--preview"}},
		{"a terminal that isn't", []string{"--show=kity"}, 2, []string{"did you mean kitty?"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := workshop(t)
			impasto(t, folder, append(append([]string{"stylize", "content.png", "style.png", "-o", "out.png"}, test.args...), shallow...)...).refused(t, test.status, test.fragments...)
			if _, err := os.Stat(filepath.Join(folder, "out.png")); err == nil {
				t.Error("there is a picture all the same")
			}
		})
	}
}

func TestAPreviewThatCannotBeWrittenAnyMoreIsToldOfOnce(t *testing.T) {
	var told []string
	o := newWatchOptions()
	o.Preview = filepath.Join(t.TempDir(), "gone", "now.png")
	w, err := newWatcher(o, image.Pt(20, 10), nil, func(remark string) { told = append(told, remark) })
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for i := range 3 {
		p := at(1, i+1, 10, 0)
		p.Picture = func() (image.Image, error) { return image.NewNRGBA(image.Rect(0, 0, 10, 5)), nil }
		w.progress(p)
		w.next = w.next.Add(-previewInterval)
	}
	if len(told) != 1 || !strings.Contains(told[0], "no previews any more") {
		t.Errorf("told %q, want one remark", told)
	}
	w.progress(model.Progress{Level: 1, Levels: 1, Iteration: 1, Iterations: 2, TotalWork: 1, Picture: func() (image.Image, error) { return nil, errors.New("none") }})
}
