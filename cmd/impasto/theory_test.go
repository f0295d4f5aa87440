package main

import (
	"encoding/json"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheoryPrintsTheEssaysNumbers(t *testing.T) {
	folder := t.TempDir()
	var n map[string]any
	run := impasto(t, folder, "theory", "--json").done(t)
	if strings.Count(run.stdout, "\n") != 1 {
		t.Errorf("%d lines, want one object", strings.Count(run.stdout, "\n"))
	}
	if err := json.Unmarshal([]byte(run.stdout), &n); err != nil {
		t.Fatal(err)
	}
	keys := []string{"emd_bytes", "emd_flop", "gram_wz", "gram_xy", "losses", "symmetric", "triangle", "wdist_wz", "wdist_xy"}
	if got := slices.Sorted(maps.Keys(n)); !slices.Equal(got, keys) {
		t.Fatalf("keys %v, want %v", got, keys)
	}
	// Distances are exact, by 50-digit arithmetic; costs are N²·C·4 and N³; the
	// Gram losses are those of seed 0 and only have to be small.
	for key, want := range map[string]float64{
		"wdist_xy": 1.51352189809478750, "wdist_wz": 2.449489742783178, "emd_bytes": 644_513_529_856, "emd_flop": 126_324_651_851_776,
	} {
		if got := n[key].(float64); math.Abs(got-want) > 1e-8 {
			t.Errorf("%s is %.17g, want %.17g", key, got, want)
		}
	}
	for _, key := range []string{"gram_xy", "gram_wz"} {
		if got := n[key].(float64); !(got > 0 && got < 0.05) {
			t.Errorf("%s is %g, want the noise of 10,000 samples", key, got)
		}
	}
	if n["symmetric"] != true || n["triangle"] != true {
		t.Errorf("symmetric %v, triangle %v", n["symmetric"], n["triangle"])
	}
}

func TestTheoryDrawsTheCloudsOfItsSeed(t *testing.T) {
	folder := t.TempDir()
	run := impasto(t, folder, "theory", "--plot=plots/clouds", "--json").done(t)
	if !strings.Contains(run.stderr, "clouds.png") || strings.Count(run.stdout, "\n") != 1 {
		t.Errorf("standard error %q, standard output %q", run.stderr, run.stdout)
	}
	readPicture(t, filepath.Join(folder, "plots", "clouds", "clouds.png"))
	svg := string(readFile(t, filepath.Join(folder, "plots", "clouds", "clouds.svg")))
	for _, part := range []string{">X<", ">Y<", ">W<", ">Z<", "coordinate 3"} {
		if !strings.Contains(svg, part) {
			t.Errorf("the drawing has no %q", part)
		}
	}
	if len(svg) > 200_000 {
		t.Errorf("the SVG has %d bytes", len(svg))
	}
	again := impasto(t, folder, "theory", "--plot=plots/clouds", "--quiet", "--json", "--seed=0").done(t)
	if again.stderr != "" || string(readFile(t, filepath.Join(folder, "plots", "clouds", "clouds.svg"))) != svg {
		t.Error("the same seed draws other clouds, or --quiet isn't")
	}
	if again.stdout != run.stdout {
		t.Error("seed 0 gives two results")
	}
	if other := impasto(t, folder, "theory", "--json", "--seed=1").done(t).stdout; other == run.stdout {
		t.Error("seeds 0 and 1 give the same samples")
	}
	writeFile(t, filepath.Join(folder, "file"), nil)
	impasto(t, folder, "theory", "--plot=file").refused(t, 1, "file")
}

func TestTheoryExplainsItself(t *testing.T) {
	text := impasto(t, t.TempDir(), "theory").done(t).stdout
	for _, part := range []string{
		"1.513521898094788", "2.449489742783178", "1.5135220191046239", "1.513522019104624 here too", "1.2e-07 too much", "singular", "rounds the eigenvalues",
		"X and Y     noise  apart", "tells a pair apart", "644.5 GB", "126.3 TFLOP", "322.3 GFLOP", "sliced, 64 directions",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the text has no %q", part)
		}
	}
}
