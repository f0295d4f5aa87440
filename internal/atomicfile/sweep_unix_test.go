//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"impasto/internal/atomicfile"
)

// leftovers puts into a folder what killed runs leave, and what only looks like it.
// It returns the names of the latter.
func leftovers(t *testing.T, folder string) (others []string) {
	t.Helper()
	path := func(name string) string { return filepath.Join(folder, name) }
	for _, name := range []string{".impasto-0123456789abcdef.tmp", ".impasto-00000000000000aa.tmp"} {
		if err := os.WriteFile(path(name), []byte("half a picture"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Two folders in which names are tried, an old one and one that may be in use.
	for name, age := range map[string]time.Duration{".impasto-1111111111111111.tmp": time.Hour, ".impasto-2222222222222222.tmp": 0} {
		if err := os.Mkdir(path(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path(name), "out"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(path(name), then, then); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(path(".impasto-3333333333333333.tmp"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", path(".impasto-4444444444444444.tmp")); err != nil {
		t.Fatal(err)
	}
	others = []string{".impasto-2222222222222222.tmp", ".impasto-3333333333333333.tmp", ".impasto-4444444444444444.tmp",
		".impasto-0123456789ABCDEF.tmp", ".impasto-my.tmp", ".impasto-0123456789abcdef.tmp.png", "notes"}
	for _, name := range others[3:] {
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		const name = ".impasto-5555555555555555.tmp"
		others = append(others, name)
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path(name), 1234, 1234); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(others)
	return others
}

func TestWhatKilledRunsLeftIsSwept(t *testing.T) {
	for name, act := range map[string]func(path string) error{
		"Check": atomicfile.Check,
		"Write": func(path string) error { return atomicfile.Write(path, content) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			want := leftovers(t, folder)
			if err := act(filepath.Join(folder, "out")); err != nil {
				t.Fatal(err)
			}
			if name == "Write" {
				want = append(want, "out")
				slices.Sort(want)
			}
			checkFolder(t, folder, want...)
		})
	}
}

func TestAFileThatIsBeingWrittenIsNotSwept(t *testing.T) {
	folder := t.TempDir()
	outer, inner := filepath.Join(folder, "outer"), filepath.Join(folder, "inner")
	err := atomicfile.Write(outer, func(w io.Writer) error {
		if err := content(w); err != nil {
			return err
		}
		if err := atomicfile.Check(inner); err != nil {
			return err
		}
		return atomicfile.Write(inner, content)
	})
	if err != nil {
		t.Fatal(err)
	}
	checkFolder(t, folder, "inner", "outer")
}

// sweeper sweeps at the moment when a file is closed and not yet renamed.
type sweeper struct {
	atomicfile.Disk
	t      *testing.T
	folder string
}

func (s sweeper) Rename(from, to string) error {
	if err := atomicfile.Check(filepath.Join(s.folder, "other")); err != nil {
		s.t.Error(err)
	}
	return s.Disk.Rename(from, to)
}

func TestAFileThatIsAboutToBeRenamedIsNotSwept(t *testing.T) {
	folder := t.TempDir()
	if err := atomicfile.WriteOn(sweeper{t: t, folder: folder}, filepath.Join(folder, "out"), content); err != nil {
		t.Fatal(err)
	}
	checkFolder(t, folder, "out")
}

// greedy sweeps a file as soon as it is made, before its maker can lock it.
type greedy struct {
	atomicfile.Disk
	t     *testing.T
	swept *int
}

func (g greedy) Create(path string, mode os.FileMode) (atomicfile.File, error) {
	file, err := g.Disk.Create(path, mode)
	if err == nil && *g.swept == 0 && strings.HasSuffix(path, ".tmp") {
		*g.swept++
		if err := os.Remove(path); err != nil {
			g.t.Error(err)
		}
	}
	return file, err
}

func TestAFileThatWasSweptTooEarlyIsMadeAnew(t *testing.T) {
	folder, swept := t.TempDir(), 0
	if err := atomicfile.WriteOn(greedy{t: t, swept: &swept}, filepath.Join(folder, "out"), content); err != nil || swept != 1 {
		t.Fatalf("%v after %d files were swept", err, swept)
	}
	checkFolder(t, folder, "out")
}
