package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const gibibyte = 1 << 30

// tree writes files below a new folder and returns it. The proc file system's are in
// proc, those of process 7, which is the one that looks.
func tree(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	all := map[string]string{"proc/7/limits": processTable("unlimited", "unlimited"), "proc/7/cgroup": "", "proc/7/mountinfo": ""}
	for path, text := range files {
		all[path] = text
	}
	for path, text := range all {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("7", filepath.Join(root, "proc/self")); err != nil {
		t.Fatal(err)
	}
	return root
}

// processTable is /proc/self/limits with two of its lines as given.
func processTable(address, data string) string {
	return "Limit                     Soft Limit           Hard Limit           Units     \n" +
		fmt.Sprintf("Max data size             %-20s unlimited            bytes     \n", data) +
		"Max processes             96551                96551                processes \n" +
		fmt.Sprintf("Max address space         %-20s unlimited            bytes     \n", address)
}

func left(limits []Limit) []string {
	var lines []string
	for _, l := range limits {
		lines = append(lines, fmt.Sprintf("%s: %d MiB", l.Name, l.Left()>>20))
	}
	return lines
}

const (
	mountUnified   = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	mountMemory    = "36 25 0:31 / /sys/fs/cgroup/memory rw,relatime shared:15 - cgroup cgroup rw,memory\n"
	mountHybrid    = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	mountProcessor = "33 25 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
	memoryMax      = "memory of its control group (memory.max)"
	memoryHigh     = "memory of its control group (memory.high)"
	limitInBytes   = "memory of its control group (memory.limit_in_bytes)"
	withSwap       = "memory of its control group (memory.memsw.limit_in_bytes)"
)

// The shapes are those that systemd, Docker, Podman and Kubernetes make of version 1, of
// version 2 and of both, with and without a namespace of control groups.
func TestLimitsOfControlGroups(t *testing.T) {
	mebibytes := func(n int) string { return fmt.Sprintln(n << 20) }
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"version 2, its own group", map[string]string{
			"proc/7/cgroup": "0::/user.slice/run.scope\n", "proc/7/mountinfo": mountUnified,
			"sys/fs/cgroup/user.slice/run.scope/memory.max":     mebibytes(1024),
			"sys/fs/cgroup/user.slice/run.scope/memory.high":    "max\n",
			"sys/fs/cgroup/user.slice/run.scope/memory.current": mebibytes(600),
			"sys/fs/cgroup/user.slice/run.scope/memory.stat":    "anon 1\ninactive_file 104857600\nactive_file 20971520\nworkingset_refault_anon 0\n",
		}, []string{memoryMax + ": 534 MiB"}},
		{"version 2, a group above", map[string]string{
			"proc/7/cgroup": "0::/user.slice/run.scope\n", "proc/7/mountinfo": mountUnified,
			"sys/fs/cgroup/user.slice/run.scope/memory.max":     "max\n",
			"sys/fs/cgroup/user.slice/run.scope/memory.high":    "max\n",
			"sys/fs/cgroup/user.slice/run.scope/memory.current": mebibytes(10),
			"sys/fs/cgroup/user.slice/memory.max":               mebibytes(4096),
			"sys/fs/cgroup/user.slice/memory.high":              mebibytes(2048),
			"sys/fs/cgroup/user.slice/memory.current":           mebibytes(1900),
		}, []string{memoryMax + ": 2196 MiB", memoryHigh + ": 148 MiB"}},
		{"version 2 in a container with a namespace of its own", map[string]string{
			"proc/7/cgroup": "0::/\n", "proc/7/mountinfo": mountUnified,
			"sys/fs/cgroup/memory.max":     mebibytes(1024),
			"sys/fs/cgroup/memory.current": mebibytes(24),
		}, []string{memoryMax + ": 1000 MiB"}},
		{"version 2 in a container whose mount begins at its group", map[string]string{
			"proc/7/cgroup": "0::/docker/abc/inner\n", "proc/7/mountinfo": strings.Replace(mountUnified, " / ", " /docker/abc ", 1),
			"sys/fs/cgroup/memory.max":           mebibytes(1024),
			"sys/fs/cgroup/memory.current":       mebibytes(24),
			"sys/fs/cgroup/inner/memory.max":     mebibytes(100),
			"sys/fs/cgroup/inner/memory.current": mebibytes(20),
		}, []string{memoryMax + ": 80 MiB", memoryMax + ": 1000 MiB"}},
		{"version 2, a process moved out of the namespace's root", map[string]string{
			"proc/7/cgroup": "0::/../other\n", "proc/7/mountinfo": mountUnified,
			"sys/fs/cgroup/memory.max":     mebibytes(1024),
			"sys/fs/cgroup/memory.current": mebibytes(24),
		}, []string{memoryMax + ": 1000 MiB"}},
		{"version 2, more in use than there may be", map[string]string{
			"proc/7/cgroup": "0::/\n", "proc/7/mountinfo": mountUnified,
			"sys/fs/cgroup/memory.max":     mebibytes(100),
			"sys/fs/cgroup/memory.current": mebibytes(120),
		}, []string{memoryMax + ": 0 MiB"}},
		{"version 1", map[string]string{
			"proc/7/cgroup": "5:cpu,cpuacct:/a/b\n4:memory:/a/b\n1:name=systemd:/\n", "proc/7/mountinfo": mountProcessor + mountMemory,
			"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes":       mebibytes(2048),
			"sys/fs/cgroup/memory/a/b/memory.usage_in_bytes":       mebibytes(500),
			"sys/fs/cgroup/memory/a/b/memory.stat":                 "inactive_file 9999999999\nhierarchical_memory_limit 1073741824\ntotal_inactive_file 104857600\n",
			"sys/fs/cgroup/memory/a/b/memory.memsw.limit_in_bytes": mebibytes(1024),
			"sys/fs/cgroup/memory/a/b/memory.memsw.usage_in_bytes": mebibytes(900),
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes":         mebibytes(1024),
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes":         mebibytes(1000),
			"sys/fs/cgroup/memory/memory.limit_in_bytes":           "9223372036854771712\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes":           mebibytes(9000),
		}, []string{limitInBytes + ": 624 MiB", withSwap + ": 224 MiB", limitInBytes + ": 24 MiB"}},
		{"version 1, a group above that doesn't count those below", map[string]string{
			"proc/7/cgroup": "4:memory:/a/b\n", "proc/7/mountinfo": mountMemory,
			"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": mebibytes(2048),
			"sys/fs/cgroup/memory/a/b/memory.usage_in_bytes": mebibytes(48),
			"sys/fs/cgroup/memory/a/b/memory.use_hierarchy":  "0\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes":   mebibytes(1),
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes":   mebibytes(1),
			"sys/fs/cgroup/memory/a/memory.use_hierarchy":    "0\n",
		}, []string{limitInBytes + ": 2000 MiB"}},
		{"version 1 in a container that is told paths of the host", map[string]string{
			"proc/7/cgroup": "4:memory:/kubepods/pod1/abc\n", "proc/7/mountinfo": mountMemory,
			"sys/fs/cgroup/memory/memory.limit_in_bytes": mebibytes(1024),
			"sys/fs/cgroup/memory/memory.usage_in_bytes": mebibytes(24),
		}, []string{limitInBytes + ": 1000 MiB"}},
		{"both versions, memory in the first", map[string]string{
			"proc/7/cgroup": "4:memory:/a\n0::/a\n", "proc/7/mountinfo": mountHybrid + mountMemory,
			"sys/fs/cgroup/unified/a/cgroup.procs":         "7\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": mebibytes(512),
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes": mebibytes(12),
		}, []string{limitInBytes + ": 500 MiB"}},
		{"no limits at all", map[string]string{
			"proc/7/cgroup": "0::/a\n", "proc/7/mountinfo": mountUnified,
			"sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/memory.high": "max\n", "sys/fs/cgroup/a/memory.current": "1\n",
		}, nil},
		{"groups that aren't mounted", map[string]string{"proc/7/cgroup": "0::/a\n"}, nil},
		{"files that make no sense", map[string]string{
			"proc/7/cgroup": "0::/a\n", "proc/7/mountinfo": mountUnified,
			"sys/fs/cgroup/a/memory.max": "\n", "sys/fs/cgroup/a/memory.current": "many\n",
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := tree(t, test.files)
			if got := left(limitsIn(filepath.Join(root, "proc"), root)); strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("what is left is %q, want %q", got, test.want)
			}
		})
	}
}

