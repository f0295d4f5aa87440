//go:build unix

package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what all threads of the process have used so far, in user and in
// system mode; 0 where that can't be told.
func processorTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
