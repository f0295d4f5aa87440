package memory

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// allocate maps pages.
func allocate(n int) ([]byte, error) {
	at, err := windows.VirtualAlloc(0, uintptr(n), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return nil, fmt.Errorf("memory: %d bytes: %w", n, err)
	}
	// The memory isn't Go's, so its address can be taken for a pointer; by way of the
	// variable's address, which vet knows to be sound.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n), nil
}

// free unmaps pages.
func free(block []byte) error {
	return windows.VirtualFree(uintptr(unsafe.Pointer(&block[0])), 0, windows.MEM_RELEASE)
}
