package bench

import (
	"time"

	"golang.org/x/sys/windows"
)

// processorTime is what all threads of the process have used so far, in user and in
// system mode; 0 where that can't be told.
func processorTime() time.Duration {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		return 0
	}
	return hundreds(kernel) + hundreds(user)
}

// hundreds is a span of time, which Windows counts in hundreds of nanoseconds.
func hundreds(t windows.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
