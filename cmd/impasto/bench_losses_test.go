package main

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/losses"
)

func TestBenchLossesPrintsAnObjectForEachCase(t *testing.T) {
	run := impasto(t, t.TempDir(), "bench", "losses", "--layers=relu1_1,relu2_1", "--sizes=16,32", "--runs=1", "--budget=0", "--json").done(t)
	lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
	if want := 2 * 2 * len(losses.Usable()); len(lines) != want {
		t.Fatalf("%d objects, want %d", len(lines), want)
	}
	keys := []string{"channels", "layer", "least", "loss", "memory", "most", "operations", "positions", "rate", "runs", "seconds", "size"}
	for _, line := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(object)); !slices.Equal(got, keys) {
			t.Fatalf("keys %v, want %v", got, keys)
		}
		if object["seconds"].(float64) <= 0 {
			t.Error(line)
		}
	}
}

func TestBenchLossesSaysWhatItSkips(t *testing.T) {
	run := impasto(t, t.TempDir(), "bench", "losses", "--losses=gram", "--layers=relu1_1", "--sizes=16,64", "--budget=1e-9").done(t)
	for _, part := range []string{"relu1_1 of 64×64: C = 64, N = 4096", "GFLOP/s", "skipped: one run would take about", "beyond the budget"} {
		if !strings.Contains(run.stdout, part) {
			t.Errorf("the table has no %q:\n%s", part, run.stdout)
		}
	}
}

func TestBenchLossesSaysThatItTimesOnePass(t *testing.T) {
	run := impasto(t, t.TempDir(), "bench", "losses", "--losses=sinkhorn-whole,gram", "--layers=relu1_1", "--sizes=16", "--runs=1", "--one-pass").done(t)
	if !strings.Contains(run.stdout, "sinkhorn-whole, one pass") || strings.Contains(run.stdout, "gram, one pass") {
		t.Errorf("the table is\n%s", run.stdout)
	}
}

func TestBenchLossesDrawsWhatItTimed(t *testing.T) {
	folder := t.TempDir()
	args := []string{"bench", "losses", "--losses=gram,moments", "--layers=relu1_1", "--sizes=16,32", "--runs=1", "--plot"}
	impasto(t, folder, append(args, "scaling.png")...).done(t)
	readPicture(t, filepath.Join(folder, "scaling.png"))
	impasto(t, folder, append(args, "scaling.svg")...).done(t)
	svg := string(readFile(t, filepath.Join(folder, "scaling.svg")))
	for _, part := range []string{"relu1_1 (C = 64)", ">gram<", ">moments<", "seconds", "MiB"} {
		if !strings.Contains(svg, part) {
			t.Errorf("the plot has no %q", part)
		}
	}
	nothingLeft(t, folder)
}

func TestBenchLossesRefusesBeforeItTimes(t *testing.T) {
	folder := t.TempDir()
	for _, test := range []struct {
		flag      string
		status    int
		fragments []string
	}{
		{"--losses=gramm", 2, []string{"did you mean gram?"}},
		{"--layers=relu11", 2, []string{"did you mean relu1_1?"}},
		{"--sizes=64,8", 2, []string{"from 16 to"}},
		{"--sizes=64,64", 2, []string{"twice"}},
		{"--budget=-1", 2, nil},
		{"--plot=out.pdf", 2, []string{".png or .svg"}},
		{"--plot=missing/out.png", 1, []string{"the folder missing does not exist"}},
	} {
		impasto(t, folder, "bench", "losses", test.flag).refused(t, test.status, test.fragments...)
	}
}
