package memory

import (
	"math"
	"path/filepath"
	"slices"

	"github.com/prometheus/procfs"
)

func taskLimit() int64 { return taskLimitIn("/proc", "/") }

// taskLimitIn reads the limit from a file tree, as limitsIn does.
func taskLimitIn(proc, root string) int64 {
	most := int64(math.MaxInt64)
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return most
	}
	self, err := fs.Self()
	if err != nil {
		return most
	}
	if set, err := self.Limits(); err == nil && set.Processes < math.MaxInt64 {
		most = int64(set.Processes)
	}
	groups, err := self.Cgroups()
	if err != nil {
		return most
	}
	mounts, err := fs.GetMounts()
	if err != nil {
		return most
	}
	for _, group := range groups {
		fileSystem := version2.fileSystem
		if len(group.Controllers) > 0 {
			fileSystem = version1.fileSystem
			if !slices.Contains(group.Controllers, "pids") {
				continue
			}
		}
		for _, mount := range mounts {
			_, tasks := mount.SuperOptions["pids"]
			if mount.FSType != fileSystem || fileSystem == version1.fileSystem && !tasks {
				continue
			}
			for folder := range upward(filepath.Join(root, mount.MountPoint), within(group.Path, mount.Root)) {
				if set, ok := number(filepath.Join(folder, "pids.max")); ok {
					most = min(most, set)
				}
			}
		}
	}
	return most
}
