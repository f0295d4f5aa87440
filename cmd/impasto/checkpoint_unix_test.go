//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// painting is a stylisation of two scales that takes a second or so, and its pictures.
var painting = []string{"--style-layers=relu1_1", "--content-layers=relu2_1", "--size=32", "--min-size=22", "--device=cpu",
	"--first-iterations=20", "--iterations=20", "--loss=sinkhorn", "--layer-loss=relu1_1=gaussian", "--depth=16"}

func paint(t *testing.T, folder string, args ...string) outcome {
	t.Helper()
	return impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png:2"}, painting, args)...)
}

// killsVariable makes TestKilledRunsLoseNothing kill so many times.
const killsVariable = "IMPASTO_TEST_KILLS"

func TestKilledRunsLoseNothing(t *testing.T) {
	kills := 4
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	folder := workshop(t)
	checkpoint := filepath.Join(folder, "run.checkpoint")
	for _, optimizer := range []string{"lbfgs", "adam"} {
		began := time.Now()
		paint(t, folder, "-o", "want.png", "--log=want.csv", "--checkpoint=none", "--optimizer="+optimizer).done(t)
		took := time.Since(began)
		want := readFile(t, filepath.Join(folder, "want.png"))
		start := slices.Concat([]string{"stylize", "content.png", "style.png:2"}, painting,
			[]string{"-o", "out.png", "--log=out.csv", "--checkpoint=run.checkpoint", "--checkpoint-every=0s", "--optimizer=" + optimizer})
		goOn := []string{"stylize", "--resume=run.checkpoint", "--checkpoint-every=0s"}
		for killed := 0; killed < (kills+1)/2; {
			args := start
			if _, err := os.Stat(checkpoint); err == nil {
				args = goOn
			}
			cmd := program(t, folder, args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(rand.N(took), func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait() // an exit status other than 0 is an error
			timer.Stop()
			switch status := cmd.ProcessState.ExitCode(); status {
			case -1, statusInterrupted:
				killed++
				continue
			case statusDone:
				checkPainted(t, folder, want)
				checkLogged(t, folder)
			default:
				if !cmd.ProcessState.Exited() || stderr.Len() == 0 {
					killed++
					continue
				}
				t.Fatalf("exit status %d; standard error:\n%s", status, stderr.String())
			}
		}
		if _, err := os.Stat(checkpoint); err == nil {
			impasto(t, folder, goOn...).done(t)
			checkPainted(t, folder, want)
			checkLogged(t, folder)
		}
	}
	nothingLeft(t, folder)
}

// logged is a log without the times.
func logged(t *testing.T, folder, name string) [][]string {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(readFile(t, filepath.Join(folder, name)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(records[0], "seconds")
	for i, r := range records {
		records[i] = slices.Delete(r, at, at+1)
	}
	return records
}

// checkPainted demands the picture of an uninterrupted run, takes it away, and demands
// that its checkpoint is gone.
func checkPainted(t *testing.T, folder string, want []byte) {
	t.Helper()
	path := filepath.Join(folder, "out.png")
	if !bytes.Equal(readFile(t, path), want) {
		t.Error("the picture is another than that of the uninterrupted run")
	}
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "run.checkpoint")); err == nil {
		t.Error("the checkpoint is still there after the end")
	}
}

// checkLogged demands the log of an uninterrupted run.
func checkLogged(t *testing.T, folder string) {
	t.Helper()
	if got, want := logged(t, folder, "out.csv"), logged(t, folder, "want.csv"); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the log has %d lines, or others than the %d of a run that wasn't stopped", len(got), len(want))
	}
}

// cutShort leaves run.checkpoint in a folder, and the picture so far in out.png.
func cutShort(t *testing.T) (folder string) {
	t.Helper()
	folder = workshop(t)
	cmd := program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png:2", "-o", "out.png", "--json", "--checkpoint=run.checkpoint"}, painting)...)
	run := during(t, cmd, 5, func() { send(t, cmd, os.Interrupt) })
	if run.status != statusInterrupted {
		t.Fatalf("exit status %d, standard error:\n%s", run.status, run.stderr)
	}
	lines := strings.Split(strings.TrimSpace(run.stderr), "\n")
	last := lines[len(lines)-1]
	if want := "scaled up, is in out.png; `impasto stylize --resume run.checkpoint` goes on from there"; !strings.HasSuffix(last, want) {
		t.Errorf("the last line is %q, want it to end in %q", last, want)
	}
	for _, want := range []string{`"interrupted":true,"width":32,"height":24,"painted_width":23,"painted_height":17,`, `"checkpoint":"run.checkpoint"`} {
		if !strings.Contains(run.stdout, want) {
			t.Errorf("no event has %s:\n%s", want, run.stdout)
		}
	}
	if size := readPicture(t, filepath.Join(folder, "out.png")).Bounds().Size(); size.X != 32 || size.Y != 24 {
		t.Errorf("the picture is %v, want 32×24, as was asked for", size)
	}
	return folder
}

func TestInterruptedRunGoesOn(t *testing.T) {
	folder := cutShort(t)
	paint(t, folder, "-o", "want.png").done(t)
	// From another folder, with pictures that have moved, to another output.
	elsewhere := filepath.Join(folder, "elsewhere")
	if err := os.Mkdir(elsewhere, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "style.png"), filepath.Join(elsewhere, "moved.png")); err != nil {
		t.Fatal(err)
	}
	data := readFile(t, filepath.Join(folder, "run.checkpoint"))
	impasto(t, elsewhere, "stylize", "--resume=../run.checkpoint", "../content.png", "moved.png:2", "-o", "other.png", "--threads=1").done(t)
	if !bytes.Equal(readFile(t, filepath.Join(elsewhere, "other.png")), readFile(t, filepath.Join(folder, "want.png"))) {
		t.Error("the picture is another than that of the uninterrupted run")
	}
	if _, err := os.Stat(filepath.Join(folder, "run.checkpoint")); err == nil {
		t.Error("the checkpoint is still there after the end")
	}
	writeFile(t, filepath.Join(folder, "run.checkpoint"), data)
	impasto(t, folder, "stylize", "--resume=run.checkpoint").refused(t, statusFailed, "style.png", "no such file")
}

