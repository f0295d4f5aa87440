//go:build unix

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInterruptedComparisonKeepsWhatIsFinished(t *testing.T) {
	folder := workshop(t)
	args := func(iterations string) []string {
		return slices.Concat([]string{"compare", "content.png", "style.png", "-o", "out", "--vary=first-iterations=2," + iterations}, shallow)
	}
	cmd := program(t, folder, args("1000000")...)
	last := interrupted(t, cmd)
	if want := "impasto: interrupted after 1 of 2 pictures; they are in out, and the same command goes on from there"; last != want {
		t.Errorf("the last line is %q, want %q", last, want)
	}
	for _, absent := range []string{"sheet.png", "index.html", "scores.json", "pictures/first-iterations-1000000.png"} {
		if _, err := os.Stat(filepath.Join(folder, "out", filepath.FromSlash(absent))); err == nil {
			t.Errorf("%s is there, of an unfinished comparison", absent)
		}
	}
	readPicture(t, filepath.Join(folder, "out", "pictures", "first-iterations-2.png"))
	nothingLeft(t, filepath.Join(folder, "out", "pictures"))
	run := impasto(t, folder, args("3")...).done(t)
	if got := painted(run); !slices.Equal(got, []string{"first-iterations 3"}) {
		t.Errorf("painted %q after the interruption", got)
	}
}

// interrupted runs a program, interrupts it after the first of its 1000000 iterations, and
// returns the last line that it wrote to standard error.
func interrupted(t *testing.T, cmd *exec.Cmd) (last string) {
	t.Helper()
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		last = lines.Text()
		if strings.Contains(last, "iteration 1/1000000") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // an exit status other than 0 is an error
	if status := cmd.ProcessState.ExitCode(); status != statusInterrupted {
		t.Errorf("exit status %d, want %d", status, statusInterrupted)
	}
	return last
}
