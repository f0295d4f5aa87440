package atomicfile_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"impasto/internal/atomicfile"
)

// asNobody runs f with the rights of a user who owns nothing, where the test runs as
// root.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread is never unlocked, so it ends with the goroutine.
		runtime.LockOSThread()
		for _, call := range []uintptr{syscall.SYS_SETFSGID, syscall.SYS_SETFSUID} {
			if _, _, err := syscall.RawSyscall(call, 65534, 0, 0); err != 0 {
				t.Error(err)
				return
			}
		}
		f()
	}()
	<-done
}

// open lets everybody into a folder of the test.
func open(t *testing.T, folder string, mode os.FileMode) {
	t.Helper()
	for at := folder; at != os.TempDir() && len(at) > 1; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(folder, mode); err != nil {
		t.Fatal(err)
	}
}

func TestAnothersFileInAStickyFolderIsRefusedEarly(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "out")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	open(t, folder, 0o777|os.ModeSticky)
	asNobody(t, func() {
		refused(t, path, "")
		if err := atomicfile.Check(path); err == nil || err.Error() != "the file there may not be replaced: operation not permitted" {
			t.Errorf("error of the check %v, want that the file may not be replaced", err)
		}
		if err := atomicfile.Check(filepath.Join(folder, "new")); err != nil {
			t.Errorf("a new file: %v", err)
		}
	})
	checkOld(t, path)
	open(t, folder, 0o777)
	asNobody(t, func() {
		if err := atomicfile.Check(path); err != nil {
			t.Errorf("without the sticky bit: %v", err)
		}
	})
}

func TestAFileThatMayNotBeReadOrWrittenIsRefusedToItsStranger(t *testing.T) {
	path := oldFile(t) // of mode 0600
	open(t, filepath.Dir(path), 0o777)
	asNobody(t, func() { refused(t, path, "can't be written: permission denied") })
	checkOld(t, path)
}

// A group that can't be kept must not pass its rights on to the writer's own.
func TestAGroupThatCannotBeKeptLosesItsRights(t *testing.T) {
	path := oldFile(t)
	open(t, filepath.Dir(path), 0o777)
	if err := os.Chmod(path, 0o676); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		if err := atomicfile.Write(path, content); err != nil {
			t.Error(err)
		}
	})
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o666 {
		t.Errorf("%v, %v; want mode 0666", info.Mode(), err)
	}
}

func TestAnAccessControlListStays(t *testing.T) {
	path := oldFile(t)
	// Version 2; user::rw-, user 1234:rw-, group::---, mask::rw-, other::---.
	const attribute = "system.posix_acl_access"
	list := []byte{2, 0, 0, 0,
		1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 0xd2, 4, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255,
		16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255}
	if err := unix.Setxattr(path, attribute, list, 0); err != nil {
		t.Skipf("this file system has no access control lists: %v", err)
	}
	if err := atomicfile.Write(path, content); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 1024)
	if n, err := unix.Getxattr(path, attribute, got); err != nil || string(got[:n]) != string(list) {
		t.Errorf("the list is %v (%v), want %v", got[:max(n, 0)], err, list)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o660 {
		t.Errorf("%v, %v; want mode 0660", info.Mode(), err)
	}
}
