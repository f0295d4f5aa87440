package memory

import "testing"

func TestAvailableMemoryIsKnown(t *testing.T) {
	if bytes, known := Available(); !known || bytes < 1<<20 {
		t.Errorf("available memory is %d bytes (known: %v), want at least a mebibyte", bytes, known)
	}
}
