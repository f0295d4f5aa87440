//go:build unix

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestInterruptedBatchKeepsAllAndGoesOn(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			folder := contents(t)
			args := func(iterations string) []string {
				return slices.Concat([]string{"batch", "photos", "--style=style.png", "--out-dir=out", "--first-iterations=" + iterations}, shallow)
			}
			cmd := program(t, folder, append(args("1000000"), "--json")...)
			run := during(t, cmd, 6, func() { send(t, cmd, signal) })
			if run.status != statusInterrupted {
				t.Errorf("exit status %d, want %d", run.status, statusInterrupted)
			}
			line := run.stderr[strings.LastIndex(strings.TrimSpace(run.stderr), "\n")+1:]
			if want := "impasto: interrupted after 0 of 3 pictures; they are in out, and the same command goes on from there; out/a-style.png is as it was when it was stopped\n"; line != want {
				t.Errorf("the last line is %q, want %q", line, want)
			}
			for _, part := range []string{`"state":"interrupted"`, `"event":"summary","pictures":3,"made":0,"reused":0,"failed":0,"left":3`} {
				if !strings.Contains(run.stdout, part) {
					t.Errorf("standard output has no %s", part)
				}
			}
			readPicture(t, filepath.Join(folder, "out", "a-style.png"))
			nothingLeft(t, filepath.Join(folder, "out"))
			if page := string(readFile(t, filepath.Join(folder, "out", "index.html"))); !strings.Contains(page, "interrupted") {
				t.Error("the page doesn't tell of the interrupt")
			}
			again := impasto(t, folder, args("2")...).done(t)
			if n := strings.Count(again.stderr, "painting "); n != 3 {
				t.Errorf("%d pictures are painted afterwards, want all 3:\n%s", n, again.stderr)
			}
		})
	}
}

func TestBatchIntoAWriteProtectedFolderIsRefused(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write anywhere")
	}
	folder := contents(t)
	if err := os.Mkdir(filepath.Join(folder, "out"), 0o555); err != nil {
		t.Fatal(err)
	}
	runTinyBatch(t, folder, "photos", "--style=style.png").refused(t, statusFailed, "out", "permission denied")
}
