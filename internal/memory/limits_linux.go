package memory

import (
	"math"

	"github.com/prometheus/procfs"
)

func limits() []Limit { return limitsIn("/proc", "/") }

// limitsIn reads the limits on this process from a file tree: proc is where the proc
// file system is mounted, and root stands before the mount points that it names.
func limitsIn(proc, root string) []Limit {
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return nil
	}
	self, err := fs.Self()
	if err != nil {
		return nil
	}
	found := processLimits(self)
	groups, err := self.Cgroups()
	if err != nil {
		return found
	}
	mounts, err := fs.GetMounts()
	if err != nil {
		return found
	}
	return append(found, cgroupLimits(root, groups, mounts)...)
}

// processLimits are those of setrlimit.
func processLimits(self procfs.Proc) []Limit {
	var found []Limit
	set, err := self.Limits()
	if err != nil {
		return nil
	}
	if set.AddressSpace < math.MaxInt64 {
		if stat, err := self.Stat(); err == nil {
			found = append(found, Limit{Name: "address space (ulimit -v)", Max: int64(set.AddressSpace), Used: int64(stat.VSize), Address: true})
		}
	}
	if set.DataSize < math.MaxInt64 {
		if status, err := self.NewStatus(); err == nil {
			found = append(found, Limit{Name: "data (ulimit -d)", Max: int64(set.DataSize), Used: int64(status.VmData), Address: true})
		}
	}
	return found
}
