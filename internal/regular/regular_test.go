package regular

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRegularFilesAreOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, size, err := Open(path)
	if err != nil || size != 3 {
		t.Fatalf("%d bytes, %v; want 3", size, err)
	}
	defer file.Close()
	// FIPS 180-2, appendix B.1.
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	for range 2 { // from the beginning, wherever the file was read to
		if got, err := Digest(t.Context(), file); err != nil || got != want {
			t.Errorf("digest is %s, %v; want %s", got, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Digest(ctx, file); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that the context ended", err)
	}
}

func TestOthersAreRefused(t *testing.T) {
	folder := t.TempDir()
	if _, _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "is a folder, not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, _, err := Open(filepath.Join(folder, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
