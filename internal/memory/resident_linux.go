package memory

import "github.com/prometheus/procfs"

// Resident is how many bytes of memory the process takes at present.
func Resident() (bytes int64, known bool) {
	self, err := procfs.Self()
	if err != nil {
		return 0, false
	}
	stat, err := self.Stat()
	if err != nil {
		return 0, false
	}
	return int64(stat.ResidentMemory()), true
}
