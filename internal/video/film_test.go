package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"impasto/internal/flow/scene"
	"impasto/internal/picture"
	"impasto/losses"
	"impasto/model"
)

const (
	testWidth, testHeight = 64, 48
	plane                 = testWidth * testHeight
)

// shoot renders frames of a scene, from a time on.
func shoot(s scene.Scene, from, count int) []*picture.Picture {
	var frames []*picture.Picture
	for i := range count {
		frames = append(frames, &picture.Picture{Width: s.Width, Height: s.Height, RGB: s.Picture(float64(from + i))})
	}
	return frames
}

// before is things that move before a background: one that stands still, or one that moves.
func before(moving bool) scene.Scene {
	all := scene.All(testWidth, testHeight)
	if moving {
		return all[3]
	}
	return all[2]
}

// save writes frames to a folder.
func save(t *testing.T, folder string, frames []*picture.Picture) []string {
	t.Helper()
	var files []string
	for i, f := range frames {
		files = append(files, filepath.Join(folder, fmt.Sprintf("%03d.png", i+1)))
		if err := picture.Save(files[i], f, picture.SaveOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// options are those of a small film that looks at the first layers of the network only.
func options(t *testing.T, frames []*picture.Picture) Options {
	t.Helper()
	o := model.DefaultOptions()
	o.SetLoss(losses.Must(losses.Named("gram")))
	o.StyleTerms, o.ContentLayers = o.StyleTerms[:3], []model.LayerWeight{{Layer: "relu3_1", Weight: 1}}
	o.Size, o.MinSize, o.FirstIterations, o.MiddleIterations, o.Iterations, o.LeastIterations = testWidth, 32, 20, 10, 20, 20
	o.Threads = 1
	style := &picture.Picture{Width: 48, Height: 48, RGB: make([]float32, 3*48*48)}
	for i := range style.RGB {
		style.RGB[i] = float32(0.5 + 0.45*math.Sin(float64(i%48)*0.9+float64(i/48%48)*0.7+float64(i/(48*48))))
	}
	c := DefaultConsistency()
	c.Iterations, c.MiddleIterations = 6, 4
	return Options{
		Frames: save(t, t.TempDir(), frames), Styles: []model.Style{{Image: style, Weight: 1}},
		Stylization: o, Consistency: c, Folder: t.TempDir(), Key: "test",
	}
}

// paint paints a film, and returns the bytes of its frames and the reports.
func paint(t *testing.T, o Options) ([][]byte, []Report) {
	t.Helper()
	film, err := New(image.Pt(testWidth, testHeight), o)
	if err != nil {
		t.Fatal(err)
	}
	defer film.Close()
	files, err := film.Paint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all, film.Reports()
}

// meanFlicker is the root mean square over frames.
func meanFlicker(reports []Report) float64 {
	var sum float64
	n := 0
	for _, r := range reports {
		if r.Tied {
			sum += r.Flicker * r.Flicker
			n++
		}
	}
	return math.Sqrt(sum / float64(n))
}

func TestEachMethodFlickersLessThanTheOneBefore(t *testing.T) {
	frames := shoot(before(true), 0, 5)
	var flicker []float64
	for _, method := range []Method{Independent, Warped, Consistent} {
		o := options(t, frames)
		o.Consistency.Method = method
		_, reports := paint(t, o)
		flicker = append(flicker, meanFlicker(reports))
		for i, r := range reports {
			if r.Cut != (i == 0) || r.Tied == (i == 0) {
				t.Errorf("%s: frame %d says that a shot begins: %v", method, i+1, r.Cut)
			}
		}
	}
	if !(flicker[1] < flicker[0] && flicker[2] < 0.7*flicker[1] && flicker[2] < flicker[0]/3) {
		t.Errorf("the methods flicker by %.2f, want less each time, and in the end a third of the first at most", flicker)
	}
}

// A background that stands still has the same pixels after 100 frames, though the film is noisy.
func TestStillBackgroundStaysAsItIs(t *testing.T) {
	frames := shoot(before(false), 0, 1)
	random := newNoise(3)
	for range 99 {
		frames = append(frames, random.add(frames[0], 2))
	}
	o := options(t, frames)
	o.Consistency.Iterations, o.Consistency.MiddleIterations = 2, 1
	o.Stylization.FirstIterations, o.Stylization.Iterations = 5, 5
	film, err := New(image.Pt(testWidth, testHeight), o)
	if err != nil {
		t.Fatal(err)
	}
	defer film.Close()
	files, err := film.Paint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, last := open(t, files[0]), open(t, files[99])
	var drift float64
	for i, v := range last.RGB {
		drift += math.Abs(float64(v - first.RGB[i]))
	}
	if drift *= 255 / float64(len(last.RGB)); drift > 1 {
		t.Errorf("after 100 frames the picture has drifted by %.2f levels, want 1 at most", drift)
	}
}

func TestSmallFramesHaveTwoScalesWhereTheLayersSeeEnough(t *testing.T) {
	for _, test := range []struct{ minSize, longer, want int }{
		{128, 640, 128}, {128, 256, 128}, {128, 240, 120}, {128, 128, 128}, {60, 64, 32}, {20, 32, 16}, {20, 28, 20},
	} {
		o := model.DefaultOptions()
		o.MinSize, o.Size = test.minSize, test.longer
		if got := leastSize(o, test.longer); got != test.want {
			t.Errorf("with scales from %d on, a frame of %d pixels has them from %d on, want %d", test.minSize, test.longer, got, test.want)
		}
	}
}

// Frames that show something new go through smaller scales than others, where strokes are made.
func TestWhatIsNewIsPaintedFromSmallScalesOn(t *testing.T) {
	o := options(t, shoot(before(false), 0, 2))
	film, err := New(image.Pt(testWidth, testHeight), o)
	if err != nil {
		t.Fatal(err)
	}
	defer film.Close()
	p, err := film.newPass(1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.journal.close()
	now, err := film.open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		fresh                 int // pixels
		least, minSize, first int // the first of the options
	}{
		"nothing new":        {0, 4, 25, 4},
		"a few pixels":       {2, 4, 25, 4},
		"as much as a strip": {60, 4, 12, 12},
		"a small film":       {60, testWidth - 1, testWidth / 2, 12},
		"one scale":          {60, testWidth, testWidth, 6},
	} {
		film.options.Stylization.MinSize = test.least
		before := &prior{picture: now.content, trusted: everywhere(plane), still: make([]bool, plane), ages: allSettled(plane)}
		for i := range test.fresh {
			before.ages[i] = pulled - 1
		}
		frame, err := p.frame(t.Context(), 1, now, before)
		if err != nil {
			t.Fatal(err)
		}
		if frame.MinSize != test.minSize || frame.LevelsPerOctave != 1 || frame.FirstIterations != test.first || frame.MiddleIterations != 4 || frame.Iterations != 6 {
			t.Errorf("%s: from a size of %d on, %d scales to an octave, with %d, %d and %d iterations, want %d, 1, %d, 4 and 6", name,
				frame.MinSize, frame.LevelsPerOctave, frame.FirstIterations, frame.MiddleIterations, frame.Iterations, test.minSize, test.first)
		}
	}
}

func open(t *testing.T, path string) *picture.Picture {
	t.Helper()
	p, err := picture.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestShotsAreFound(t *testing.T) {
	frames := slices.Concat(shoot(before(true), 0, 4), shoot(scene.All(testWidth, testHeight)[0], 0, 3), shoot(before(false), 5, 3))
	o := options(t, frames)
	o.Stylization.FirstIterations, o.Stylization.MiddleIterations, o.Stylization.Iterations = 1, 1, 1
	_, reports := paint(t, o)
	var cuts []int
	for _, r := range reports {
		if r.Cut {
			cuts = append(cuts, r.Frame)
		}
	}
	if want := []int{1, 5, 8}; !slices.Equal(cuts, want) {
		t.Errorf("shots begin at frames %v, want %v", cuts, want)
	}
}

// errStop ends a film on purpose.
var errStop = errors.New("stopped by the test")

// What was interrupted anywhere, in either pass, comes to the same film.
func TestAnInterruptedFilmGoesOn(t *testing.T) {
	for name, keep := range map[string]float64{"plain": 0, "in the film's colours": 0.8} {
		t.Run(name, func(t *testing.T) { testInterrupts(t, keep) })
	}
}

func testInterrupts(t *testing.T, keep float64) {
	frames := slices.Concat(shoot(before(false), 0, 4), shoot(before(true), 9, 3))
	o := options(t, frames)
	o.Stylization.FirstIterations, o.Stylization.MiddleIterations, o.Stylization.Iterations = 2, 1, 2
	o.Consistency.Iterations, o.Consistency.MiddleIterations, o.Consistency.Passes = 2, 1, 2
	o.Stylization.KeepColours = keep
	want, wantReports := paint(t, o)
	o.Folder = t.TempDir()
	painted := 0
	for stop := 1; ; stop++ {
		film, err := New(image.Pt(testWidth, testHeight), o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := 2 // frames that are finished before the stop
		film.options.Progress = func(e Event) error {
			switch {
			case e.Kind == Painted:
				painted++
				left--
			case e.Kind == Iterated && left == 0 && stop%2 == 0:
				cancel()
			case e.Kind == Iterated && left == 0:
				return errStop
			}
			return nil
		}
		_, err = film.Paint(ctx)
		film.Close()
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, errStop) && !errors.Is(err, context.Canceled) || stop > 20 {
			t.Fatalf("stop %d: %v", stop, err)
		}
	}
	if all := 2 * len(frames); painted != all {
		t.Errorf("%d frames were painted, want %d", painted, all)
	}
	got, reports := paint(t, o)
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("frame %d isn't what an uninterrupted film has", i+1)
		}
		a, b := reports[i], wantReports[i]
		if a.Seconds, b.Seconds = 0, 0; a != b {
			t.Errorf("frame %d is told to be %+v, want %+v", i+1, a, b)
		}
	}
}

// Frames that don't follow from what has changed stay.
func TestOnlyWhatHasChangedIsPaintedAgain(t *testing.T) {
	frames := shoot(before(true), 0, 4)
	o := options(t, frames)
	o.Stylization.FirstIterations, o.Stylization.MiddleIterations, o.Stylization.Iterations = 1, 1, 1
	o.Consistency.Iterations, o.Consistency.MiddleIterations = 1, 1
	paint(t, o)
	again := func(what string, want int) {
		t.Helper()
		painted := 0
		o.Progress = func(e Event) error {
			if e.Kind == Painted {
				painted++
			}
			return nil
		}
		paint(t, o)
		if painted != want {
			t.Errorf("%s: %d frames were painted again, want %d", what, painted, want)
		}
	}
	again("nothing", 0)
	if err := picture.Save(o.Frames[2], frames[0], picture.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	again("the third frame", 2)
	if err := os.WriteFile(filepath.Join(o.Folder, "pass-1", "results", "000004.png"), []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	again("a result is damaged", 1)
	o.Consistency.Weight *= 2
	again("the weight", 4)
	o.Key = "other"
	again("other settings", 4)
}

// A frame that shows what the one before shows has its result.
func TestAFrameThatIsTheOneBeforeIsntPainted(t *testing.T) {
	frames := shoot(before(true), 0, 1)
	o := options(t, slices.Concat(frames, frames, frames))
	got, reports := paint(t, o)
	for i, r := range reports {
		if (r.Iterations == 0) != (i > 0) || !bytes.Equal(got[i], got[0]) {
			t.Errorf("frame %d took %d iterations", i+1, r.Iterations)
		}
	}
}

func TestSeveralPassesAreTiedBothWays(t *testing.T) {
	o := options(t, shoot(before(true), 0, 4))
	o.Consistency.Passes = 2
	var order []int
	o.Finished = func(index int, file string) error {
		order = append(order, index+1)
		_, err := os.Stat(file)
		return err
	}
	_, reports := paint(t, o)
	if want := []int{4, 3, 2, 1}; !slices.Equal(order, want) {
		t.Errorf("frames were finished in the order %v, want %v", order, want)
	}
	for i, r := range reports {
		if r.Cut != (i == 0) || r.Tied != (i < 3) {
			t.Errorf("frame %d: a shot begins: %v, tied to the one after it: %v", i+1, r.Cut, r.Tied)
		}
	}
}

func TestFilmsThatCantBeMade(t *testing.T) {
	o := options(t, shoot(before(true), 0, 1))
	for name, change := range map[string]func(*Options){
		"no frames":           func(o *Options) { o.Frames = nil },
		"no passes":           func(o *Options) { o.Consistency.Passes = 0 },
		"independent passes":  func(o *Options) { o.Consistency.Passes, o.Consistency.Method = 2, Independent },
		"another method":      func(o *Options) { o.Consistency.Method = "other" },
		"reach from 2":        func(o *Options) { o.Consistency.Reach = []int{2, 3} },
		"reach that descends": func(o *Options) { o.Consistency.Reach = []int{1, 3, 2} },
		"negative weight":     func(o *Options) { o.Consistency.Weight = -1 },
		"no iterations":       func(o *Options) { o.Consistency.Iterations = 0 },
		"a wrong option":      func(o *Options) { o.Stylization.Padding = "other" },
	} {
		bad := o
		change(&bad)
		if _, err := New(image.Pt(testWidth, testHeight), bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	o.Frames = append(o.Frames, "missing.png")
	film, err := New(image.Pt(testWidth, testHeight), o)
	if err != nil {
		t.Fatal(err)
	}
	defer film.Close()
	if _, err := film.Paint(t.Context()); err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a frame is missing, and the error is %v", err)
	}
}

// A panic of whoever paints shots is the caller's, and a film that is stopped isn't finished.
func TestShotsThatArentPaintedEndTheFilm(t *testing.T) {
	o := options(t, slices.Concat(shoot(before(true), 0, 2), shoot(scene.All(testWidth, testHeight)[0], 0, 2)))
	film, err := New(image.Pt(testWidth, testHeight), o)
	if err != nil {
		t.Fatal(err)
	}
	defer film.Close()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = film.PaintShots(ctx, 1, func(_ context.Context, s Shot) ([]Report, error) {
		cancel()
		return make([]Report, len(s.Frames)), nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after one of two shots the film is stopped, and the error is %v", err)
	}
	defer func() {
		if cause := recover(); cause == nil {
			t.Error("the panic got lost")
		}
	}()
	_, _ = film.PaintShots(t.Context(), 2, func(context.Context, Shot) ([]Report, error) { panic("on purpose") })
}
