//go:build !unix && !windows

package memory

// Allocate returns n zeros.
func Allocate(n int) ([]byte, error) { return make([]byte, n), nil }

// Free leaves what Allocate returned to the garbage collector.
func Free([]byte) error { return nil }
