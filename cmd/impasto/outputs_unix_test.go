//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// finite is a stylisation of some hundred iterations, with JSON, whose folder for
// temporary files is the one returned.
func finite(t *testing.T, folder, output string, args ...string) (cmd *exec.Cmd, temporary string) {
	t.Helper()
	temporary = t.TempDir()
	cmd = program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", output, "--json", "--quiet", "--optimizer=adam", "--first-iterations=300"}, shallow, args)...)
	cmd.Env = append(cmd.Env, "TMPDIR="+temporary)
	return cmd, temporary
}

// lastEvent is the last JSON object of a run.
func lastEvent(t *testing.T, run outcome) writtenEvent {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
	var event writtenEvent
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &event); err != nil {
		t.Fatal(err)
	}
	return event
}

func TestAPictureThatCannotBeWrittenInTheEndIsRescued(t *testing.T) {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	for _, test := range []struct {
		name        string
		spoil       func(t *testing.T, folder string, cmd *exec.Cmd)
		beside      bool // else in the folder for temporary files
		interrupted bool
		message     string
	}{
		{"folder removed", func(t *testing.T, folder string, _ *exec.Cmd) { must(t, os.RemoveAll(folder)) }, false, false, "does not exist"},
		{"folder replaced by a file", func(t *testing.T, folder string, _ *exec.Cmd) {
			must(t, os.RemoveAll(folder))
			must(t, os.WriteFile(folder, nil, 0o600))
		}, false, false, "is not a folder"},
		{"file write-protected", func(t *testing.T, folder string, _ *exec.Cmd) {
			must(t, os.WriteFile(filepath.Join(folder, "out.png"), []byte("precious"), 0o400))
		}, true, false, "write-protected"},
		{"name taken by a folder", func(t *testing.T, folder string, _ *exec.Cmd) {
			must(t, os.Mkdir(filepath.Join(folder, "out.png"), 0o700))
		}, true, false, "in the way"},
		{"folder removed and interrupted", func(t *testing.T, folder string, cmd *exec.Cmd) {
			must(t, os.RemoveAll(folder))
			send(t, cmd, os.Interrupt)
		}, false, true, "interrupted; "},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := workshop(t)
			outputs := filepath.Join(folder, "outputs")
			must(t, os.Mkdir(outputs, 0o777))
			cmd, where := finite(t, folder, "outputs/out.png")
			run := during(t, cmd, 1, func() { test.spoil(t, outputs, cmd) })
			if test.beside {
				where = "outputs"
			}
			where = filepath.Join(where, "out-rescued.png")
			event := lastEvent(t, run)
			run.stdout = "" // there are events
			run.refused(t, statusFailed, test.message, "outputs/out.png", " is in "+where)
			if event.Path != where || !event.Final || event.Interrupted != test.interrupted || !strings.Contains(event.Error, "outputs/out.png") {
				t.Errorf("the last event is %+v, want the path %s", event, where)
			}
			if !filepath.IsAbs(where) {
				where = filepath.Join(folder, where)
			}
			if size := readPicture(t, where).Bounds().Size(); size.X != 32 {
				t.Errorf("the picture is %v, want 32 pixels", size)
			}
			nothingLeft(t, filepath.Dir(where))
		})
	}
}

func TestAPictureThatIsNotTakenFromStandardOutputIsRescued(t *testing.T) {
	folder, temporary := workshop(t), t.TempDir()
	cmd := program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "-", "--format=tiff", "--first-iterations=1", "--quiet"}, shallow)...)
	cmd.Env = append(cmd.Env, "TMPDIR="+temporary)
	run := withClosedPipe(t, cmd, func() { cmd.Stdout = cmd.ExtraFiles[0] })
	where := filepath.Join(temporary, "painted-rescued.tif")
	run.refused(t, statusFailed, "standard output: broken pipe; the picture is in "+where)
	readFile(t, where)
}

// withClosedPipe runs a command with a pipe that nobody reads, which connect makes its
// standard output or error out of its first extra file.
func withClosedPipe(t *testing.T, cmd *exec.Cmd, connect func()) outcome {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	defer writer.Close()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	cmd.ExtraFiles = []*os.File{writer}
	connect()
	_ = cmd.Run() // an exit status other than 0 is an error
	return outcome{"", stderr.String(), cmd.ProcessState.ExitCode()}
}

