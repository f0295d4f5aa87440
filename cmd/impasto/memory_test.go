package main

import (
	"encoding/json"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// inTiles are flags with which a picture of 400 pixels doesn't fit whole.
var inTiles = []string{"--size=400", "--min-size=400", "--first-iterations=2", "--device=cpu", "--memory=286MiB"}

// A picture that doesn't fit in the memory allowed is looked at in tiles: the program keeps
// to what it may take, and the picture is that of the whole.
func TestMemoryIsKeptTo(t *testing.T) {
	folder := workshop(t)
	args := append([]string{"stylize", "content.png", "style.png", "-o", "tiles.png", "--verbose"}, inTiles...)
	cmd := program(t, folder, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v; standard error:\n%s", err, stderr.String())
	}
	if !strings.Contains(stderr.String(), "it is looked at in tiles") {
		t.Errorf("standard error says nothing of tiles:\n%s", stderr.String())
	}
	// The program is the test's binary, which has some more in it, and is the same size on
	// Linux alone.
	if peak := peakOf(cmd); runtime.GOOS == "linux" && peak > 275<<20 {
		t.Errorf("the program took %d MiB, and may take 275", peak>>20)
	}
	impasto(t, folder, append(args, "-o", "whole.png", "--memory=auto")...).done(t)
	if d := meanDifference(t, filepath.Join(folder, "tiles.png"), filepath.Join(folder, "whole.png")); d > 0.5 {
		t.Errorf("in tiles the picture is off by %g levels", d)
	}
}

func TestTooLittleMemoryIsRefusedWithWhatWouldDo(t *testing.T) {
	folder := workshop(t)
	args := []string{"stylize", "content.png", "style.png", "-o", "out.png", "--device=cpu", "--size=2000", "--memory=300MiB"}
	impasto(t, folder, args...).refused(t, statusFailed, "2000×1500 pixels needs ", "are available under the limit on the run", "choose a smaller size, such as ")
	impasto(t, folder, append(args, "--memory=lots")...).refused(t, statusUsage, "--memory", "such as 2GiB or 800MiB, or auto")
	nothingLeft(t, folder)
}

// Under a memory limit of the Go runtime the program plans for that.
func TestTheRuntimesMemoryLimitIsRespected(t *testing.T) {
	folder := workshop(t)
	for _, limit := range []string{"", "400MiB"} {
		cmd := program(t, folder, slices.Concat([]string{"plan", "content.png", "style.png", "--json", "--device=cpu"}, []string{"--size=900", "--min-size=900"})...)
		if limit != "" {
			cmd.Env = append(cmd.Env, "GOMEMLIMIT="+limit)
		}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var plan planReport
		if err := json.Unmarshal(out, &plan); err != nil {
			t.Fatal(err)
		}
		if low := plan.Memory < 400<<20; low != (limit != "") {
			t.Errorf("with a limit of %q it would take %d MiB", limit, plan.Memory>>20)
		}
	}
}
