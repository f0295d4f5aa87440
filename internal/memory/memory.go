// Package memory tells how much of the machine's memory this program can take.
package memory

import "github.com/shirou/gopsutil/v4/mem"

// Available is how many bytes programs can still take without making the system
// swap; it isn't known on every system.
func Available() (bytes int64, known bool) {
	memory, err := mem.VirtualMemory()
	if err != nil {
		return 0, false
	}
	return int64(memory.Available), true
}
