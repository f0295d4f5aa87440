//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"impasto/internal/supervise"
)

// during runs a command that writes JSON, acts once a line is there, and returns how
// the command ended.
func during(t *testing.T, cmd *exec.Cmd, line int, act func()) outcome {
	t.Helper()
	pipe, stderr := startReading(t, cmd)
	var stdout strings.Builder
	lines := bufio.NewScanner(pipe)
	for n := 1; lines.Scan(); n++ {
		stdout.WriteString(lines.Text() + "\n")
		if n == line {
			act()
		}
	}
	_ = cmd.Wait() // an exit status other than 0 is an error
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// endless is a stylisation to out.png that goes on until something stops it, with
// JSON.
func endless(t *testing.T, folder string, args ...string) *exec.Cmd {
	t.Helper()
	return program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--json", "--first-iterations=1000000"}, shallow, args)...)
}

// send sends a signal to a command that runs.
func send(t *testing.T, cmd *exec.Cmd, signal os.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
}

func TestInterruptWritesTheBestPictureSoFar(t *testing.T) {
	hearHangups(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			folder := workshop(t)
			writeFile(t, filepath.Join(folder, "out.png"), []byte("old"))
			cmd := endless(t, folder)
			run := during(t, cmd, 3, func() { send(t, cmd, signal) })
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
	interrupt() // which comes from a program that passed the first one on
	select {
	case s := <-status:
		t.Fatalf("two interrupts at once stop with %d", s)
	case <-time.After(together + 50*time.Millisecond):
	}
	interrupt()
	if s := <-status; s != statusInterrupted {
		t.Errorf("exit status %d, want %d", s, statusInterrupted)
	}
	if got, want := stderr.String(), "impasto: interrupted twice; stopped at once\n"; got != want {
		t.Errorf("standard error is %q, want %q", got, want)
	}
}

// SIGQUIT ends other Go programs with a stack trace and what is here the status of wrong
// usage.
func TestQuitStopsAtOnceInOneLine(t *testing.T) {
	folder := workshop(t)
	for _, test := range []struct {
		name           string
		limited, trace bool
	}{{"alone", false, false}, {"with a trace", false, true}, {"under a limit", true, false}, {"under a limit, with a trace", true, true}} {
		t.Run(test.name, func(t *testing.T) {
			cmd := endless(t, folder, "--quiet")
			if test.limited {
				cmd = limitedTo(t, 8192, folder, cmd.Args[1:]...)
			}
			if test.trace {
				cmd.Env = append(cmd.Env, "IMPASTO_TRACE=1")
			}
			run := during(t, cmd, 3, func() { send(t, cmd, syscall.SIGQUIT) })
			line, trace, _ := strings.Cut(run.stderr, "\n")
			if run.status != statusQuit || line != supervise.QuitLine || strings.Contains(trace, "goroutine ") != test.trace {
				t.Errorf("exit status %d, standard error:\n%s", run.status, run.stderr)
			}
		})
	}
}

// hearHangups keeps programs that are started from being deaf to SIGHUP where the test
// itself is, as under nohup.
func hearHangups(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(signals) })
}

// A terminal that closes may say so more than once.
func TestSecondHangupDoesntKeepThePictureFromBeingWritten(t *testing.T) {
	hearHangups(t)
	folder := workshop(t)
	cmd := endless(t, folder)
	run := during(t, cmd, 3, func() {
		for range 3 {
			send(t, cmd, syscall.SIGHUP)
		}
		send(t, cmd, syscall.SIGTERM)
	})
	if run.status != statusInterrupted || !strings.Contains(run.stderr, "is in out.png") {
		t.Errorf("exit status %d, standard error:\n%s", run.status, run.stderr)
	}
	readPicture(t, filepath.Join(folder, "out.png"))
}

func TestNohupOutlivesTheTerminal(t *testing.T) {
	folder := workshop(t)
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	cmd := endless(t, folder, "--first-iterations=100")
	run := during(t, cmd, 3, func() { send(t, cmd, syscall.SIGHUP) }).done(t)
	if !strings.Contains(run.stdout, `"done":100,`) {
		t.Error("the run didn't come to its end")
	}
}

func TestFailedIntermediatePictureStopsTheRunAndKeepsWhatThereIs(t *testing.T) {
	folder := workshop(t)
	cmd := endless(t, folder, "--quiet", "--save-every=500", "--optimizer=adam")
	run := during(t, cmd, 1, func() {
		// A folder that isn't empty comes in the intermediate picture's place.
		if err := os.MkdirAll(filepath.Join(folder, "out-00500.png", "full"), 0o777); err != nil {
			t.Error(err)
		}
	})
	run.stdout = "" // there are events
	run.refused(t, statusFailed, "out-00500.png", "iterations is in out.png")
	readPicture(t, filepath.Join(folder, "out.png"))
	nothingLeft(t, folder)
}
