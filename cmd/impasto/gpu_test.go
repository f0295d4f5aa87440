//go:build gpu && cgo && linux

package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"impasto/cuda/standin"
)

// gpuProgram is the program on a GPU, or on what stands in for one.
func gpuProgram(t *testing.T, folder string, environment []string, args ...string) *exec.Cmd {
	t.Helper()
	found, err := standin.Environment()
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(t, folder, args...)
	cmd.Env = append(append(cmd.Env, found...), environment...)
	return cmd
}

func runOnGPU(t *testing.T, folder string, environment []string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := gpuProgram(t, folder, environment, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func gpuPictures(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	writePicture(t, filepath.Join(folder, "content.png"), 20, 18, 1)
	writePicture(t, filepath.Join(folder, "style.png"), 20, 20, 2)
	return folder
}

var smallStylisation = []string{"stylize", "content.png", "style.png", "-o", "out.png", "--size", "18", "--min-size", "18",
	"--loss", "moments", "--optimizer", "adam", "--precision", "f32", "--style-layers", "relu1_1,relu2_1", "--content-layers", "relu2_2"}

func TestGPUsAreListed(t *testing.T) {
	if standin.Real() {
		t.Skip("says what the stand-in is")
	}
	environment := []string{"STANDIN_DEVICES=2", "STANDIN_CAPABILITY=8.6"}
	text := runOnGPU(t, t.TempDir(), environment, "devices").done(t).stdout
	if !strings.Contains(text, "cuda:1    stand-in 1, 4096 MiB, compute capability 8.6, driver for CUDA 13.0\n") {
		t.Errorf("devices are listed as\n%s", text)
	}
	lines := strings.Split(strings.TrimSpace(runOnGPU(t, t.TempDir(), environment, "devices", "--json").done(t).stdout), "\n")
	var info struct {
		Device string
		Usable bool
		Memory int64
	}
	if len(lines) != 3 {
		t.Fatalf("%d objects, want the processor and two GPUs", len(lines))
	}
	if err := json.Unmarshal([]byte(lines[2]), &info); err != nil || info.Device != "cuda:1" || !info.Usable || info.Memory != 4<<30 {
		t.Errorf("%s (%v), want the usable device cuda:1 of 4 GiB", lines[2], err)
	}
}

func TestGPUIsWhatAutoTakes(t *testing.T) {
	folder := gpuPictures(t)
	args := append(smallStylisation[:len(smallStylisation):len(smallStylisation)], "--first-iterations", "1", "--verbose")
	o := runOnGPU(t, folder, nil, args...).done(t)
	if !strings.Contains(o.stderr, "scale 1/1, 18×16, takes ") || !strings.Contains(o.stderr, " MiB on cuda:0 (") {
		t.Errorf("standard error %q, want what the scale takes on cuda:0", o.stderr)
	}
}

func TestGPUThatDoesNotExistIsAnError(t *testing.T) {
	folder := gpuPictures(t)
	args := append(smallStylisation[:len(smallStylisation):len(smallStylisation)], "--device", "cuda:9")
	o := runOnGPU(t, folder, nil, args...)
	if o.status != statusFailed || !strings.Contains(o.stderr, "there is no GPU 9; this machine has ") || strings.Count(o.stderr, "cuda") != 1 {
		t.Errorf("status %d, %q, want a failure that says how many GPUs there are", o.status, o.stderr)
	}
}

func TestGPUMemoryThatDoesNotSufficeIsAnError(t *testing.T) {
	if standin.Real() {
		t.Skip("what goes wrong here can't be made to on a GPU")
	}
	folder := gpuPictures(t)
	// The network's parameters fit, the rest doesn't.
	o := runOnGPU(t, folder, []string{"STANDIN_MEMORY=53000000"}, "stylize", "content.png", "style.png", "-o", "out.png", "--size", "18", "--min-size", "18",
		"--precision", "f32", "--device", "cuda")
	if o.status != statusFailed || !strings.Contains(o.stderr, "MiB of the GPU's memory, of which ") {
		t.Errorf("status %d, %q, want a failure that says how much memory is needed and free", o.status, o.stderr)
	}
}

// TestGPUPictureThatDoesNotFitIsRefusedBeforeAnyWork has room for the network's parameters,
// and for the pictures of a smaller size.
func TestGPUPictureThatDoesNotFitIsRefusedBeforeAnyWork(t *testing.T) {
	if standin.Real() {
		t.Skip("what goes wrong here can't be made to on a GPU")
	}
	folder := gpuPictures(t)
	o := runOnGPU(t, folder, []string{"STANDIN_MEMORY=300000000"}, "stylize", "content.png", "style.png", "-o", "out.png", "--size", "12000", "--device", "cuda")
	for _, part := range []string{"a picture of 12000×10800 pixels needs ", " GiB of memory, and ", " MiB are available", "such as "} {
		if !strings.Contains(o.stderr, part) {
			t.Errorf("standard error %q, want %q in it", o.stderr, part)
		}
	}
	if o.status == 0 || strings.Contains(o.stderr, "iteration") {
		t.Errorf("status %d, %q, want a failure before the first iteration", o.status, o.stderr)
	}
}

// A picture for which the GPU hasn't the memory goes through it in tiles.
func TestGPUPictureThatDoesNotFitGoesInTiles(t *testing.T) {
	if standin.Real() {
		t.Skip("what goes wrong here can't be made to on a GPU")
	}
	folder := t.TempDir()
	writePicture(t, filepath.Join(folder, "content.png"), 20, 18, 1)
	writePicture(t, filepath.Join(folder, "style.png"), 20, 20, 2)
	args := []string{"stylize", "content.png", "style.png", "--device", "cuda", "--precision", "f32", "--size", "72", "--min-size", "72", "--first-iterations", "1",
		"--style-layers", "relu1_1,relu2_1", "--content-layers", "relu1_2", "--verbose"}
	runOnGPU(t, folder, nil, append(args, "-o", "whole.png")...).done(t)
	o := runOnGPU(t, folder, []string{"STANDIN_MEMORY=7000000"}, append(args, "-o", "tiles.png")...).done(t)
	if !strings.Contains(o.stderr, "it is looked at in tiles") {
		t.Errorf("standard error says nothing of tiles:\n%s", o.stderr)
	}
	if d := meanDifference(t, filepath.Join(folder, "tiles.png"), filepath.Join(folder, "whole.png")); d > 0.5 {
		t.Errorf("in tiles the picture is off by %g levels", d)
	}
}

// Of a picture that goes in tiles, two GPUs share these, and it comes to the same, bit by bit.
func TestGPUsShareThePictureThatDoesNotFitOne(t *testing.T) {
	if standin.Real() {
		t.Skip("a GPU's memory can't be made that small")
	}
	folder := t.TempDir()
	writePicture(t, filepath.Join(folder, "content.png"), 20, 18, 1)
	writePicture(t, filepath.Join(folder, "style.png"), 20, 20, 2)
	args := []string{"stylize", "content.png", "style.png", "--size", "72", "--min-size", "72", "--first-iterations", "1", "--loss", "gram",
		"--precision", "f32", "--style-layers", "relu1_1,relu2_1", "--content-layers", "relu1_2", "--verbose", "--no-metadata"}
	environment := []string{"STANDIN_DEVICES=2", "STANDIN_MEMORY=7000000"}
	var pictures []string
	for _, device := range []string{"cuda:1", "cuda:0,1"} {
		o := runOnGPU(t, folder, environment, append(args, "-o", device[5:]+".png", "--device", device)...).done(t)
		if shared := strings.Contains(o.stderr, "in tiles") && strings.Contains(o.stderr, "shared among 2 GPUs"); shared != (device == "cuda:0,1") {
			t.Errorf("on %s standard error says\n%s", device, o.stderr)
		}
		pictures = append(pictures, string(readFile(t, filepath.Join(folder, device[5:]+".png"))))
	}
	if pictures[0] != pictures[1] {
		t.Errorf("the pictures differ by %g levels", meanDifference(t, filepath.Join(folder, "1.png"), filepath.Join(folder, "0,1.png")))
	}
}

// Each GPU has a picture of a batch at a time.
func TestGPUsEachPaintPicturesOfABatch(t *testing.T) {
	if standin.Real() {
		t.Skip("needs two GPUs")
	}
	folder := gpuPictures(t)
	writePicture(t, filepath.Join(folder, "second.png"), 18, 20, 3)
	o := runOnGPU(t, folder, []string{"STANDIN_DEVICES=2"}, "batch", "content.png", "second.png", "--style", "style.png", "-o", "out", "--size", "18",
		"--min-size", "18", "--loss", "moments", "--first-iterations", "3", "--precision", "f32", "--style-layers", "relu1_1,relu2_1", "--content-layers", "relu2_2",
		"--device", "cuda:1,0", "--json").done(t)
	begun := strings.Index(o.stdout, `"event":"painting","number":2`)
	if made := strings.Index(o.stdout, `"event":"picture","number":1`); begun < 0 || made < begun {
		t.Errorf("the second picture isn't begun before the first is made:\n%s", o.stdout)
	}
	for _, name := range []string{"content-style.png", "second-style.png"} {
		readFile(t, filepath.Join(folder, "out", name))
	}
}

func TestGPUInterruptSavesTheBestPictureSoFar(t *testing.T) {
	folder := gpuPictures(t)
	args := append(smallStylisation[:len(smallStylisation):len(smallStylisation)], "--first-iterations", "100000", "--device", "cuda", "--json")
	cmd := gpuProgram(t, folder, nil, args...)
	stdout, stderr := startReading(t, cmd)
	stopped := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	defer stopped.Stop()
	events := json.NewDecoder(stdout)
	interrupted, saved := false, false
	for {
		var event struct {
			Event       string
			Interrupted bool
		}
		if err := events.Decode(&event); err != nil {
			break
		}
		if event.Event == "iteration" && !interrupted {
			interrupted = true
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		saved = saved || event.Event == "written" && event.Interrupted
	}
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != statusInterrupted || !saved {
		t.Errorf("status %d, saved %t, %q, want %d and the picture saved", status, saved, stderr.String(), statusInterrupted)
	}
}

// TestGPUThatHasToGoTheLongWaySaysSo takes a network without activations, whose covariances
// not even a ridge gives an inverse.
func TestGPUThatHasToGoTheLongWaySaysSo(t *testing.T) {
	folder := gpuPictures(t)
	writeWeights(t, filepath.Join(folder, "zeros.safetensors"), nil)
	o := runOnGPU(t, folder, nil, "stylize", "content.png", "style.png", "-o", "out.png", "--size", "18", "--min-size", "18", "--weights", "zeros.safetensors",
		"--style-layers", "relu1_1", "--content-weight", "0", "--first-iterations", "2", "--device", "cuda", "--verbose").done(t)
	if n := strings.Count(o.stderr, "eigendecomposition on the processor"); n != 1 {
		t.Errorf("standard error %q says %d times that an eigendecomposition makes it slow, want once", o.stderr, n)
	}
}
