package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asProgram in the environment makes the test binary be impasto, so that tests
// run the program as a user does without building it a second time.
const asProgram = "IMPASTO_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program returns a command that runs impasto in the folder.
func program(t *testing.T, folder string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// outcome is what a run of the program left.
type outcome struct {
	stdout, stderr string
	status         int
}

// impasto runs the program to its end.
func impasto(t *testing.T, folder string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := program(t, folder, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// startReading starts a program whose standard output is to be read while it runs, and
// returns that and what will have its standard error.
func startReading(t *testing.T, cmd *exec.Cmd) (stdout io.ReadCloser, stderr *bytes.Buffer) {
	t.Helper()
	stderr = &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return stdout, stderr
}

// done demands that a run went well.
func (o outcome) done(t *testing.T) outcome {
	t.Helper()
	if o.status != statusDone {
		t.Fatalf("exit status %d; standard error:\n%s", o.status, o.stderr)
	}
	return o
}

// refused demands exactly one line on standard error that has all of the
// fragments, nothing on standard output, and the exit status.
func (o outcome) refused(t *testing.T, status int, fragments ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d", o.status, status)
	}
	if o.stdout != "" {
		t.Errorf("standard output is %q, want nothing", o.stdout)
	}
	line, rest, ended := strings.Cut(o.stderr, "\n")
	if !ended || rest != "" || !strings.HasPrefix(line, "impasto: ") {
		t.Errorf("standard error is %q, want one line after \"impasto: \"", o.stderr)
	}
	for _, fragment := range fragments {
		if !strings.Contains(line, fragment) {
			t.Errorf("error %q doesn't mention %q", line, fragment)
		}
	}
}

// shallow are flags that make a stylisation small enough for a test: two layers
// of the network and one scale.
var shallow = []string{
	"--style-layers=relu1_1", "--content-layers=relu2_1", "--size=32", "--min-size=32", "--device=cpu",
	"--threads=1", // more would wait for each other
}

// workshop is a folder with content.png and style.png.
func workshop(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	writePicture(t, filepath.Join(folder, "content.png"), 40, 30, 0.15)
	writePicture(t, filepath.Join(folder, "style.png"), 36, 36, 0.9)
	return folder
}

func writePicture(t *testing.T, path string, width, height int, frequency float64) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			wave := func(phase float64) uint8 {
				return uint8(127 + 120*math.Sin(float64(x)*frequency+3*math.Cos(float64(y)*frequency)+phase))
			}
			img.SetNRGBA(x, y, color.NRGBA{wave(0), wave(2), wave(4), 255})
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, data.Bytes())
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// readPicture decodes a PNG file to its end.
func readPicture(t *testing.T, path string) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(readFile(t, path)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return img
}

// nothingLeft demands that a folder has no temporary file.
func nothingLeft(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".tmp") {
			t.Errorf("%s is left behind", entry.Name())
		}
	}
}
