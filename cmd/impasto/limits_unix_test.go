//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"impasto/internal/supervise"
)

// limitedTo returns the program's command under a limit on addresses, in MiB.
func limitedTo(t *testing.T, mebibytes int, folder string, args ...string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("limits on addresses are heeded on Linux alone")
	}
	cmd := program(t, folder, args...)
	shell := exec.Command("/bin/sh", slices.Concat([]string{"-c", fmt.Sprintf(`ulimit -v %d && exec "$0" "$@"`, mebibytes<<10), cmd.Path}, args)...)
	shell.Dir, shell.Env = cmd.Dir, cmd.Env
	return shell
}

// ended runs a command to its end.
func ended(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func TestWhatDoesNotFitUnderALimitIsRefusedAtOnce(t *testing.T) {
	folder := workshop(t)
	for _, size := range []string{"--size=12000", "--size=16384 --min-size=16384"} {
		args := append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--device=cpu"}, strings.Fields(size)...)
		ended(t, limitedTo(t, 4096, folder, args...)).refused(t, statusFailed, "pixels needs ", "are available under the limit on the address space (ulimit -v)", "choose a smaller size, such as ")
	}
	nothingLeft(t, folder)
}

// From where a Go program can start at all, it works or ends in one line with status 1.
// Below that, the runtime of a program in pure Go ends it before any of this program runs.
func TestShortageOfAddressesIsOneLine(t *testing.T) {
	folder := workshop(t)
	limits := []int{1350, 1550, 1750, 2050}
	if supervise.ChecksBeforeStart {
		limits = append(limits, 125, 700, 800, 1250, 1300, 1500)
	}
	for _, mebibytes := range limits {
		for _, args := range [][]string{
			{"version"},
			{"measure", "content.png", "style.png", "--device=cpu", "--loss=gram"},
			{"stylize", "content.png", "style.png", "-o", "out.png", "--device=cpu", "--size=400", "--min-size=400", "--first-iterations=1", "--loss=gram"},
		} {
			inOneLineOrDone(t, fmt.Sprintf("%s in %d MiB", args[0], mebibytes), ended(t, limitedTo(t, mebibytes, folder, args...)))
		}
	}
}

// inOneLineOrDone demands that a run went well, or failed in one line.
func inOneLineOrDone(t *testing.T, name string, run outcome) {
	t.Helper()
	if run.status != statusDone && run.status != statusFailed || strings.Contains(run.stderr, "goroutine") {
		t.Errorf("%s: exit status %d and %.300q", name, run.status, run.stderr)
	}
	if run.status == statusFailed {
		run.stdout = ""
		run.refused(t, statusFailed)
	}
}

func TestExitStatusesAreTheSameUnderALimit(t *testing.T) {
	folder := workshop(t)
	if run := ended(t, limitedTo(t, 8192, folder, "version")); run.status != statusDone || !strings.HasPrefix(run.stdout, "impasto ") || run.stderr != "" {
		t.Errorf("version: %+v", run)
	}
	ended(t, limitedTo(t, 8192, folder, "stylize", "content.png")).refused(t, statusUsage)
	ended(t, limitedTo(t, 8192, folder, "measure", "content.png", "missing.png")).refused(t, statusFailed, "missing.png")
}

// A terminal sends an interrupt to all processes of a group, another program to the one
// that it started. Either counts once: the picture is written.
func TestInterruptsCountOnceUnderALimit(t *testing.T) {
	for _, test := range []struct {
		name   string
		signal syscall.Signal
		group  bool
	}{{"to the process", syscall.SIGINT, false}, {"to the group", syscall.SIGINT, true}, {"a request to terminate", syscall.SIGTERM, false}} {
		t.Run(test.name, func(t *testing.T) {
			folder := workshop(t)
			cmd := limitedTo(t, 8192, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--json", "--first-iterations=1000000"}, shallow)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			stdout, stderr := startReading(t, cmd)
			to := cmd.Process.Pid
			if test.group {
				to = -to
			}
			lines := bufio.NewScanner(stdout)
			for n := 1; lines.Scan(); n++ {
				if n == 3 {
					if err := syscall.Kill(to, test.signal); err != nil {
						t.Fatal(err)
					}
				}
			}
			_ = cmd.Wait() // an exit status other than 0 is an error
			if cmd.ProcessState.ExitCode() != statusInterrupted || !strings.Contains(stderr.String(), " is in out.png") {
				t.Errorf("exit status %d, want %d and a picture; standard error:\n%s", cmd.ProcessState.ExitCode(), statusInterrupted, stderr.String())
			}
			readPicture(t, filepath.Join(folder, "out.png"))
		})
	}
}

// A control group that the test makes below its own, where it may.
func TestTheLimitOfAControlGroupIsRespected(t *testing.T) {
	group := controlGroup(t, "memory", "memory.limit_in_bytes", "memory.max", 1<<30)
	folder := workshop(t)
	run := ended(t, inGroup(t, group, folder, "stylize", "content.png", "style.png", "-o", "out.png", "--device=cpu", "--size=6000"))
	run.refused(t, statusFailed, "6000×4500 pixels needs ", "under the limit on the memory of its control group")
	// In tiles a smaller one fits.
	run = ended(t, inGroup(t, group, folder, "plan", "content.png", "style.png", "--device=cpu", "--size=2000", "--json")).done(t)
	var plan planReport
	if err := json.Unmarshal([]byte(run.stdout), &plan); err != nil || plan.Memory > 1<<30 {
		t.Errorf("a run of 2000 pixels would take %d MiB (%v)", plan.Memory>>20, err)
	}
}

func TestShortageOfThreadsIsOneLine(t *testing.T) {
	folder := workshop(t)
	for _, tasks := range []int{9, 12, 200} {
		group := controlGroup(t, "pids", "pids.max", "pids.max", tasks)
		cmd := inGroup(t, group, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--quiet", "--first-iterations=1"}, shallow)...)
		cmd.Env = append(cmd.Env, "GOMAXPROCS=2") // the runtime starts more threads on more cores
		run := ended(t, cmd)
		inOneLineOrDone(t, fmt.Sprintf("%d threads", tasks), run)
		if tasks == 200 {
			run.done(t)
		}
	}
}

// inGroup returns the program's command in a control group.
func inGroup(t *testing.T, group, folder string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := program(t, folder, args...)
	shell := exec.Command("/bin/sh", slices.Concat([]string{"-c", `echo $$ > "$1/cgroup.procs" && shift && exec "$0" "$@"`, cmd.Path, group}, args)...)
	shell.Dir, shell.Env = cmd.Dir, cmd.Env
	return shell
}

// controlGroup makes a group with a limit for the time of a test: of version 1, where the
// controller has its own groups, or 2. The files are where each has the limit.
func controlGroup(t *testing.T, controller, file1, file2 string, limit int) (folder string) {
	t.Helper()
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skipf("there are no control groups here: %v", err)
	}
	var reasons []string
	for line := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		parent, file := "", ""
		switch {
		case len(fields) == 3 && fields[1] == controller:
			parent, file = filepath.Join("/sys/fs/cgroup", controller, fields[2]), file1
		case len(fields) == 3 && fields[1] == "":
			parent, file = filepath.Join("/sys/fs/cgroup", fields[2]), file2
		default:
			continue
		}
		if _, err := os.Stat(filepath.Join(parent, "cgroup.procs")); err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		folder, err := os.MkdirTemp(parent, "impasto-test-")
		if err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		t.Cleanup(func() { os.Remove(folder) })
		if err := os.WriteFile(filepath.Join(folder, file), fmt.Appendln(nil, limit), 0); err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		return folder
	}
	t.Skipf("no control group can be made here: %v", reasons)
	return ""
}