// A run in tiles goes on in the same tiles, though there were memory for more.
func TestInterruptedRunInTilesGoesOn(t *testing.T) {
	folder := workshop(t)
	args := slices.Concat([]string{"stylize", "content.png", "style.png", "--json"}, inTiles, []string{"--first-iterations=4"})
	impasto(t, folder, append(args, "-o", "want.png")...).done(t)
	cmd := program(t, folder, append(args, "-o", "out.png", "--checkpoint=run.checkpoint")...)
	if run := during(t, cmd, 3, func() { send(t, cmd, os.Interrupt) }); run.status != statusInterrupted {
		t.Fatalf("exit status %d, standard error:\n%s", run.status, run.stderr)
	}
	impasto(t, folder, "stylize", "--resume=run.checkpoint", "--memory=1GiB").done(t)
	checkPainted(t, folder, readFile(t, filepath.Join(folder, "want.png")))
}

func TestCheckpointThatWontDoIsRefused(t *testing.T) {
	folder := cutShort(t)
	data := readFile(t, filepath.Join(folder, "run.checkpoint"))
	altered := slices.Clone(data)
	altered[len(altered)/2] ^= 1
	writeFile(t, filepath.Join(folder, "altered"), altered)
	writeFile(t, filepath.Join(folder, "cut"), data[:len(data)-7])
	writeFile(t, filepath.Join(folder, "empty"), nil)
	for _, test := range []struct {
		args   []string
		status int
		want   []string
	}{
		{[]string{"--resume=altered"}, statusFailed, []string{"--resume altered", "it was altered"}},
		{[]string{"--resume=cut"}, statusFailed, []string{"it was cut short"}},
		{[]string{"--resume=empty"}, statusFailed, []string{"this is no checkpoint"}},
		{[]string{"--resume=content.png"}, statusFailed, []string{"this is no checkpoint"}},
		{[]string{"--resume=missing"}, statusFailed, []string{"missing", "no such file"}},
		{[]string{"--resume="}, statusUsage, []string{"--resume", "want a name"}},
		{[]string{"--resume=run.checkpoint", "--size=64"}, statusUsage, []string{"--size 64: the checkpoint was made with 32"}},
		{[]string{"--resume=run.checkpoint", "--strength=70"}, statusUsage, []string{"--strength 70: the checkpoint was made without one; leave it out"}},
		{[]string{"--resume=run.checkpoint", "--loss=gram"}, statusUsage, []string{"--loss gram: the checkpoint was made with sinkhorn"}},
		{[]string{"--resume=run.checkpoint", "--quiet", "content.png", "content.png:2"}, statusFailed, []string{"its style picture 1 is another"}},
		{[]string{"content.png", "style.png", "-o", "new.png", "--checkpoint=style.png"}, statusUsage, []string{"--checkpoint style.png"}},
		{[]string{"content.png", "style.png", "-o", "new.png", "--checkpoint=new.png"}, statusUsage, []string{"--checkpoint new.png"}},
		{[]string{"content.png", "style.png", "-o", "new.png", "--checkpoint=missing/file"}, statusFailed, []string{"--checkpoint missing/file"}},
		{[]string{"content.png", "style.png", "-o", "new.png", "--checkpoint-every=soon"}, statusUsage, []string{"want a time"}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			impasto(t, folder, append([]string{"stylize"}, test.args...)...).refused(t, test.status, test.want...)
		})
	}
	if !bytes.Equal(readFile(t, filepath.Join(folder, "run.checkpoint")), data) {
		t.Error("the checkpoint has changed")
	}
}