func TestLimitsOfTheProcess(t *testing.T) {
	// Field 23 of stat is the size of the address space.
	stat := "7 (a b) S " + strings.Repeat("1 ", 19) + fmt.Sprint(1200<<20) + strings.Repeat(" 1", 29) + "\n"
	root := tree(t, map[string]string{
		"proc/7/limits": processTable(fmt.Sprint(2*gibibyte), fmt.Sprint(gibibyte)),
		"proc/7/stat":   stat,
		"proc/7/status": "Name:\ta b\nVmSize:\t 1228800 kB\nVmData:\t  204800 kB\n",
	})
	got := left(limitsIn(filepath.Join(root, "proc"), root))
	want := []string{"address space (ulimit -v): 848 MiB", "data (ulimit -d): 824 MiB"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("what is left is %q, want %q", got, want)
	}
}

func TestSystemsWithoutTheProcFileSystemHaveNoLimits(t *testing.T) {
	empty := t.TempDir()
	for _, proc := range []string{empty, filepath.Join(empty, "missing")} {
		if got := limitsIn(proc, empty); got != nil {
			t.Errorf("limits are %v, want none", got)
		}
	}
}

// Each file tree is what a process sees: the tightest limit counts, its own or a group's.
func TestTaskLimit(t *testing.T) {
	const mountTasks = "37 25 0:32 / /sys/fs/cgroup/pids rw,relatime shared:16 - cgroup cgroup rw,pids\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"that of the user", nil, 96551},
		{"a group of version 2", map[string]string{
			"proc/7/cgroup": "0::/jobs/one\n", "proc/7/mountinfo": mountUnified,
			"sys/fs/cgroup/jobs/one/pids.max": "max\n", "sys/fs/cgroup/jobs/pids.max": "64\n"}, 64},
		{"a group of version 1", map[string]string{
			"proc/7/cgroup": "8:pids:/one\n4:memory:/two\n", "proc/7/mountinfo": mountMemory + mountTasks,
			"sys/fs/cgroup/pids/one/pids.max": "32\n", "sys/fs/cgroup/memory/two/pids.max": "1\n"}, 32},
		{"a group of version 1 that isn't visible", map[string]string{
			"proc/7/cgroup": "8:pids:/docker/0123\n", "proc/7/mountinfo": mountTasks,
			"sys/fs/cgroup/pids/pids.max": "100\n"}, 100},
	} {
		root := tree(t, test.files)
		if got := taskLimitIn(filepath.Join(root, "proc"), root); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
