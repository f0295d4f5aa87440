//go:build !linux

package memory

import (
	"os"

	"github.com/shirou/gopsutil/v4/process"
)

// virtualSize is how many bytes of addresses, or of committed memory, the process has.
func virtualSize() (bytes int64, known bool) {
	used, known := processMemory()
	return int64(used.VMS), known
}

// Resident is how many bytes of memory the process takes at present.
func Resident() (bytes int64, known bool) {
	used, known := processMemory()
	return int64(used.RSS), known
}

func processMemory() (used process.MemoryInfoStat, known bool) {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return used, false
	}
	info, err := self.MemoryInfo()
	if err != nil {
		return used, false
	}
	return *info, true
}
