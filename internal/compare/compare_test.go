package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/internal/picture"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/losses"
)

// writePicture writes a picture of waves.
func writePicture(t *testing.T, path string, width, height int, frequency float64) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			wave := func(phase float64) uint8 {
				return uint8(127 + 120*math.Sin(float64(x)*frequency+3*math.Cos(float64(y)*frequency)+phase))
			}
			img.SetNRGBA(x, y, color.NRGBA{wave(0), wave(2), wave(4), 255})
		}
	}
	if err := picture.Save(path, img, picture.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
}

// named are the losses of names that there are.
func named(names ...string) []losses.Loss {
	var list []losses.Loss
	for _, name := range names {
		list = append(list, losses.Must(losses.Named(name)))
	}
	return list
}

// tiny are the options of a comparison that takes little time, of pictures in a
// folder of the test's.
func tiny(t *testing.T, dimensions ...Dimension) Options {
	t.Helper()
	folder := t.TempDir()
	content, style := filepath.Join(folder, "content.png"), filepath.Join(folder, "style.png")
	writePicture(t, content, 40, 30, 0.15)
	writePicture(t, style, 36, 36, 0.9)
	base := settings.Default()
	for name, value := range map[string]string{
		"style-layers": "relu1_1", "content-layers": "relu2_1", "size": "32", "min-size": "32", "first-iterations": "2", "noise": "0", "device": "cpu", "threads": "1",
	} {
		if err := base.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	cells, err := Grid(base, dimensions, func(name string) bool { return name == "first-iterations" || name == "min-size" }, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Content: content, Styles: []Style{{style, 1}}, Cells: cells, Base: base, Losses: named("gram", "moments"),
		Folder: filepath.Join(folder, "out"), Version: "test",
	}
}

// watched runs a comparison and lists what happens, but for the iterations.
func watched(t *testing.T, ctx context.Context, o Options, then func(Event) error) (c *Comparison, events []string, err error) {
	t.Helper()
	o.Progress = func(e Event) error {
		if e.Kind != Iterated {
			text := fmt.Sprintf("%s %s %d/%d", e.Kind, e.Picture.Name, e.Number, e.Count)
			if e.Kind == Written {
				text = "written " + filepath.Base(e.Path)
			}
			events = append(events, text)
		}
		if then == nil {
			return nil
		}
		return then(e)
	}
	c, err = New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	err = c.Run(ctx)
	return c, events, err
}

func TestComparisonTellsWhatHappens(t *testing.T) {
	o := tiny(t, Dimension{"loss", []string{"gram", "moments"}})
	iterations := 0
	c, events, err := watched(t, t.Context(), o, func(e Event) error {
		switch e.Kind {
		case Iterated:
			if iterations++; e.Iteration.Total != 2 || e.Picture.Name == "" {
				t.Errorf("%+v", e)
			}
		case Painting:
			if name := e.Settings.Loss.Description().Name; name != e.Picture.Name {
				t.Errorf("%s is painted by %s", e.Picture.Name, name)
			}
		case Painted:
			if _, err := picture.Open(t.Context(), e.Path); err != nil || e.Picture.Iterations != 2 || e.Picture.Loss <= 0 {
				t.Errorf("%v, %+v", err, e.Picture)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{"written scores.json", "written sheet.png", "written index.html", "written curves.json", "written curves.svg"}
	want := slices.Concat([]string{"painting gram 1/2", "painted gram 1/2", "painting moments 2/2", "painted moments 2/2",
		"scoring content 1/3", "complete content 1/3", "scoring gram 2/3", "complete gram 2/3", "scoring moments 3/3", "complete moments 3/3"}, shown)
	if !slices.Equal(events, want) {
		t.Errorf("events are %q, want %q", events, want)
	}
	if iterations != 4 {
		t.Errorf("%d iterations, want 4", iterations)
	}
	if err := c.Failure(); err != nil {
		t.Error(err)
	}
	report := c.Report()
	if len(report.Pictures) != 3 || report.ScoreSize != [2]int{32, 24} || len(report.Pictures[1].Style) != 2 || *report.Pictures[0].Kept > 1e-6 {
		t.Errorf("%+v", report)
	}
	data, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if file, err := os.ReadFile(filepath.Join(o.Folder, scoresFile)); err != nil || string(file) != string(data)+"\n" {
		t.Errorf("scores.json isn't the report (%v)", err)
	}

	_, events, err = watched(t, t.Context(), o, nil)
	want = slices.Concat([]string{"reused gram 1/2", "reused moments 2/2", "complete content 1/3", "complete gram 2/3", "complete moments 3/3"}, shown)
	if err != nil || !slices.Equal(events, want) {
		t.Errorf("the second time: %v, events are %q, want %q", err, events, want)
	}
}

func TestErrorOfProgressEndsTheComparison(t *testing.T) {
	full := errors.New("the log is full")
	for _, kind := range []EventKind{Painting, Iterated, Painted, Scoring, Complete, Written} {
		seen := 0
		_, _, err := watched(t, t.Context(), tiny(t, Dimension{"loss", []string{"gram"}}), func(e Event) error {
			if e.Kind == kind {
				seen++
				return full
			}
			return nil
		})
		if !errors.Is(err, full) || seen != 1 {
			t.Errorf("%s: error %v after %d events, want %v after 1", kind, err, seen, full)
		}
	}
}

func TestInterruptedComparisonGoesOn(t *testing.T) {
	o := tiny(t, Dimension{"loss", []string{"gram", "moments"}})
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := watched(t, ctx, o, func(e Event) error {
		if e.Kind == Iterated && e.Picture.Name == "moments" {
			cancel()
		}
		return nil
	})
	var interrupted *InterruptedError
	if !errors.As(err, &interrupted) || interrupted.Done != 1 || interrupted.Count != 2 || interrupted.Folder != o.Folder || !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v (%+v)", err, interrupted)
	}
	_, events, err := watched(t, t.Context(), o, nil)
	if err != nil || !slices.Equal(events[:3], []string{"reused gram 1/2", "painting moments 2/2", "painted moments 2/2"}) {
		t.Errorf("%v, events are %q", err, events)
	}
}

func TestFailedPictureIsToldOf(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.png")
	if err := os.WriteFile(bad, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	c, events, err := watched(t, t.Context(), tiny(t, Dimension{"start", []string{bad, "content"}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"painting start " + bad + " 1/2", "failed start " + bad + " 1/2", "painting start content 2/2", "painted start content 2/2"}; !slices.Equal(events[:4], want) {
		t.Errorf("events are %q, want %q", events[:4], want)
	}
	if err := c.Failure(); err == nil || !strings.HasPrefix(err.Error(), "compare: 1 of 2 pictures failed: start "+bad) {
		t.Errorf("error %v", err)
	}
	if failed := c.Report().Pictures[1]; failed.Error == "" || failed.Style != nil {
		t.Errorf("%+v", failed)
	}
}

func TestComparisonReplacesNoInput(t *testing.T) {
	o := tiny(t, Dimension{"loss", []string{"gram"}})
	if err := os.MkdirAll(filepath.Join(o.Folder, pictureFolder), 0o777); err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(o.Folder, pictureFolder, "gram.png")
	writePicture(t, output, 36, 36, 0.9)
	o.Styles = append(o.Styles, Style{output, 1})
	var overwrite *OverwriteError
	if _, err := New(t.Context(), o); !errors.As(err, &overwrite) || overwrite.Output != output || overwrite.Input != output {
		t.Errorf("error %v, want that %s is an input", err, output)
	}
}

func TestComparisonOfNothingIsRefused(t *testing.T) {
	o := tiny(t, Dimension{"loss", []string{"gram"}})
	for _, without := range []func(o *Options){func(o *Options) { o.Cells = nil }, func(o *Options) { o.Styles = nil }} {
		o := o
		without(&o)
		if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "want one of each at least") {
			t.Errorf("error %v", err)
		}
	}
}

// brightest compares the strongest response of each channel.
func brightest(gradient []float64, x, target losses.Features) (value float64, err error) {
	for c := range x.Channels {
		most := slices.Max(x.Channel(c))
		d := most - slices.Max(target.Channel(c))
		value += d * d / target.MeanSquare()
		gradient[c*x.Positions()+slices.Index(x.Channel(c), most)] = 2 * d / target.MeanSquare()
	}
	return value, nil
}

// A loss from outside is painted under, given to a layer by itself, and scored under.
func TestLossesFromOutsideAreCompared(t *testing.T) {
	own := losses.Must(losses.Custom(losses.Function{Description: losses.Description{Name: "brightest"}, Evaluate: brightest}))
	o := tiny(t, Dimension{"loss", []string{"gram"}})
	base := o.Base
	base.Losses = append(losses.All(), own)
	var err error
	if o.Cells, err = Grid(base, []Dimension{{"loss", []string{"gram", "brightest"}}}, func(name string) bool { return name == "first-iterations" || name == "min-size" }, nothing); err != nil {
		t.Fatal(err)
	}
	direct := o.Cells[0]
	direct.Settings.LayerLoss = map[string]losses.Loss{"relu1_1": own}
	direct.Varied = []report.Setting{{Name: "layer-loss", Value: "relu1_1=brightest"}}
	o.Cells = append(o.Cells, direct)
	o.Losses = append(o.Losses, own)
	c, _, err := watched(t, t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Failure(); err != nil {
		t.Error(err)
	}
	r := c.Report()
	if want := []string{"gram", "moments", "brightest"}; !slices.Equal(r.Losses, want) {
		t.Errorf("losses are %q, want %q", r.Losses, want)
	}
	of := func(i int) float64 {
		if value := r.Pictures[i].Style["brightest"]; value != nil {
			return *value
		}
		return math.NaN()
	}
	// The same loss makes the same picture, however it was given.
	if content, made, same := of(0), of(2), of(3); r.Pictures[2].Name != "brightest" || !(made < content) || same != made {
		t.Errorf("the content is %g from the style, %s %g and %s %g", content, r.Pictures[2].Name, made, r.Pictures[3].Name, same)
	}
	o.Losses = append(o.Losses, own)
	if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "two losses are named brightest") {
		t.Errorf("two of one name: %v", err)
	}
}
