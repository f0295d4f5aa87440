package model

import (
	"errors"
	"strings"
	"testing"

	"impasto/device"
	"impasto/internal/plan"
)

// shortDevice has little memory left.
type shortDevice struct {
	plan.Device
	available int64
}

func (d shortDevice) Available() (int64, bool) { return d.available, true }

func TestPicturesThatNeedMoreMemoryThanThereIsAreRefusedBeforeAnyIteration(t *testing.T) {
	o := tinyOptions()
	o.MinSize, o.Size = 32, 128
	for _, test := range []struct {
		available int64
		refused   bool
	}{{1 << 10, true}, {1 << 40, false}} {
		r := newTestRun(t, o)
		r.extractor.Device = shortDevice{r.extractor.Device, test.available}
		err := r.climb(t.Context())
		var wrong *OptionError
		if test.refused && (!errors.As(err, &wrong) || wrong.Option != "Size" || !strings.Contains(err.Error(), "128×") || r.result().Last.Done != 0) {
			t.Errorf("with %d bytes: %v after %d iterations, want the size refused", test.available, err, r.result().Last.Done)
		}
		if !test.refused && err != nil {
			t.Error(err)
		}
	}
	if err := picturesFit(1<<22, 1<<22); err == nil {
		t.Error("there is memory for a picture of 400 TB")
	}
}

// What the first level foretells is what the last one needs.
func TestMemoryOfMapsGoesWithThePixels(t *testing.T) {
	pixelMemory := func(size int, precision device.Precision) float64 {
		o := tinyOptions()
		o.MinSize, o.Size, o.Device, o.Precision = size, size, "cpu", precision
		r := newTestRun(t, o)
		targets, err := r.extractor.targets(t.Context(), r.levels[0])
		if err != nil {
			t.Fatal(err)
		}
		objective, err := r.extractor.objective(r.levels[0], targets)
		if err != nil {
			t.Fatal(err)
		}
		defer objective.Close()
		return float64(objective.PixelMemory()) / float64(r.levels[0].width*r.levels[0].height)
	}
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		if small, large := pixelMemory(128, precision), pixelMemory(384, precision); small > large*1.05 || small < large*0.95 {
			t.Errorf("%s: %.0f bytes a pixel at 128 pixels, %.0f at 384", precision, small, large)
		}
	}
	if whole, half := pixelMemory(128, "f32"), pixelMemory(128, "f16"); half > 0.6*whole {
		t.Errorf("%.0f bytes a pixel in f16, %.0f in f32, want at most 60 %%", half, whole)
	}
}
