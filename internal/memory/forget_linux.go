package memory

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

func forget(block []byte) error {
	start, page := uintptr(unsafe.Pointer(unsafe.SliceData(block))), uintptr(os.Getpagesize())
	first, end := (start+page-1)&^(page-1), (start+uintptr(len(block)))&^(page-1)
	if first >= end || !isOfFile(first, end) {
		return nil
	}
	if err := unix.Madvise(block[first-start:end-start], unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("memory: forget %d bytes: %w", len(block), err)
	}
	return nil
}

// isOfFile tells whether addresses are in one mapping of a file that can't be written. Of
// a program that was packed, the mapping is of no file.
func isOfFile(first, end uintptr) bool {
	self, err := procfs.Self()
	if err != nil {
		return false
	}
	mappings, err := self.ProcMaps()
	if err != nil {
		return false
	}
	for _, m := range mappings {
		if m.StartAddr <= first && end <= m.EndAddr {
			return m.Inode != 0 && !m.Perms.Write
		}
	}
	return false
}
