//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInfoOfAnInterruptedRun(t *testing.T) {
	folder := cutShort(t)
	picture := impasto(t, folder, "info", "out.png").done(t).stdout
	if !strings.Contains(picture, "painted    at 23×17 pixels, after ") || !strings.Contains(picture, " of 40 iterations; the run hadn't come to its end\n") {
		t.Errorf("of the picture, info prints %s", picture)
	}
	checkpoint := impasto(t, folder, "info", "run.checkpoint").done(t).stdout
	for _, want := range []string{
		"run.checkpoint: a checkpoint of impasto ", " of 40 iterations, at scale 1 of 2\n", "content    " + filepath.Join(folder, "content.png"),
		"style.png, weight 2\n", "output     " + filepath.Join(folder, "out.png"), "goes on by impasto stylize --resume run.checkpoint\n",
	} {
		if !strings.Contains(checkpoint, want) {
			t.Errorf("%q is missing in %s", want, checkpoint)
		}
	}
	redo := impasto(t, folder, "redo", "out.png").done(t)
	if want := "out-redone.png isn't the same file as out.png: the picture is as it was after "; !strings.Contains(redo.stderr, want) {
		t.Errorf("%q is missing in %s", want, redo.stderr)
	}
}

func TestInterruptedRunGoesOnWritingAsItDid(t *testing.T) {
	folder := workshop(t)
	args := slices.Concat([]string{"stylize", "content.png", "style.png:2"}, painting, []string{"--depth=8", "--dither", "--dpi=300", "--save-every=25"})
	impasto(t, folder, append(args, "-o", "want.png")...).done(t)
	cmd := program(t, folder, append(args, "-o", "out.png", "--json", "--checkpoint=run.checkpoint")...)
	if run := during(t, cmd, 5, func() { send(t, cmd, os.Interrupt) }); run.status != statusInterrupted {
		t.Fatalf("exit status %d, standard error:\n%s", run.status, run.stderr)
	}
	impasto(t, folder, "stylize", "--resume=run.checkpoint").done(t)
	for got, want := range map[string]string{"out.png": "want.png", "out-00025.png": "want-00025.png"} {
		if !bytes.Equal(readFile(t, filepath.Join(folder, got)), readFile(t, filepath.Join(folder, want))) {
			t.Errorf("%s is another file than that of the uninterrupted run", got)
		}
	}
}
