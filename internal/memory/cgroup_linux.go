package memory

import (
	"bufio"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// controlVersion says in which files one version of control groups keeps its numbers.
type controlVersion struct {
	fileSystem string
	// limits are files with a limit, each with that of the use that counts against it.
	limits [][2]string
	// inactive and active are the keys in memory.stat of file pages by when they were
	// last used, those of the groups below included, and bound, unless empty, that of
	// the least limit of the group and those above, of which a container may not see
	// all.
	inactive, active, bound string
}

var (
	// Groups of version 2. Above memory.high, processes are slowed down until they can be
	// said to stand still. Limits on swap don't matter, since none is counted on.
	version2 = controlVersion{
		fileSystem: "cgroup2",
		limits:     [][2]string{{"memory.max", "memory.current"}, {"memory.high", "memory.current"}},
		inactive:   "inactive_file", active: "active_file",
	}
	// Groups of version 1, where one limit may be on memory and swap together.
	version1 = controlVersion{
		fileSystem: "cgroup",
		limits:     [][2]string{{"memory.limit_in_bytes", "memory.usage_in_bytes"}, {"memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes"}},
		inactive:   "total_inactive_file", active: "total_active_file", bound: "hierarchical_memory_limit",
	}
)

// cgroupLimits are the limits of the control groups that a process is in and of those
// above, as far as they can be seen.
func cgroupLimits(root string, groups []procfs.Cgroup, mounts []*procfs.MountInfo) []Limit {
	var found []Limit
	for _, group := range groups {
		version := version2
		if len(group.Controllers) > 0 {
			version = version1
			if !slices.Contains(group.Controllers, "memory") {
				continue
			}
		}
		for _, mount := range mounts {
			_, memory := mount.SuperOptions["memory"]
			if mount.FSType != version.fileSystem || version.fileSystem == version1.fileSystem && !memory {
				continue
			}
			if limits := version.climb(filepath.Join(root, mount.MountPoint), within(group.Path, mount.Root)); limits != nil {
				found = append(found, limits...)
				break // the same groups at another mount point
			}
		}
	}
	return found
}

// within is the path of a group below the root of a mount. A path that isn't below it
// is one that a container doesn't see: the root is then its group, or one above.
func within(path, root string) string {
	relative, err := filepath.Rel(root, path)
	if err != nil || relative == ".." || strings.HasPrefix(relative, "../") {
		return "."
	}
	return relative
}

// climb collects the limits from a group up to the mount point.
func (v controlVersion) climb(mount, group string) []Limit {
	var found []Limit
	for folder, own := range upward(mount, group) {
		if accounts, err := os.ReadFile(filepath.Join(folder, "memory.use_hierarchy")); !own && err == nil && strings.TrimSpace(string(accounts)) == "0" {
			return found // it doesn't count what groups below it use
		}
		found = append(found, v.at(folder)...)
	}
	return found
}

// upward goes through the folders of groups from a process's own up to the mount point.
// Where there is no such group, as in containers whose mounts don't fit the paths that
// processes are told, it begins at the mount point.
func upward(mount, group string) iter.Seq2[string, bool] {
	return func(yield func(folder string, own bool) bool) {
		folder := filepath.Join(mount, group)
		if _, err := os.Stat(folder); err != nil {
			folder = mount
		}
		for own := true; yield(folder, own); own = false {
			if folder == mount || folder == filepath.Dir(folder) {
				return
			}
			folder = filepath.Dir(folder)
		}
	}
}

// at are the limits of one group.
func (v controlVersion) at(folder string) []Limit {
	stat := statistics(filepath.Join(folder, "memory.stat"))
	// The system takes back pages of files before it refuses memory: those that weren't
	// used lately at once, of the others perhaps half before programs stall for want of
	// their own code.
	reclaimable := stat[v.inactive] + stat[v.active]/2
	var found []Limit
	for i, files := range v.limits {
		most, ok := number(filepath.Join(folder, files[0]))
		if bound, known := stat[v.bound]; known && i == 0 {
			most, ok = min(most, bound), true
		}
		used, known := number(filepath.Join(folder, files[1]))
		if !ok || !known || most >= unlimited {
			continue
		}
		found = append(found, Limit{Name: "memory of its control group (" + files[0] + ")", Max: most, Used: max(used-reclaimable, 0)})
	}
	return found
}

// unlimited is more than any machine has. Version 1 says that there is no limit by the
// largest number of whole pages.
const unlimited = 1 << 60

// number reads a file that holds one number; "max" is the largest there is.
func number(path string) (value int64, ok bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return math.MaxInt64, false
	}
	text := strings.TrimSpace(string(data))
	if text == "max" {
		return math.MaxInt64, true
	}
	value, err = strconv.ParseInt(text, 10, 64)
	if err != nil {
		return math.MaxInt64, false
	}
	return value, true
}

// statistics reads a file with a key and a number on each line.
func statistics(path string) map[string]int64 {
	values := map[string]int64{}
	file, err := os.Open(path)
	if err != nil {
		return values
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		key, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseInt(text, 10, 64); err == nil {
			values[key] = value
		}
	}
	return values
}
