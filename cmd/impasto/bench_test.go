package main

import (
	"encoding/json"
	"strings"
	"testing"

	"impasto/internal/bench"
)

func TestBenchIterationReportsWhatItMeasured(t *testing.T) {
	run := impasto(t, t.TempDir(), "bench", "iteration", "--size=32", "--loss=gram", "--runs=3", "--warmup=1", "--json").done(t)
	decoder := json.NewDecoder(strings.NewReader(run.stdout))
	decoder.DisallowUnknownFields()
	var r iterationReport
	if err := decoder.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Size != 32 || r.Loss != "gram" {
		t.Errorf("the report is of %s at %d", r.Loss, r.Size)
	}
	if !(0 < r.Least && r.Least <= r.Seconds && r.Seconds <= r.Most) {
		t.Errorf("median %g, least %g, most %g", r.Seconds, r.Least, r.Most)
	}
	if r.Rate <= 0 || r.MatrixRate <= 0 || r.Share != r.Rate/r.MatrixRate || r.PeakMemory <= 0 {
		t.Errorf("%+v", r)
	}
}

func TestBenchKernelsGoesThroughEveryConvolution(t *testing.T) {
	run := impasto(t, t.TempDir(), "bench", "kernels", "--size=16", "--runs=1", "--warmup=0", "--json").done(t)
	lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
	if len(lines) != 32 {
		t.Fatalf("%d objects, want forward and gradient of 16 convolutions", len(lines))
	}
	for _, line := range lines {
		var timing bench.Timing
		if err := json.Unmarshal([]byte(line), &timing); err != nil {
			t.Fatal(err)
		}
		if timing.Seconds <= 0 || timing.Operations <= 0 {
			t.Errorf("%+v", timing)
		}
	}
	table := impasto(t, t.TempDir(), "bench", "kernels", "--size=16", "--runs=1", "--warmup=0").done(t)
	if !strings.Contains(table.stdout, "conv5_4 gradient") {
		t.Errorf("the table ends with %q", table.stdout)
	}
}

func TestBenchRefusesWhatItCannotTime(t *testing.T) {
	for _, args := range [][]string{
		{"bench", "iteration", "--size=15"},
		{"bench", "iteration", "--loss=gramm"},
		{"bench", "iteration", "--runs=0"},
		{"bench", "kernels", "picture.png"},
		{"bench", "iterations"},
	} {
		impasto(t, t.TempDir(), args...).refused(t, 2)
	}
}
