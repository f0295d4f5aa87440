package main

import (
	"encoding/json"
	"strings"
	"testing"

	"impasto/losses"
	"impasto/model"
)

func TestMeasureJSONHasAnObjectForEachLayerAndLoss(t *testing.T) {
	folder := workshop(t)
	run := impasto(t, folder, "measure", "content.png", "style.png", "--json", "--layers=relu2_1,relu1_1", "--loss=moments", "--loss=gram").done(t)
	var got []string
	for line := range strings.Lines(run.stdout) {
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		var m model.Measurement
		if err := decoder.Decode(&m); err != nil {
			t.Fatal(err)
		}
		if m.Value <= 0 {
			t.Errorf("%s at %s between different pictures is %g", m.Loss, m.Layer, m.Value)
		}
		got = append(got, m.Layer+" "+m.Loss)
	}
	if want := "relu2_1 moments, relu2_1 gram, relu1_1 moments, relu1_1 gram"; strings.Join(got, ", ") != want {
		t.Errorf("objects for %q, want %q", strings.Join(got, ", "), want)
	}
}

func TestMeasureTableIsAligned(t *testing.T) {
	folder := workshop(t)
	run := impasto(t, folder, "measure", "content.png", "style.png").done(t)
	lines := strings.Split(strings.TrimRight(run.stdout, "\n"), "\n")
	if want := append([]string{"layer"}, losses.NamesOf(losses.Usable())...); strings.Join(strings.Fields(lines[0]), " ") != strings.Join(want, " ") {
		t.Errorf("the heading is %q, want %v", lines[0], want)
	}
	if len(lines) != 6 {
		t.Errorf("%d lines, want a heading and five layers", len(lines))
	}
	for _, line := range lines {
		if len(line) != len(lines[0]) {
			t.Errorf("%q and %q differ in width", line, lines[0])
		}
	}
	if run.stderr != "" {
		t.Errorf("standard error is %q", run.stderr)
	}
}

func TestMeasureFlagsChangeTheValue(t *testing.T) {
	folder := workshop(t)
	value := func(args ...string) string {
		return impasto(t, folder, append([]string{"measure", "content.png", "style.png", "--loss=moments", "--layers=conv2_1", "--json"}, args...)...).done(t).stdout
	}
	plain := value()
	for _, args := range [][]string{{"--pooling=avg"}, {"--padding=replicate"}, {"--size=20"}} {
		if value(args...) == plain {
			t.Errorf("%v changes nothing", args)
		}
	}
	if value("--pooling=avg") == value("--pooling=avg", "--scaled-pooling") {
		t.Error("--scaled-pooling changes nothing")
	}
	if one, two := value("--threads=1"), value("--threads=2"); one != two {
		t.Errorf("one thread measures %s and two %s", one, two)
	}
}
