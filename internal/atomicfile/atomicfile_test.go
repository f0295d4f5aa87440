package atomicfile_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"impasto/internal/atomicfile"
	"impasto/internal/atomicfile/faulty"
)

// content writes a megabyte, more than is buffered.
func content(w io.Writer) error {
	_, err := w.Write(make([]byte, 1<<20))
	return err
}

// checkFolder wants these names in the folder and no others.
func checkFolder(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

// oldFile is a file in a folder of its own.
func oldFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkOld(t *testing.T, path string) {
	t.Helper()
	checkFolder(t, filepath.Dir(path), filepath.Base(path))
	if data, err := os.ReadFile(path); err != nil || string(data) != "old" {
		t.Errorf("the old file has %q (%v)", data, err)
	}
}

func TestAFaultWhileWritingLeavesEverythingAsItWas(t *testing.T) {
	failing := faulty.Operations
	if _, err := os.Stat(faulty.Full); err == nil {
		failing = append(failing[:len(failing):len(failing)], "full")
	}
	for _, operation := range failing {
		path := oldFile(t)
		err := atomicfile.WriteOn(faulty.Disk{Failing: operation}, path, content)
		if err == nil || operation != "full" && !errors.Is(err, faulty.Err) {
			t.Errorf("%s: %v, want %v", operation, err, faulty.Err)
			continue
		}
		if strings.Contains(err.Error(), ".impasto-") || strings.Contains(err.Error(), faulty.Full) {
			t.Errorf("%s: %v names the temporary file", operation, err)
		}
		checkOld(t, path)
	}
}

func TestAFaultOfTheWriterLeavesEverythingAsItWas(t *testing.T) {
	path := oldFile(t)
	fault := &fs.PathError{Op: "read", Path: "input", Err: fs.ErrInvalid}
	err := atomicfile.Write(path, func(w io.Writer) error {
		if err := content(w); err != nil {
			return err
		}
		return fault
	})
	if err != error(fault) {
		t.Errorf("error %v, want %v as it is", err, fault)
	}
	checkOld(t, path)
}

// stuck can't remove what it made.
type stuck struct{ faulty.Disk }

func (stuck) Remove(path string) error {
	return &fs.PathError{Op: "remove", Path: path, Err: fs.ErrPermission}
}

func TestALeftoverIsOwnedUpTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	err := atomicfile.WriteOn(stuck{faulty.Disk{Failing: "write"}}, path, content)
	if !errors.Is(err, faulty.Err) || !strings.Contains(err.Error(), ".tmp stays behind") {
		t.Errorf("error %v, want %v and that a file stays behind", err, faulty.Err)
	}
	if err := atomicfile.CheckOn(stuck{}, path); err == nil || !strings.Contains(err.Error(), ".tmp stays behind") {
		t.Errorf("error of the check %v, want that a file stays behind", err)
	}
}

// crowded says of the first few names that they are taken.
type crowded struct {
	atomicfile.Disk
	taken int
}

func (c *crowded) Create(path string, mode fs.FileMode) (atomicfile.File, error) {
	if c.taken--; c.taken >= 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrExist}
	}
	return c.Disk.Create(path, mode)
}

func TestANameThatIsTakenIsPassedOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := atomicfile.WriteOn(&crowded{taken: 3}, path, content); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 1<<20 {
		t.Errorf("%v, %v; want a file of a megabyte", info, err)
	}
}

func TestAWrittenFileHasTheModeOfANewFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	folder := t.TempDir()
	usual, written := filepath.Join(folder, "usual"), filepath.Join(folder, "written")
	if err := os.WriteFile(usual, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(written, content); err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(usual)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.Stat(written)
	if err != nil {
		t.Fatal(err)
	}
	if got.Mode() != want.Mode() {
		t.Errorf("mode %v, want %v", got.Mode(), want.Mode())
	}
}

func TestALinkStaysOne(t *testing.T) {
	real := oldFile(t)
	link := filepath.Join(filepath.Dir(real), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := atomicfile.Write(link, content); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone (%v)", err)
	}
	if info, err := os.Stat(real); err != nil || info.Size() != 1<<20 {
		t.Errorf("%v, %v; want a file of a megabyte", info, err)
	}
}

func TestCheckTellsEarly(t *testing.T) {
	path := oldFile(t)
	folder := filepath.Dir(path)
	for name, want := range map[string]string{
		"no/out":  "no does not exist; make it first",
		"out/out": "out",
		".":       "in the way",
	} {
		if err := atomicfile.Check(filepath.Join(folder, filepath.FromSlash(name))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if err := atomicfile.CheckOn(faulty.Disk{Failing: "create"}, path); !errors.Is(err, faulty.Err) {
		t.Errorf("unwritable folder: %v, want %v", err, faulty.Err)
	}
	if err := atomicfile.Check(path); err != nil {
		t.Error(err)
	}
	checkOld(t, path)
}

func TestCheckFolderTellsWhetherItCouldBeMade(t *testing.T) {
	path := oldFile(t)
	folder := filepath.Dir(path)
	for name, want := range map[string]string{"": "", "new": "", "new/newer/newest": "", "out": "not a folder", "out/new": "not a folder"} {
		err := atomicfile.CheckFolder(filepath.Join(folder, filepath.FromSlash(name)))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "new")); err == nil {
		t.Error("a folder was made")
	}
	checkOld(t, path)
}

func TestReplacesKnowsAFileByAnyPath(t *testing.T) {
	path := oldFile(t)
	folder := filepath.Dir(path)
	detour := folder + string(filepath.Separator) + "." + string(filepath.Separator) + "out"
	other := filepath.Join(folder, "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if file, ok := atomicfile.Replaces(path, []string{other, "missing", detour}); !ok || file != detour {
		t.Errorf("it replaces %q, %t; want %q", file, ok, detour)
	}
	if file, ok := atomicfile.Replaces(path, []string{other}); ok {
		t.Errorf("it replaces %q, want nothing", file)
	}
	if _, ok := atomicfile.Replaces(filepath.Join(folder, "new"), []string{path, other}); ok {
		t.Error("a new file replaces one")
	}
}
