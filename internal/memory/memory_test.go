package memory

import "testing"

func TestAvailableMemoryIsKnown(t *testing.T) {
	if bytes, known := Available(); !known || bytes < 1<<20 {
		t.Errorf("available memory is %d bytes (known: %v), want at least a mebibyte", bytes, known)
	}
}

func TestMemoryThatThereIsNotIsAnError(t *testing.T) {
	block, err := Allocate(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range block {
		if v != 0 {
			t.Fatalf("byte %d is %d, want 0", i, v)
		}
	}
	block[0], block[len(block)-1] = 1, 1
	if err := Free(block); err != nil {
		t.Error(err)
	}
	if block, err := Allocate(1 << 60); err == nil {
		t.Errorf("there is an exbibyte, of which %d bytes were given", len(block))
	}
	if block, err := Allocate(0); err != nil || len(block) != 0 {
		t.Errorf("nothing is %d bytes, error %v", len(block), err)
	}
}
