package docs

import (
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// block is one of code in a document.
var block = regexp.MustCompile("(?s)```(sh|go)\n(.*?)```\n")

// blocks are those of one language, in their order.
func blocks(t *testing.T, document, language string) []string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, parts := range block.FindAllStringSubmatch(string(text), -1) {
		if parts[1] == language {
			found = append(found, parts[2])
		}
	}
	return found
}

// TestModulesCanUseTheLibrary does what library.md says, without a network: a module
// that replaces impasto by this repository, and one in a workspace with it.
func TestModulesCanUseTheLibrary(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("builds a program, with a Unix command in between")
	}
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	commands, programs := blocks(t, "library.md", "sh"), blocks(t, "library.md", "go")
	if len(commands) != 3 || len(programs) != 1 {
		t.Fatalf("library.md has %d blocks of commands and %d programs, want 3 and 1", len(commands), len(programs))
	}
	for name, run := range map[string][]string{
		"replaced":  {commands[0], commands[2]},
		"workspace": {commands[1], "go vet ."},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(programs[0]), 0o666); err != nil {
				t.Fatal(err)
			}
			for _, script := range run {
				for line := range strings.Lines(strings.ReplaceAll(script, "../impasto", filepath.ToSlash(repository))) {
					words := strings.Fields(line)
					command := exec.Command(words[0], words[1:]...)
					command.Dir = folder
					command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=", "GOPROXY=off")
					if out, err := command.CombinedOutput(); err != nil {
						t.Fatalf("%s: %v\n%s", line, err, out)
					}
				}
			}
			if name != "replaced" {
				return
			}
			file, err := os.Open(filepath.Join(folder, "painted.png"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			img, err := png.Decode(file)
			if err != nil {
				t.Fatal(err)
			}
			if width := img.Bounds().Dx(); width != 64 {
				t.Errorf("the program painted %d pixels a row, want 64", width)
			}
		})
	}
}
