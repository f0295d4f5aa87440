//go:build unix

package memory

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// allocate maps pages.
func allocate(n int) ([]byte, error) {
	block, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("memory: %d bytes: %w", n, err)
	}
	return block, nil
}

// free unmaps pages.
func free(block []byte) error {
	return unix.Munmap(block)
}
