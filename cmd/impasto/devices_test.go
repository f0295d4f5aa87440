package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"impasto/cuda"
)

func TestDevicesListsTheProcessor(t *testing.T) {
	first, rest, _ := strings.Cut(impasto(t, t.TempDir(), "devices").done(t).stdout, "\n")
	if !strings.HasPrefix(first, "cpu ") || !strings.Contains(first, "threads") {
		t.Errorf("the first line is %q, want one of the processor", first)
	}
	if !cuda.Built && !strings.Contains(rest, "built without GPU support") {
		t.Errorf("the rest is %q, want it to say that the program was built without GPU support", rest)
	}
	line, _, _ := strings.Cut(impasto(t, t.TempDir(), "devices", "--json").done(t).stdout, "\n")
	var info struct {
		Device string
		Usable bool
	}
	if err := json.Unmarshal([]byte(line), &info); err != nil || info.Device != "cpu" || !info.Usable {
		t.Errorf("the first object is %s (%v), want the usable device cpu", line, err)
	}
}

func TestAskingForAGPUThatThisBuildCannotUseIsExplained(t *testing.T) {
	if cuda.Built {
		t.Skip("this build can use GPUs")
	}
	o := impasto(t, t.TempDir(), "bench", "iteration", "--device", "cuda", "--size", "16", "--runs", "1")
	if o.status == 0 || !strings.Contains(o.stderr, "built without GPU support") {
		t.Errorf("status %d, %q, want a failure that says how the program was built", o.status, o.stderr)
	}
}

func TestVerboseTellsWhatAScaleTakes(t *testing.T) {
	folder := t.TempDir()
	writePicture(t, filepath.Join(folder, "content.png"), 24, 20, 1)
	writePicture(t, filepath.Join(folder, "style.png"), 24, 24, 2)
	o := impasto(t, folder, "stylize", "content.png", "style.png", "-o", "out.png", "--size", "24", "-n", "1",
		"--first-iterations", "1", "--device", "cpu", "--verbose").done(t)
	if !strings.Contains(o.stderr, "scale 1/1, 24×20, takes ") || !strings.Contains(o.stderr, " MiB on cpu (") {
		t.Errorf("standard error %q, want what the scale takes on the processor", o.stderr)
	}
}
