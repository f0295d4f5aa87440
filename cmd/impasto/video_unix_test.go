//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// After an interrupt, or a kill, the same command goes on, and comes to the same film.
func TestVideoGoesOnAfterAnInterrupt(t *testing.T) {
	folder := t.TempDir()
	writeFilm(t, folder, 3)
	arguments := func(output string) []string {
		return append([]string{"video", "frames", "style.png", "-o", output, "--json", "--passes", "2"}, smallFilm...)
	}
	if o := impasto(t, folder, arguments("whole")...); o.status != 0 {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGKILL} {
		output := "after " + signal.String()
		cmd := program(t, folder, arguments(output)...)
		frames := 0
		run := during(t, cmd, 12, func() { send(t, cmd, signal) })
		for line := range strings.Lines(run.stdout) {
			if strings.Contains(line, `"event":"frame"`) {
				frames++
			}
		}
		if signal == os.Interrupt && (run.status != statusInterrupted || !strings.Contains(run.stderr, "the same command goes on from there")) {
			t.Errorf("status %d: %s", run.status, run.stderr)
		}
		if frames == 0 || frames == 6 {
			t.Fatalf("%d of 6 frames were finished, want the run stopped in between", frames)
		}
		again := impasto(t, folder, arguments(output)...)
		if again.status != 0 {
			t.Fatalf("status %d: %s", again.status, again.stderr)
		}
		if s := videoEvents(t, again.stdout)["summary"][0]; s["reused"].(float64) < float64(frames) {
			t.Errorf("%s: %d frames were finished, and then it is %v", signal, frames, s)
		}
		for i := range 3 {
			name := fmt.Sprintf("f%d.png", i+1)
			got, err := os.ReadFile(filepath.Join(folder, output, name))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(folder, "whole", name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %s isn't what the whole film has", signal, name)
			}
		}
	}
}
