package memory

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func mapped(t *testing.T, file *os.File, length, protection int) []byte {
	t.Helper()
	block, err := unix.Mmap(int(file.Fd()), 0, length, protection, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(block) })
	return block
}

func TestForgottenPagesAreReadFromTheirFileAgain(t *testing.T) {
	const length = 32 << 20
	content := bytes.Repeat([]byte("palette "), length/8)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := mapped(t, file, length, unix.PROT_READ)
	if !bytes.Equal(block, content) {
		t.Fatal("the mapping isn't the file")
	}
	before, known := Resident()
	if err := Forget(block[100 : length-100]); err != nil {
		t.Fatal(err)
	}
	if after, _ := Resident(); known && before-after < length/2 {
		t.Errorf("%d bytes were resident, and %d are after %d were forgotten", before, after, length)
	}
	if !bytes.Equal(block, content) {
		t.Error("what was forgotten isn't what is in the file")
	}

	// What isn't the file's any more may not be forgotten.
	own := mapped(t, file, length, unix.PROT_READ|unix.PROT_WRITE)
	own[5<<12] = 'x'
	anonymous, err := Allocate(length)
	if err != nil {
		t.Fatal(err)
	}
	defer Free(anonymous)
	anonymous[5<<12] = 'x'
	heap := make([]byte, length)
	heap[5<<12] = 'x'
	for name, block := range map[string][]byte{"changed": own, "anonymous": anonymous, "heap": heap, "empty": nil} {
		if err := Forget(block); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(block) > 0 && block[5<<12] != 'x' {
			t.Errorf("%s memory was forgotten", name)
		}
	}
}
