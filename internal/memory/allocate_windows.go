package memory

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Allocate returns n zeros that start on a page, outside of the Go heap, where running
// out of memory ends the program: here it is an error. They stay until Free.
func Allocate(n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	at, err := windows.VirtualAlloc(0, uintptr(n), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return nil, fmt.Errorf("memory: %d bytes: %w", n, err)
	}
	// The memory isn't Go's, so its address can be taken for a pointer; by way of the
	// variable's address, which vet knows to be sound.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n), nil
}

// Free gives back what Allocate returned, all of it. Using it afterwards is fatal.
func Free(block []byte) error {
	if len(block) == 0 {
		return nil
	}
	return windows.VirtualFree(uintptr(unsafe.Pointer(&block[0])), 0, windows.MEM_RELEASE)
}