func TestCheckpointsByDefaultAreInTheStateFolder(t *testing.T) {
	folder, state := workshop(t), t.TempDir()
	run := func(args ...string) outcome {
		cmd := program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png:2", "-o", "out.png"}, painting, args)...)
		cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+state)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		_ = cmd.Run() // an exit status other than 0 is an error
		return outcome{stderr: stderr.String(), status: cmd.ProcessState.ExitCode()}
	}
	if got := run().done(t); strings.Contains(got.stderr, "checkpoint") {
		t.Errorf("a short run speaks of a checkpoint:\n%s", got.stderr)
	}
	if entries, _ := os.ReadDir(state); len(entries) > 0 {
		t.Errorf("a short run leaves %v", entries)
	}
	// One that an earlier run has left, and one that nobody remembers.
	name := filepath.Join(state, "impasto", "out-")
	old := filepath.Join(state, "impasto", "other-01234567.checkpoint")
	if err := os.MkdirAll(filepath.Dir(old), 0o777); err != nil {
		t.Fatal(err)
	}
	writeFile(t, old, nil)
	long := time.Now().Add(-2 * forgotten)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(filepath.Join(folder, "out.png"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, fmt.Sprintf("%s%.4x.checkpoint", name, sha256.Sum256([]byte(absolute))), []byte(checkpointStart))
	got := run("--checkpoint-every=0s").done(t)
	if want := fmt.Sprintf("a checkpoint is in %s", name); strings.Count(got.stderr, want) != 1 {
		t.Errorf("standard error says %q not once:\n%s", want, got.stderr)
	}
	if want := "an earlier run for this output was cut short; `impasto stylize --resume " + name; !strings.Contains(got.stderr, want) {
		t.Errorf("standard error doesn't say %q:\n%s", want, got.stderr)
	}
	if entries, err := os.ReadDir(filepath.Join(state, "impasto")); err != nil || len(entries) > 0 {
		t.Errorf("the state folder has %v after the end (%v)", entries, err)
	}
	// A state folder that can't be made.
	state = filepath.Join(folder, "content.png")
	if got := run("--checkpoint-every=0s").done(t); strings.Count(got.stderr, "can't be written") != 1 || !strings.Contains(got.stderr, "the run goes on") {
		t.Errorf("standard error says not once that there is no checkpoint:\n%s", got.stderr)
	}
}

// A smaller result to go on from is found again from another folder.
func TestInterruptedRunFromAResultGoesOn(t *testing.T) {
	folder := workshop(t)
	impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "small.png", "--quiet"}, painting)...).done(t)
	args := slices.Concat([]string{"stylize", "content.png", "style.png", "--json"}, painting, []string{"--start=result:small.png", "--size=64"})
	impasto(t, folder, append(args, "-o", "want.png")...).done(t)
	cmd := program(t, folder, append(args, "-o", "out.png", "--checkpoint=run.checkpoint")...)
	if run := during(t, cmd, 5, func() { send(t, cmd, os.Interrupt) }); run.status != statusInterrupted {
		t.Fatalf("exit status %d, standard error:\n%s", run.status, run.stderr)
	}
	impasto(t, t.TempDir(), "stylize", "--resume="+filepath.Join(folder, "run.checkpoint")).done(t)
	checkPainted(t, folder, readFile(t, filepath.Join(folder, "want.png")))
}
