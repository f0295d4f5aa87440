//go:build unix && !linux

package memory

import (
	"math"
	"os"

	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"
)

// limits is that of setrlimit on addresses, where one is set.
func limits() []Limit {
	var set unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &set); err != nil || uint64(set.Cur) >= math.MaxInt64 {
		return nil
	}
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return nil
	}
	used, err := self.MemoryInfo()
	if err != nil {
		return nil
	}
	return []Limit{{Name: "address space (ulimit -v)", Max: int64(set.Cur), Used: int64(used.VMS), Address: true}}
}
