//go:build unix

package atomicfile_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"impasto/internal/atomicfile"
)

// refused demands that neither Check nor Write takes a path, with an error that has
// the fragment.
func refused(t *testing.T, path, fragment string) {
	t.Helper()
	for name, err := range map[string]error{"Check": atomicfile.Check(path), "Write": atomicfile.Write(path, content)} {
		if err == nil || !strings.Contains(err.Error(), fragment) {
			t.Errorf("%s of %s: %v, want %q", name, filepath.Base(path), err, fragment)
		}
	}
}

func TestAReplacedFileKeepsItsMode(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o604, 0o666, 0o755} {
		path := oldFile(t)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.Write(path, content); err != nil {
			t.Errorf("%v: %v", mode, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != mode || info.Size() != 1<<20 {
			t.Errorf("%v, %v; want a megabyte of mode %v", info, err, mode)
		}
	}
}

func TestAFileIsPrivateUntilItHasItsMode(t *testing.T) {
	path := oldFile(t)
	err := atomicfile.Write(path, func(w io.Writer) error {
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has %v (%v) while it is written", entry.Name(), info.Mode(), err)
			}
		}
		return content(w)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAReplacedFileKeepsItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	path := oldFile(t)
	if err := os.Chown(path, 1234, 4321); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, content); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 1234 || stat.Gid != 4321 || info.Size() != 1<<20 {
		t.Errorf("it belongs to %d:%d, want 1234:4321", stat.Uid, stat.Gid)
	}
}

func TestAWriteProtectedFileIsRefusedWhoeverAsks(t *testing.T) {
	path := oldFile(t)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	refused(t, path, "write-protected")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	refused(t, link, "write-protected")
	checkOld(t, path)
}

func TestADanglingLinkIsFollowed(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a/b", "c"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"absolute":    filepath.Join(folder, "c", "1"),
		"relative":    "c/2",
		"chain":       "absolute2",
		"absolute2":   filepath.Join(folder, "c", "3"),
		"c/up":        "../4",
		"folder":      "a/b",
		"c/dots":      "../folder/../5", // in a, not beside the link to a/b
		"nowhere":     "missing/6",
		"circle":      "circle",
		"left":        "right",
		"right":       "left",
		"c/to-folder": "../a",
	} {
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	for link, made := range map[string]string{
		"absolute": "c/1", "relative": "c/2", "chain": "c/3", "c/up": "4", "c/dots": "a/5", "folder/../7": "a/7",
	} {
		path := folder + "/" + link
		if err := atomicfile.Check(path); err != nil {
			t.Errorf("%s: %v", link, err)
		}
		if err := atomicfile.Write(path, content); err != nil {
			t.Errorf("%s: %v", link, err)
		}
		if info, err := os.Lstat(filepath.Join(folder, made)); err != nil || info.Size() != 1<<20 || !info.Mode().IsRegular() {
			t.Errorf("%s: %s is not there: %v", link, made, err)
		}
	}
	refused(t, filepath.Join(folder, "nowhere"), "missing does not exist")
	refused(t, filepath.Join(folder, "circle"), "symbolic link")
	refused(t, filepath.Join(folder, "left"), "symbolic link")
	refused(t, filepath.Join(folder, "c/to-folder"), "in the way")
}

// TestOnlyRegularFilesAreReplaced makes what isn't one itself, in its own folder.
func TestOnlyRegularFilesAreReplaced(t *testing.T) {
	folder, err := os.MkdirTemp("", "") // short, for the socket's address
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path := func(name string) string { return filepath.Join(folder, name) }
	if err := syscall.Mkfifo(path("pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", path("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	kinds := map[string]string{"pipe": "a named pipe", "socket": "a socket"}
	const null = 1<<8 | 3 // the numbers of Linux's null device
	if err := syscall.Mknod(path("device"), syscall.S_IFCHR|0o666, null); err != nil {
		t.Logf("devices can't be tried here: %v", err)
	} else {
		kinds["device"] = "a device"
	}
	for name, kind := range kinds {
		before, err := os.Lstat(path(name))
		if err != nil {
			t.Fatal(err)
		}
		refused(t, path(name), kind)
		link := path(name + "-link")
		if err := os.Symlink(path(name), link); err != nil {
			t.Fatal(err)
		}
		refused(t, link, kind)
		if after, err := os.Lstat(path(name)); err != nil || after.Mode() != before.Mode() || !os.SameFile(before, after) {
			t.Errorf("%s is %v (%v), want %v as it was", name, after, err, before.Mode())
		}
	}
}

func TestHardLinksArePartedAndTheOtherNameKeepsTheOldFile(t *testing.T) {
	path := oldFile(t)
	other := filepath.Join(t.TempDir(), "other")
	if err := os.Link(path, other); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, content); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(other); err != nil || !bytes.Equal(data, []byte("old")) {
		t.Errorf("the other name has %d bytes (%v), want the old file", len(data), err)
	}
}

func TestTheLongestNameCanBeWrittenAndALongerOneIsRefusedEarly(t *testing.T) {
	folder := t.TempDir()
	longest := filepath.Join(folder, strings.Repeat("n", 251)+".png")
	if err := atomicfile.Check(longest); err != nil {
		t.Fatal(err)
	}
	checkFolder(t, folder)
	if err := atomicfile.Write(longest, content); err != nil {
		t.Fatal(err)
	}
	refused(t, filepath.Join(folder, strings.Repeat("n", 252)+".png"), "name too long")
	checkFolder(t, folder, filepath.Base(longest))
}

// A name may be refused by the file system that would have to hold it; a NUL is
// refused by all.
func TestCheckTriesTheName(t *testing.T) {
	if err := atomicfile.Check(filepath.Join(t.TempDir(), "a\x00b")); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("error %v, want %v", err, syscall.EINVAL)
	}
}
