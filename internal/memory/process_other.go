//go:build !linux

package memory

import (
	"os"

	"github.com/shirou/gopsutil/v4/process"
)

// virtualSize is how many bytes of addresses, or of committed memory, the process has.
func virtualSize() (bytes int64, known bool) {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return 0, false
	}
	used, err := self.MemoryInfo()
	if err != nil {
		return 0, false
	}
	return int64(used.VMS), true
}
