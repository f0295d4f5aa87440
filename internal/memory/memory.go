// Package memory tells how much memory this program can still take, of the machine and
// under the limits that are set on it, and takes large blocks of it.
package memory

import (
	"math"

	"github.com/shirou/gopsutil/v4/mem"
)

// Limit is a bound on the memory of this process, or of a group of processes that it is
// in.
type Limit struct {
	Name string // what is bounded and what bounds it, for people
	Max  int64  // bytes
	Used int64  // of them, without what the system takes back by itself, such as cached files
	// Address tells a limit on addresses: memory counts from when it is asked for, not
	// from when it is first written.
	Address bool
}

// Left is how many bytes can still be taken under the limit, 0 or more.
func (l Limit) Left() int64 { return max(l.Max-l.Used, 0) }

// Limits are those that are set on this process. What can't be read is left out.
func Limits() []Limit { return limits() }

// TaskLimit is how many processes and threads there may be, of this program and of others
// that count against the same limit: of the user, or in a control group.
func TaskLimit() (most int64, set bool) {
	most = taskLimit()
	return most, most < math.MaxInt64
}

// Tightest is the limit that makes Available what it is; there is none where that is what
// the machine has left.
func Tightest() (tightest Limit, set bool) {
	available, known := Available()
	for _, l := range limits() {
		if left := l.usable(); known && left <= available && (!set || left < tightest.usable()) {
			tightest, set = l, true
		}
	}
	return tightest, set
}

// Available is how many bytes this program can still take without making the system
// swap and without running into a limit; it isn't known on every system. Memory that
// the Go runtime holds for reuse isn't among it.
func Available() (bytes int64, known bool) {
	if machine, err := mem.VirtualMemory(); err == nil {
		bytes, known = int64(machine.Available), true
	}
	for _, l := range limits() {
		if left := l.usable(); !known || left < bytes {
			bytes, known = left, true
		}
	}
	return bytes, known
}

// addressMargin is what is left alone of a limit on addresses: threads and the Go
// runtime take them by the tens of mebibytes, whether they use them or not.
const addressMargin = 128 << 20

// usable is what is left for buffers.
func (l Limit) usable() int64 {
	if l.Address {
		return max(l.Left()-addressMargin, 0)
	}
	return l.Left()
}
