//go:build unix && !linux

package memory

import (
	"math"

	"golang.org/x/sys/unix"
)

// limits is that of setrlimit on addresses, where one is set.
func limits() []Limit {
	var set unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &set); err != nil || uint64(set.Cur) >= math.MaxInt64 {
		return nil
	}
	used, known := virtualSize()
	if !known {
		return nil
	}
	return []Limit{{Name: "address space (ulimit -v)", Max: int64(set.Cur), Used: used, Address: true}}
}
