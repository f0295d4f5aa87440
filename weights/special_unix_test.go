//go:build unix

package weights

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Opening a pipe that nobody writes to would wait for ever.
func TestFilesThatMayNeverEndAreRefusedAtOnce(t *testing.T) {
	folder := t.TempDir()
	pipe, socket := filepath.Join(folder, "pipe"), filepath.Join(folder, "s")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for path, want := range map[string]string{pipe: "is a pipe", socket: "is a socket", folder: "is a folder"} {
		done := make(chan error, 1)
		go func() {
			_, err := Open(t.Context(), path)
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want %q in it", path, err, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: opening it hangs", path)
		}
	}
}
