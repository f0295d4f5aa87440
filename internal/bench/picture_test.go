package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"impasto/internal/picture"
	"impasto/model"
)

// waves is a picture with waves of a frequency.
func waves(t *testing.T, frequency float64) *picture.Source {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 40, 32))
	for y := range 32 {
		for x := range 40 {
			wave := func(phase float64) uint8 {
				return uint8(127 + 120*math.Sin(float64(x)*frequency+3*math.Cos(float64(y)*frequency)+phase))
			}
			img.SetNRGBA(x, y, color.NRGBA{wave(0), wave(2), wave(4), 255})
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	source, err := picture.ReadSource(t.Context(), &data, "waves.png")
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestMeasureCountsFromTheStyleToTheContent(t *testing.T) {
	o := model.DefaultOptions()
	o.Size, o.Device, o.Threads = 32, "cpu", 1
	content, style := waves(t, 0.15), waves(t, 0.9)
	m, err := newPictureMeasure(t.Context(), content, style, o)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	ofContent, err := m.of(t.Context(), content)
	if err != nil {
		t.Fatal(err)
	}
	ofStyle, err := m.of(t.Context(), style)
	if err != nil {
		t.Fatal(err)
	}
	// The roots of what rounding leaves aren't quite as small as that.
	for _, test := range []struct{ got, want, within float64 }{
		{ofContent.Gram, 1, 1e-9}, {ofContent.Gaussian, 1, 1e-9}, {ofContent.Sliced, 1, 1e-9}, {ofContent.Distance, 1, 1e-9},
		{ofContent.ContentDistance, 0, 1e-3},
		{ofStyle.Gram, 0, 0.01}, {ofStyle.Gaussian, 0, 0.01}, {ofStyle.Sliced, 0, 0.01}, {ofStyle.Distance, 0, 0.01},
	} {
		if math.Abs(test.got-test.want) > test.within {
			t.Errorf("the content is %+v and the style %+v", ofContent, ofStyle)
			break
		}
	}
	if ofStyle.ContentDistance < 0.3 {
		t.Errorf("the style is %g from the content", ofStyle.ContentDistance)
	}
}

func TestMeasureWantsPicturesThatDiffer(t *testing.T) {
	o := model.DefaultOptions()
	o.Size, o.Device, o.Threads = 32, "cpu", 1
	same := waves(t, 0.15)
	if _, err := newPictureMeasure(t.Context(), same, same, o); err == nil || !strings.Contains(err.Error(), "two pictures that differ") {
		t.Errorf("the content as the style: %v", err)
	}
}

// quick are options under which a picture takes no time.
func quick(weight float64) model.Options {
	o := model.DefaultOptions()
	o.Size, o.MinSize, o.FirstIterations, o.Iterations, o.Device, o.Threads, o.ContentWeight = 32, 32, 2, 2, "cpu", 1, weight
	o.StyleTerms, o.ContentLayers = o.StyleTerms[:1], []model.LayerWeight{{Layer: "relu2_1", Weight: 1}}
	return o
}

func TestPicturesGoesOnAfterWhatFails(t *testing.T) {
	broken := quick(0.06)
	broken.Padding = "none"
	same := waves(t, 0.15)
	o := PictureOptions{
		Pairs:           []PicturePair{{"same", same, same}, {"waves", waves(t, 0.15), waves(t, 0.9)}},
		Methods:         []PictureMethod{{"gram", "draft", broken}, {"gaussian", "draft", quick(0.06)}},
		ContentDistance: 0.3, Label: "quick", Size: 32, Device: "cpu", Threads: 1,
	}
	began := 0
	o.Progress = func(p PictureProgress) {
		if p.Iteration.Done == 0 {
			began++
		}
	}
	var points []PicturePoint
	if err := Pictures(t.Context(), o, func(p PicturePoint) error { points = append(points, p); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(points) != 4 {
		t.Fatalf("%d points, want 4", len(points))
	}
	for i, want := range []string{"two pictures that differ", "two pictures that differ", "padding", ""} {
		if got := points[i].Error; !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("point %d has the error %q, want %q", i, got, want)
		}
	}
	last := points[3]
	if last.Pair != "waves" || last.Loss != "gaussian" || last.Label != "quick" || last.Size != 32 || last.Wanted != 0.3 {
		t.Errorf("the last point is %+v", last)
	}
	if len(last.Runs) == 0 || began != len(last.Runs)+1 || (last.PictureValues == nil) != (last.Unreached != "") {
		t.Errorf("%d runs began; the last point is %+v", began, last)
	}
	for _, r := range last.Runs {
		if !(r.Seconds > 0 && r.ProcessorSeconds > 0 && r.ContentDistance > 0 && r.Gram > 0 && r.Gaussian > 0 && r.Sliced > 0) {
			t.Errorf("a run is %+v", r)
		}
	}
}

func TestPointsWithoutValuesHaveNoKeysForThem(t *testing.T) {
	data, err := json.Marshal(PicturePoint{Pair: "x", Runs: []PictureValues{}, Unreached: "too far"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"pair":"x","loss":"","quality":"","label":"","size":0,"wanted":0,"runs":[],"unreached":"too far"}`
	if string(data) != want {
		t.Errorf("it is written as %s, want %s", data, want)
	}
	var read PicturePoint
	if err := json.Unmarshal(data, &read); err != nil || read.PictureValues != nil || read.Unreached != "too far" {
		t.Errorf("it is read as %+v (%v)", read, err)
	}
}

func TestPicturesStops(t *testing.T) {
	o := PictureOptions{
		Pairs: []PicturePair{{"waves", waves(t, 0.15), waves(t, 0.9)}}, Methods: []PictureMethod{{"gaussian", "draft", quick(0.06)}},
		ContentDistance: 0.3, Size: 32, Device: "cpu", Threads: 1,
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(PictureProgress) { cancel() }
	err := Pictures(ctx, o, func(p PicturePoint) error {
		t.Errorf("there is the point %+v", p)
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
}

func TestMeansAreOverThePairsThatHaveValues(t *testing.T) {
	point := func(pair, loss, label string, values *PictureValues) PicturePoint {
		return PicturePoint{Pair: pair, Loss: loss, Quality: "good", Label: label, Size: 64, Wanted: 0.7, PictureValues: values}
	}
	a, b := stylised(0.01, 0.6), stylised(0.04, 0.8)
	means := PictureMeans([]PicturePoint{
		point("x", "gram", "", &a), point("x", "gaussian", "", nil), point("x", "gram", "old", &a), point("y", "gram", "", &b), point("z", "gram", "", nil),
	})
	if len(means) != 2 || !slices.Equal(means[0].Pairs, []string{"x", "y"}) || !slices.Equal(means[1].Pairs, []string{"x"}) {
		t.Fatalf("the means are %+v", means)
	}
	got, want := means[0], stylised(0.02, 0.7)
	if math.Abs(got.ContentWeight-want.ContentWeight) > 1e-12 || math.Abs(got.Distance-want.Distance) > 1e-12 || math.Abs(got.Seconds-want.Seconds) > 1e-12 ||
		got.Size != 64 || got.Wanted != 0.7 || got.Quality != "good" {
		t.Errorf("the mean is %+v, want %+v", got, want)
	}
	if got := means[1]; got.Label != "old" || got.Distance != a.Distance || got.Seconds != a.Seconds {
		t.Errorf("the mean over one pair is %+v, want %+v", got, a)
	}
}
