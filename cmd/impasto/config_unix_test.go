//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What presets and files of settings say is held against a checkpoint as flags are.
func TestResumingComparesWhatPresetsAndFilesSay(t *testing.T) {
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, "run.toml"), []byte("tv-weight = 7\nthreads = 1\n"))
	writeFile(t, filepath.Join(folder, "other.toml"), []byte("tv-weight = 8\n"))
	begin := []string{"--preset=johnson", "--config=run.toml", "--style-layers=relu1_1", "--content-layers=relu2_1", "--size=32", "--device=cpu", "--first-iterations=60"}
	start := slices.Concat([]string{"stylize", "content.png", "style.png", "--json"}, begin)
	impasto(t, folder, append(start, "-o", "want.png")...).done(t)
	cmd := program(t, folder, append(start, "-o", "out.png", "--checkpoint=run.checkpoint")...)
	if run := during(t, cmd, 3, func() { send(t, cmd, os.Interrupt) }); run.status != statusInterrupted {
		t.Fatalf("exit status %d, standard error:\n%s", run.status, run.stderr)
	}
	resume := func(args ...string) outcome {
		return impasto(t, folder, append([]string{"stylize", "--resume=run.checkpoint"}, args...)...)
	}
	resume("--preset=strotss").refused(t, statusUsage, "--loss relaxed of --preset strotss", "made with gram")
	resume("--config=other.toml").refused(t, statusUsage, "--tv-weight 8 of other.toml", "made with 7")
	resume(begin...).done(t)
	if !bytes.Equal(readFile(t, filepath.Join(folder, "out.png")), readFile(t, filepath.Join(folder, "want.png"))) {
		t.Error("the picture is another than that of the uninterrupted run")
	}
}
