//go:build unix && !linux

package memory

import (
	"math"

	"golang.org/x/sys/unix"
)

// taskLimit is that of setrlimit.
func taskLimit() int64 {
	var set unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &set); err != nil || uint64(set.Cur) >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(set.Cur)
}
