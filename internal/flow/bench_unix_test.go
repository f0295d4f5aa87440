//go:build unix

package flow_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has taken of all cores.
func processorTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