func TestWhoStopsReadingDoesntLoseThePicture(t *testing.T) {
	t.Run("JSON", func(t *testing.T) {
		folder := workshop(t)
		cmd := endless(t, folder, "--quiet")
		pipe, stderr := startReading(t, cmd)
		if _, err := bufio.NewReader(pipe).ReadString('\n'); err != nil {
			t.Error(err)
		}
		pipe.Close()
		_ = cmd.Wait() // an exit status other than 0 is an error
		outcome{"", stderr.String(), cmd.ProcessState.ExitCode()}.refused(t, statusFailed,
			"write JSON to standard output: broken pipe; the picture after ", " of 1000000 iterations is in out.png")
		readPicture(t, filepath.Join(folder, "out.png"))
	})
	t.Run("progress", func(t *testing.T) {
		folder := workshop(t)
		cmd := program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--first-iterations=3"}, shallow)...)
		run := withClosedPipe(t, cmd, func() { cmd.Stderr = cmd.ExtraFiles[0] })
		if run.status != statusDone {
			t.Errorf("exit status %d, want %d", run.status, statusDone)
		}
		readPicture(t, filepath.Join(folder, "out.png"))
	})
	t.Run("the last event", func(t *testing.T) {
		folder := workshop(t)
		cmd := program(t, folder, slices.Concat([]string{"compare", "content.png", "style.png", "-o", "out", "--losses=moments", "--first-iterations=1", "--json", "--quiet"}, shallow)...)
		pipe, stderr := startReading(t, cmd)
		if line, err := bufio.NewReaderSize(pipe, 16).ReadString('\n'); err != nil || !strings.Contains(line, `"planned"`) {
			t.Errorf("the first event is %q (%v), want what is planned", line, err)
		}
		pipe.Close()
		_ = cmd.Wait() // an exit status other than 0 is an error
		outcome{"", stderr.String(), cmd.ProcessState.ExitCode()}.refused(t, statusFailed, "broken pipe; what was made by then is in out")
		readPicture(t, filepath.Join(folder, "out", "pictures", "moments.png"))
	})
}

func TestAnOutputThatIsThereKeepsItsProtection(t *testing.T) {
	folder := workshop(t)
	path := func(name string) string { return filepath.Join(folder, name) }
	writeFile(t, path("private.png"), nil)
	if err := os.Chmod(path("private.png"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("new.png", path("dangling.png")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path(".impasto-0123456789abcdef.tmp"), []byte("left by a run that was killed"))
	for _, output := range []string{"private.png", "dangling.png"} {
		stylize(t, folder, "style.png", "-o", output, "--first-iterations=1", "--quiet").done(t)
	}
	readPicture(t, path("private.png"))
	if info, err := os.Stat(path("private.png")); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v (%v), want mode 0600", info.Mode(), err)
	}
	readPicture(t, path("new.png"))
	if info, err := os.Lstat(path("dangling.png")); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("%v (%v), want the link", info.Mode(), err)
	}
	nothingLeft(t, folder)
}

// Every command that writes a file refuses what isn't one, or is write-protected,
// before any work, and leaves it as it is.
func TestOutputsThatAreNoFilesToReplaceAreRefused(t *testing.T) {
	folder := workshop(t)
	path := func(name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
	writeWeights(t, path("in.safetensors"), nil)
	for _, name := range []string{"compared/pictures", "plots"} {
		if err := os.MkdirAll(path(name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	fifo := func(path string) error { return syscall.Mkfifo(path, 0o666) }
	protected := func(path string) error { return os.WriteFile(path, nil, 0o444) }
	device := func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|3) }
	stylization := append([]string{"stylize", "content.png", "style.png", "--iterations=1000"}, shallow...)
	comparison := append([]string{"compare", "content.png", "style.png", "-o", "compared", "--losses=moments", "--first-iterations=1000"}, shallow...)
	for _, test := range []struct {
		output string
		args   []string
	}{
		{"out.png", append(slices.Clone(stylization), "-o", "out.png")},
		{"out-00010.png", append(slices.Clone(stylization), "-o", "out.png", "--save-every=10")},
		{"out.safetensors", []string{"weights", "convert", "in.safetensors", "out.safetensors"}},
		{"compared/sheet.png", comparison},
		{"compared/index.html", comparison},
		{"compared/scores.json", comparison},
		{"compared/pictures/moments.png", comparison},
		{"compared/pictures/moments.json", comparison},
		{"plots/clouds.png", []string{"theory", "--plot", "plots"}},
		{"plots/clouds.svg", []string{"theory", "--plot", "plots"}},
		{"plot.svg", []string{"bench", "losses", "--plot", "plot.svg"}},
	} {
		for kind, make := range map[string]func(string) error{"a named pipe": fifo, "write-protected": protected, "a device": device} {
			t.Run(test.output+" is "+kind, func(t *testing.T) {
				if err := make(path(test.output)); err != nil {
					t.Skipf("it can't be made here: %v", err)
				}
				defer os.Remove(path(test.output))
				before, err := os.Lstat(path(test.output))
				if err != nil {
					t.Fatal(err)
				}
				impasto(t, folder, test.args...).refused(t, statusFailed, filepath.FromSlash(test.output), kind)
				if after, err := os.Lstat(path(test.output)); err != nil || after.Mode() != before.Mode() || !os.SameFile(before, after) {
					t.Errorf("it is %v (%v), want %v as it was", after, err, before.Mode())
				}
			})
		}
	}
}

func TestStandardOutputThatIsAFileTakesThePicture(t *testing.T) {
	folder := workshop(t)
	file, err := os.Create(filepath.Join(folder, "out.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := program(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "-", "--first-iterations=1"}, shallow)...)
	cmd.Stdout = file
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	readPicture(t, filepath.Join(folder, "out.png"))
}
