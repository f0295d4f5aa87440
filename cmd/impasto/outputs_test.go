package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
)

// piped runs the program with a file as its standard input.
func piped(t *testing.T, folder, input string, args ...string) outcome {
	t.Helper()
	cmd := program(t, folder, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(readFile(t, filepath.Join(folder, input))), &stdout, &stderr
	_ = cmd.Run() // an exit status other than 0 is an error
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func TestStandardInputAndOutputArePictures(t *testing.T) {
	folder := workshop(t)
	common := append([]string{"--first-iterations=2", "--quiet", "--no-metadata"}, shallow...) // which has names
	impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png"}, common)...).done(t)
	want := string(readFile(t, filepath.Join(folder, "out.png")))
	for input, args := range map[string][]string{
		"content.png": {"stylize", "-", "style.png", "-o", "-"},
		"style.png":   {"stylize", "content.png", "-o", "-", "-"},
	} {
		run := piped(t, folder, input, append(args, common...)...).done(t)
		if run.stdout != want || run.stderr != "" {
			t.Errorf("%s by standard input: %d bytes of standard output, want the %d of the file; standard error is %q", input, len(run.stdout), len(want), run.stderr)
		}
	}
	for format, decode := range map[string]func(*bytes.Reader) (image.Image, error){
		"png":  func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) },
		"jpeg": func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) },
		"tiff": func(r *bytes.Reader) (image.Image, error) { return tiff.Decode(r) },
	} {
		run := impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "-", "--format", format}, common)...).done(t)
		if img, err := decode(bytes.NewReader([]byte(run.stdout))); err != nil || img.Bounds().Dx() != 32 {
			t.Errorf("%s: %v", format, err)
		}
	}
	measure := []string{"--layers=relu1_1", "--loss=gram"}
	want = impasto(t, folder, append([]string{"measure", "content.png", "style.png"}, measure...)...).done(t).stdout
	if got := piped(t, folder, "style.png", append([]string{"measure", "content.png", "-"}, measure...)...).done(t).stdout; got != want {
		t.Errorf("measured by standard input:\n%swant\n%s", got, want)
	}
	piped(t, folder, "content.png", append([]string{"stylize", "-", "missing.png", "-o", "-"}, common...)...).refused(t, statusFailed, "missing.png")
	writeFile(t, filepath.Join(folder, "text"), []byte("no picture"))
	piped(t, folder, "text", append([]string{"stylize", "-", "style.png", "-o", "-"}, common...)...).refused(t, statusFailed, "standard input")
}

func TestProgressDoesntGetIntoThePicture(t *testing.T) {
	folder := workshop(t)
	run := stylize(t, folder, "style.png", "-o", "-", "--first-iterations=1").done(t)
	if _, err := png.Decode(strings.NewReader(run.stdout)); err != nil {
		t.Error(err)
	}
	if !strings.Contains(run.stderr, "wrote standard output: 32×24, 1 iteration in ") {
		t.Errorf("standard error is %q", run.stderr)
	}
}

func TestAFolderAsOutputGetsTheContentsName(t *testing.T) {
	for _, test := range []struct {
		name, content, output string
		args                  []string
		want                  string
	}{
		{"a folder", "content.png", "there", nil, "there/content.png"},
		{"a folder that is made", "content.png", "a/b/", nil, "a/b/content.png"},
		{"a JPEG's name", "photo.JPG", "there", nil, "there/photo.JPG"},
		{"a JPEG's name and 16 bits", "photo.JPG", "there", []string{"--depth=16"}, "there/photo.png"},
		{"a name that can't be written", "photo.gif", "there", nil, "there/photo.png"},
		{"a name without extension", "photo", "there", nil, "there/photo.png"},
		{"another format", "content.png", "there", []string{"--format=jpeg"}, "there/content.jpg"},
		{"the same format", "photo.JPG", "there", []string{"--format=jpeg"}, "there/photo.JPG"},
		{"the current folder", "there/inner.png", ".", nil, "inner.png"},
		{"standard input", "-", "there/", nil, "there/painted.png"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := workshop(t)
			if err := os.Mkdir(filepath.Join(folder, "there"), 0o777); err != nil {
				t.Fatal(err)
			}
			picture := readFile(t, filepath.Join(folder, "content.png"))
			if test.content != standardStream {
				writeFile(t, filepath.Join(folder, test.content), picture)
			}
			piped(t, folder, "content.png", slices.Concat([]string{"stylize", test.content, "style.png", "-o", test.output, "--quiet", "--first-iterations=1"}, shallow, test.args)...).done(t)
			data := readFile(t, filepath.Join(folder, test.want))
			if _, format, err := image.DecodeConfig(bytes.NewReader(data)); err != nil || (format == "jpeg") != strings.HasSuffix(strings.ToLower(test.want), ".jpg") {
				t.Errorf("%s is a %s (%v)", test.want, format, err)
			}
		})
	}
}

func TestIntermediatePicturesReplaceOnlyThoseOfAnEarlierRun(t *testing.T) {
	folder := workshop(t)
	args := []string{"style.png", "-o", "out.png", "--first-iterations=3", "--save-every=1"}
	path := func(name string) string { return filepath.Join(folder, name) }
	// Not of these numbers, or not of this form.
	for _, name := range []string{"out-00003.png", "out-1.png", "out-000001.png", "out-00001.jpg"} {
		writeFile(t, path(name), []byte("mine"))
	}
	writeFile(t, path("out-00002.png"), []byte("mine"))
	run := stylize(t, folder, append(args, "--save-every=2")...)
	run.refused(t, statusUsage, "--save-every would replace out-00002.png", "there is no out.png that an earlier run made")
	if data := string(readFile(t, path("out-00002.png"))); data != "mine" {
		t.Errorf("it was replaced by %q", data)
	}
	if err := os.Remove(path("out-00002.png")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path("out-00003.png")); err != nil {
		t.Fatal(err)
	}
	stylize(t, folder, args...).done(t)
	again := stylize(t, folder, args...).done(t)
	if !strings.HasPrefix(again.stderr, "--save-every replaces out-00001.png and 1 more of an earlier run\n") {
		t.Errorf("the same command again says %q", again.stderr)
	}
	for _, name := range []string{"out-1.png", "out-000001.png", "out-00001.jpg"} {
		if data := string(readFile(t, path(name))); data != "mine" {
			t.Errorf("%s was replaced", name)
		}
	}
}

func TestAnIntermediatePictureDoesntReachAnInputByALink(t *testing.T) {
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, "out.png"), nil)
	if err := os.Symlink("style.png", filepath.Join(folder, "out-00002.png")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	stylize(t, folder, "style.png", "-o", "out.png", "--save-every=2").refused(t, statusUsage, "out-00002.png is the input style.png")
}
