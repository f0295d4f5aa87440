//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// interrupted starts an endless stylisation, sends it a signal once the third
// iteration is done, and returns how it ended.
func interrupted(t *testing.T, folder string, signal os.Signal, args ...string) outcome {
	t.Helper()
	cmd := program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--json", "--first-iterations=1000000"}, shallow, args)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var stdout strings.Builder
	lines := bufio.NewScanner(pipe)
	for n := 1; lines.Scan(); n++ {
		stdout.WriteString(lines.Text() + "\n")
		if n == 3 {
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // an exit status other than 0 is an error
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func TestInterruptWritesTheBestPictureSoFar(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			folder := workshop(t)
			writeFile(t, filepath.Join(folder, "out.png"), []byte("old"))
			run := interrupted(t, folder, signal)
			if run.status != statusInterrupted {
				t.Errorf("exit status %d, want %d; standard error:\n%s", run.status, statusInterrupted, run.stderr)
			}
			if size := readPicture(t, filepath.Join(folder, "out.png")).Bounds().Size(); size.X != 32 || size.Y != 24 {
				t.Errorf("the picture is %v, want 32×24", size)
			}
			nothingLeft(t, folder)
			lines := strings.Split(strings.TrimSpace(run.stderr), "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "impasto: interrupted; the picture after ") || !strings.HasSuffix(last, " is in out.png") {
				t.Errorf("the last line is %q", last)
			}
			if !strings.Contains(run.stdout, `"event":"written","path":"out.png","final":true,"interrupted":true`) {
				t.Error("no JSON object says that an unfinished picture was written")
			}
		})
	}
}

func TestSecondInterruptStopsAtOnce(t *testing.T) {
	var stderr bytes.Buffer
	status := make(chan int)
	ctx, stop := interruptible(context.Background(), &stderr, func(s int) { status <- s })
	defer stop()
	interrupt := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	interrupt()
	<-ctx.Done()
	interrupt()
	if s := <-status; s != statusInterrupted {
		t.Errorf("exit status %d, want %d", s, statusInterrupted)
	}
	if got, want := stderr.String(), "impasto: interrupted twice; stopped at once\n"; got != want {
		t.Errorf("standard error is %q, want %q", got, want)
	}
}

func TestFailedIntermediatePictureStopsTheRunAndKeepsWhatThereIs(t *testing.T) {
	folder := workshop(t)
	// A folder that isn't empty is in the intermediate picture's place.
	if err := os.MkdirAll(filepath.Join(folder, "out-00002.png", "full"), 0o777); err != nil {
		t.Fatal(err)
	}
	run := impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png",
		"--quiet", "--save-every=2", "--first-iterations=1000000"}, shallow)...)
	run.refused(t, statusFailed, "out-00002.png", "iterations is in out.png")
	readPicture(t, filepath.Join(folder, "out.png"))
	nothingLeft(t, folder)
}
