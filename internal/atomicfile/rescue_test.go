package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"impasto/internal/atomicfile"
)

// saver writes a megabyte, but not to the paths that fail.
func saver(failing ...string) func(string) error {
	return func(path string) error {
		for _, prefix := range failing {
			if strings.HasPrefix(path, prefix) {
				return errors.New("no room in " + prefix)
			}
		}
		return atomicfile.Write(path, content)
	}
}

func TestARescuedFileLiesBesideTheNameThatFailedAndReplacesNothing(t *testing.T) {
	path := oldFile(t) + ".png"
	folder := filepath.Dir(path)
	for _, want := range []string{"out-rescued.png", "out-rescued-2.png", "out-rescued-3.png"} {
		saved, err := atomicfile.Rescue(path, saver(path))
		if err != nil || saved != filepath.Join(folder, want) {
			t.Fatalf("saved as %q (%v), want %s", saved, err, want)
		}
		if info, err := os.Stat(saved); err != nil || info.Size() != 1<<20 {
			t.Errorf("%v, %v; want a file of a megabyte", info, err)
		}
	}
	checkFolder(t, folder, "out", "out-rescued-2.png", "out-rescued-3.png", "out-rescued.png")
}

func TestAFileIsRescuedFromAFolderThatIsGone(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR")) // Windows'
	t.Chdir(t.TempDir())
	path := filepath.Join(t.TempDir(), "gone", "out.png")
	saved, err := atomicfile.Rescue(path, saver())
	if want := filepath.Join(os.TempDir(), "out-rescued.png"); err != nil || saved != want {
		t.Fatalf("saved as %q (%v), want %s", saved, err, want)
	}
	if info, err := os.Stat(saved); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("%v (%v), want a file of its owner alone", info.Mode(), err)
	}
	if saved, err = atomicfile.Rescue(path, saver(os.TempDir())); err != nil || saved != "out-rescued.png" {
		t.Errorf("saved as %q (%v), want out-rescued.png in the current folder", saved, err)
	}
	saved, err = atomicfile.Rescue(path, saver(os.TempDir(), "out"))
	if err == nil || err.Error() != "no room in out" || saved != "" {
		t.Errorf("saved as %q (%v), want the last error", saved, err)
	}
	checkFolder(t, os.TempDir(), "out-rescued.png")
	checkFolder(t, ".", "out-rescued.png")
}

func TestTheNameOfARescuedFileIsShortEnough(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{strings.Repeat("n", 252) + ".png", strings.Repeat("ü", 126) + ".png", "n." + strings.Repeat("p", 250)} {
		saved, err := atomicfile.Rescue(filepath.Join(folder, name), saver())
		if err != nil {
			t.Errorf("%d bytes: %v", len(name), err)
		}
		if base := filepath.Base(saved); strings.ContainsRune(base, '\uFFFD') || !strings.Contains(base, "-rescued") {
			t.Errorf("the name is %q", base)
		}
	}
}
