//go:build unix

package memory

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Allocate returns n zeros that start on a page, outside of the Go heap, where running
// out of memory ends the program: here it is an error. They stay until Free.
func Allocate(n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	block, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("memory: %d bytes: %w", n, err)
	}
	return block, nil
}

// Free gives back what Allocate returned, all of it. Using it afterwards is fatal.
func Free(block []byte) error {
	if len(block) == 0 {
		return nil
	}
	return unix.Munmap(block)
}
