//go:build unix

package picture

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPipesAreReadToTheirEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- os.WriteFile(path, encoded(t)["PNG"], 0) }()
	p, err := Open(t.Context(), path)
	if err := errors.Join(err, <-failed); err != nil {
		t.Fatal(err)
	}
	if p.Width != 40 || p.Height != 30 {
		t.Errorf("read as %d×%d", p.Width, p.Height)
	}
}

func TestOpenEndsWithItsContextWhileAPipeIsSilent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, writer := range []bool{false, true} {
		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		if writer { // one that has the pipe open and says nothing
			file, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
		}
		time.AfterFunc(50*time.Millisecond, func() { cancel(stopped) })
		_, err := Open(ctx, path)
		if !errors.Is(err, stopped) {
			t.Fatalf("with a writer %v: error %v, want the context's cause", writer, err)
		}
		checkMessage(t, err, "picture: open "+path+": ", "stopped")
	}
}

func TestSocketsAreRefused(t *testing.T) {
	t.Chdir(t.TempDir()) // a socket's path may not be long
	listener, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = Open(t.Context(), "socket")
	if err == nil {
		t.Fatal("a socket was opened")
	}
	checkMessage(t, err, "picture: open socket: ", "a socket")
}
