package model

import (
	"errors"
	"image"
	"regexp"
	"strings"
	"testing"

	"impasto/device"
	"impasto/internal/plan"
)

// shortDevice has little memory left, of its own or of the process.
type shortDevice struct {
	plan.Device
	available int64
	apart     bool
}

func (d shortDevice) Available() (int64, bool) { return d.available, true }
func (d shortDevice) OnHost() bool             { return !d.apart }

func TestPicturesThatNeedMoreMemoryThanThereIsAreRefusedBeforeAnyIteration(t *testing.T) {
	o := tinyOptions()
	o.MinSize, o.Size = 32, 128
	content, styles := image.Pt(160, 120), []Style{{Image: image.NewNRGBA(image.Rect(0, 0, 160, 120)), Weight: 1}}
	for _, test := range []struct {
		device  shortDevice
		refused bool
	}{
		{shortDevice{available: 1 << 10}, true}, {shortDevice{available: 1 << 40}, false},
		{shortDevice{available: 1 << 10, apart: true}, true}, {shortDevice{available: 1 << 40, apart: true}, false},
	} {
		r := newTestRun(t, o)
		test.device.Device = r.extractor.Device
		r.extractor.Device = test.device
		err := r.fits(content, styles)
		var wrong *OptionError
		if test.refused && (!errors.As(err, &wrong) || wrong.Option != "Size" || !strings.Contains(err.Error(), "128×96 pixels needs ")) {
			t.Errorf("with %d bytes: %v, want the size refused", test.device.available, err)
		}
		if !test.refused && err != nil {
			t.Error(err)
		}
	}
	if err := picturesFit(outline{width: 1 << 22, height: 1 << 22}); err == nil {
		t.Error("there is memory for a picture of 400 TB")
	}
}

// Where a size is too large, the one that the error names fits, and one that is a
// twentieth larger doesn't.
func TestTheSizeThatARefusalNamesFits(t *testing.T) {
	o := tinyOptions()
	r := newTestRun(t, o)
	r.options.MinSize, r.options.Size = 32, 4096
	r.extractor.Device = shortDevice{Device: r.extractor.Device, available: 100 << 20}
	content, styles := image.Pt(160, 120), []Style{{Image: image.NewNRGBA(image.Rect(0, 0, 160, 120)), Weight: 1}}
	err := r.fits(content, styles)
	if err == nil || !regexp.MustCompile(`choose a smaller size, such as \d+$`).MatchString(err.Error()) {
		t.Fatalf("%v, want a size that fits", err)
	}
	size := r.largestFit(content, styles)
	for _, test := range []struct {
		size int
		fits bool
	}{{size, true}, {size + size/20, false}} {
		needed, err := r.demandUpTo(content, styles, test.size)
		if err != nil {
			t.Fatal(err)
		}
		if fits := r.shortage(needed) == nil; fits != test.fits {
			t.Errorf("%d pixels fit: %v, want %v", test.size, fits, test.fits)
		}
	}
	r.extractor.Device = shortDevice{Device: r.extractor.Device, available: 1}
	if size := r.largestFit(content, styles); size != 0 {
		t.Errorf("%d pixels fit in a byte", size)
	}
}

// What is counted before a level is what its machines say that they take.
func TestTheDemandIsThatOfTheMachines(t *testing.T) {
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		o := tinyOptions()
		o.MinSize, o.Size, o.Device, o.Precision = 128, 128, "cpu", precision
		r := newTestRun(t, o)
		l := r.levels[0]
		s, err := r.extractor.sketch(l.outline())
		if err != nil {
			t.Fatal(err)
		}
		counted, err := r.extractor.demandOf(s, o.Optimizer)
		if err != nil {
			t.Fatal(err)
		}
		targets, err := r.extractor.targets(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		objective, err := r.extractor.objective(l, targets)
		if err != nil {
			t.Fatal(err)
		}
		defer objective.Close()
		vectors := o.Optimizer.row().elementBytes(r.extractor.Device) * pictureBytes(l.width, l.height) / 4
		needs, err := r.extractor.Device.Needs(objective.Schedule)
		if err != nil {
			t.Fatal(err)
		}
		if needs < objective.Memory() {
			t.Errorf("%s: %d bytes are needed for a machine of %d", precision, needs, objective.Memory())
		}
		// Filters that have been laid out since don't count any more.
		if least := objective.Memory() + vectors; counted.device < least || counted.device > least+60<<20 {
			t.Errorf("%s: %d bytes are counted, want %d and what the filters take", precision, counted.device, least)
		}
	}
}
