package model

import (
	"errors"
	"image"
	"regexp"
	"strconv"
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

// sketched is a run whose last level has that longer side, and its levels.
func sketched(t *testing.T, size int, device shortDevice) (*run, []sketch) {
	t.Helper()
	o := tinyOptions()
	r := newTestRun(t, o)
	r.options.MinSize, r.options.Size = 32, size
	device.Device = r.extractor.Device
	r.extractor.Device = device
	var levels []sketch
	r.content, r.styles = image.NewNRGBA(image.Rect(0, 0, 160, 120)), []Style{{Image: image.NewNRGBA(image.Rect(0, 0, 160, 120)), Weight: 1}}
	for _, side := range levelSides(32, size, 2) {
		s, err := r.extractor.sketch(outlineOf(r.content.Bounds().Size(), r.styles, r.options, side))
		if err != nil {
			t.Fatal(err)
		}
		levels = append(levels, s)
	}
	return r, levels
}

func TestPicturesThatNeedMoreMemoryThanThereIsAreRefusedBeforeAnyIteration(t *testing.T) {
	for _, test := range []struct {
		device  shortDevice
		refused bool
	}{
		{shortDevice{available: 1 << 10}, true}, {shortDevice{available: 1 << 40}, false},
		{shortDevice{available: 1 << 10, apart: true}, true}, {shortDevice{available: 1 << 40, apart: true}, false},
	} {
		r, levels := sketched(t, 128, test.device)
		err := r.allot(levels)
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
// third larger doesn't.
func TestTheSizeThatARefusalNamesFits(t *testing.T) {
	device := shortDevice{available: 500 << 20}
	r, levels := sketched(t, 4096, device)
	err := r.allot(levels)
	if err == nil {
		t.Fatal("4096 pixels fit in 500 MiB")
	}
	match := regexp.MustCompile(`choose a smaller size, such as (\d+)$`).FindStringSubmatch(err.Error())
	if match == nil {
		t.Fatalf("%v, want a size that fits", err)
	}
	size, _ := strconv.Atoi(match[1])
	for _, test := range []struct {
		size int
		fits bool
	}{{size, true}, {size + size/3, false}} {
		r, levels := sketched(t, test.size, device)
		if err := r.allot(levels); (err == nil) != test.fits {
			t.Errorf("%d pixels fit: %v, want %v", test.size, err, test.fits)
		}
	}
	r, levels = sketched(t, 128, shortDevice{available: 1})
	if err := r.allot(levels); err == nil || !strings.HasSuffix(err.Error(), "or a loss that needs less") {
		t.Errorf("128 pixels in a byte: %v", err)
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
		const vectors = 12345
		_, counted, err := r.newPlanner().wholeDemand(s, vectors)
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
